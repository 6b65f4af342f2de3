//! Checks that the noise is standard normal, and independent between elements, trials, samples and seeds.
//!
//! True noise stays within each bound with a probability of at least 0.99, and the noise is always the same.

use hard_imagenet_perturbations::{NoiseKey, normal, normals};

const KEY: NoiseKey = NoiseKey(20_221_106);

fn check_moments(values: &[f64]) {
    let count = values.len() as f64;
    let moment = |power: i32| values.iter().map(|v| v.powi(power)).sum::<f64>() / count;
    // The bounds are four standard errors: 1/sqrt(n) for the mean, then sqrt(2/n), sqrt(15/n), sqrt(96/n).
    let error = |variance: f64| 4.0 * (variance / count).sqrt();
    assert!(moment(1).abs() < error(1.0), "{}", moment(1));
    assert!((moment(2) - 1.0).abs() < error(2.0), "{}", moment(2));
    assert!(moment(3).abs() < error(15.0), "{}", moment(3));
    assert!((moment(4) - 3.0).abs() < error(96.0), "{}", moment(4));
}

/// Checks the Kolmogorov-Smirnov distance from the normal distribution. It exceeds 1.63 / sqrt(n) with probability 0.01.
fn check_distance(mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let distance = |(rank, &value): (usize, &f64)| (cumulative(value) - (rank as f64 + 0.5) / count).abs();
    let largest = values.iter().enumerate().map(distance).fold(0.0, f64::max);
    assert!(largest < 1.63 / count.sqrt(), "{largest}");
}

/// Returns the normal distribution function by its series (Marsaglia 2004).
fn cumulative(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for k in 1..200 {
        term *= x * x / f64::from(2 * k + 1);
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Checks that the correlation of pairs of standard normals is within four standard errors of 0.
fn check_uncorrelated(name: &str, pairs: impl Iterator<Item = (f32, f32)>) {
    let (mut count, mut sum) = (0.0, 0.0);
    for (a, b) in pairs {
        count += 1.0;
        sum += f64::from(a) * f64::from(b);
    }
    assert!((sum / count).abs() < 4.0 / f64::sqrt(count), "{name}: {}", sum / count);
}

fn key(sample: usize, trial: u32) -> NoiseKey {
    NoiseKey::new(0, &format!("val/n03218198/ILSVRC2012_val_{sample:08}"), trial)
}

#[test]
fn one_tensor_is_standard_normal() {
    let values: Vec<f64> = normals(KEY, 400_000).iter().map(|&v| f64::from(v)).collect();
    check_moments(&values);
    check_distance(values);
}

#[test]
fn tensors_of_many_samples_and_trials_are_standard_normal_together() {
    let keys = (0..100).flat_map(|sample| (0..3).map(move |trial| key(sample, trial)));
    let values: Vec<f64> = keys.flat_map(|key| normals(key, 1000)).map(f64::from).collect();
    check_moments(&values);
    check_distance(values);
}

#[test]
fn one_element_is_standard_normal_over_samples_and_trials() {
    for element in [0, 1, 150_527] {
        let keys = (0..5000).flat_map(|sample| (0..3).map(move |trial| key(sample, trial)));
        let values: Vec<f64> = keys.map(|key| f64::from(normal(key, element))).collect();
        check_moments(&values);
        check_distance(values);
    }
}

#[test]
fn one_element_of_neighboring_samples_and_trials_is_uncorrelated() {
    for element in [0, 1, 150_527] {
        let value = |sample, trial| normal(key(sample, trial), element);
        let samples = || 0..20_000;
        check_uncorrelated("trials", samples().map(|sample| (value(sample, 0), value(sample, 1))));
        check_uncorrelated("trials but one", samples().map(|sample| (value(sample, 0), value(sample, 2))));
        check_uncorrelated("samples", samples().map(|sample| (value(sample, 0), value(sample + 1, 0))));
    }
}

#[test]
fn sums_over_samples_and_trials_behave_like_sums_of_independent_normals() {
    // Any dependence between samples or trials would make the sums wider or narrower.
    const KEYS: f64 = 64.0;
    let mut sums = vec![0f64; 20_000];
    for key in (0..16).flat_map(|sample| (0..4).map(move |trial| key(sample, trial))) {
        for (sum, value) in sums.iter_mut().zip(normals(key, 20_000)) {
            *sum += f64::from(value) / KEYS.sqrt();
        }
    }
    check_moments(&sums);
    check_distance(sums);
}

#[test]
fn neighbors_and_other_keys_are_uncorrelated() {
    let count = 100_000;
    let base = normals(NoiseKey::new(0, "val/n03218198/a", 0), count);
    let check = |name: &str, other: &[f32]| check_uncorrelated(name, base.iter().copied().zip(other.iter().copied()));
    check("trial", &normals(NoiseKey::new(0, "val/n03218198/a", 1), count));
    check("seed", &normals(NoiseKey::new(1, "val/n03218198/a", 0), count));
    check("sample", &normals(NoiseKey::new(0, "val/n03218198/b", 0), count));
    check("purpose", &normals(NoiseKey::new(0, "val/n03218198/a", 0).fork("shuffle"), count));
    check("next element", &base[1..]);
    check("next but one", &base[2..]);
    let squares: Vec<f32> = base.iter().map(|v| (v * v - 1.0) / std::f32::consts::SQRT_2).collect();
    check("square of the same", &squares);
    check("square of the next", &squares[1..]);
}

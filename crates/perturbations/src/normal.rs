//! Standard normals by counter: the value of an element is a function of the key and the element's index alone.
//!
//! Two elements share one 64-bit hash, whose halves feed a Box-Muller transform. Only operations that IEEE 754 fixes
//! are used (+, -, ×, ÷, square root, conversions of integers, in f32, never fused), and logarithm, sine and cosine
//! are polynomials written out here, so the bits are the same on every device that does not contract a × b + c.

use crate::NoiseKey;

/// The standard normal of one element.
pub fn normal(key: NoiseKey, index: u64) -> f32 {
    let (high, low) = hash(key, index / 2);
    let (even, odd) = box_muller(high, low);
    if index.is_multiple_of(2) { even } else { odd }
}

/// The standard normals of elements `0..count`, for an image in the order channel, row, column.
pub fn normals(key: NoiseKey, count: usize) -> Vec<f32> {
    /// Pairs at a time: enough for the compiler to vectorise, few enough to stay in cache.
    const BLOCK: usize = 128;
    let mut values = vec![0f32; count];
    let (mut high, mut low) = ([0u32; BLOCK], [0u32; BLOCK]);
    let (mut even, mut odd) = ([0f32; BLOCK], [0f32; BLOCK]);
    for (block, values) in values.chunks_mut(2 * BLOCK).enumerate() {
        for pair in 0..BLOCK {
            (high[pair], low[pair]) = hash(key, (block * BLOCK + pair) as u64);
        }
        for pair in 0..BLOCK {
            (even[pair], odd[pair]) = box_muller(high[pair], low[pair]);
        }
        let (pairs, last) = values.as_chunks_mut::<2>();
        for ((pair, &even), &odd) in pairs.iter_mut().zip(&even).zip(&odd) {
            *pair = [even, odd];
        }
        if let [last] = last {
            *last = even[pairs.len()];
        }
    }
    values
}

/// 64 bits for a pair of elements: SplitMix64 started at the key.
#[inline(always)]
fn hash(key: NoiseKey, pair: u64) -> (u32, u32) {
    let bits = key.hash(pair);
    ((bits >> 32) as u32, bits as u32)
}

/// Two independent standard normals from two uniform integers (Box and Muller 1958).
#[inline(always)]
fn box_muller(high: u32, low: u32) -> (f32, f32) {
    // 31 bits to a real in (0, 1]: the smallest is 2^-32, so no draw lies beyond 6.7.
    let uniform = ((high >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    let radius = (-2.0 * ln(uniform)).sqrt();
    // Two bits choose a quarter of the circle, thirty an angle from its middle in [-π/4, π/4).
    let quarter = low >> 30;
    let angle = ((low & 0x3fff_ffff) as i32 - 0x2000_0000) as f32 * (std::f32::consts::FRAC_PI_2 / 1_073_741_824.0);
    let (sine, cosine) = (sin(angle), cos(angle));
    // Rotate by whole quarters: exchange for odd ones, then the signs.
    let exchange = quarter & 1 != 0;
    let x = if exchange { sine } else { cosine };
    let y = if exchange { cosine } else { sine };
    let x = f32::from_bits(x.to_bits() ^ (((quarter + 1) & 2) << 30)); // minus in quarters 1 and 2
    let y = f32::from_bits(y.to_bits() ^ ((quarter & 2) << 30)); // minus in quarters 2 and 3
    (radius * x, radius * y)
}

/// Natural logarithm of a normal number in (0, 1].
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = m 2^e with m in [√½, √2): the exponent field counted from √½.
    const ROOT_HALF: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let exponent = (bits - ROOT_HALF) >> 23;
    let m = f32::from_bits((bits - (exponent << 23)) as u32);
    // ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + ..), s = (m - 1)/(m + 1), |s| < 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let series = ((((1.0 / 9.0 * z + 1.0 / 7.0) * z + 1.0 / 5.0) * z + 1.0 / 3.0) * z + 1.0) * s;
    exponent as f32 * std::f32::consts::LN_2 + (series + series)
}

/// Taylor's series, right to f32 for |x| ≤ π/4.
#[inline(always)]
fn sin(x: f32) -> f32 {
    let z = x * x;
    ((((1.0 / 362_880.0 * z - 1.0 / 5_040.0) * z + 1.0 / 120.0) * z - 1.0 / 6.0) * z) * x + x
}

/// Taylor's series, right to f32 for |x| ≤ π/4.
#[inline(always)]
fn cos(x: f32) -> f32 {
    let z = x * x;
    (((((-1.0 / 3_628_800.0) * z + 1.0 / 40_320.0) * z - 1.0 / 720.0) * z + 1.0 / 24.0) * z - 0.5) * z + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: NoiseKey = NoiseKey(20_221_106);

    #[test]
    fn the_whole_tensor_equals_its_elements() {
        for count in [0, 1, 2, 255, 256, 257, 1000] {
            let whole = normals(KEY, count);
            let each: Vec<f32> = (0..count as u64).map(|index| normal(KEY, index)).collect();
            assert!(whole.iter().zip(&each).all(|(a, b)| a.to_bits() == b.to_bits()), "{count}");
            assert_eq!(whole.len(), count);
        }
    }

    #[test]
    fn the_distribution_is_standard_normal() {
        let count = 400_000;
        let mut values: Vec<f64> = normals(KEY, count).iter().map(|&v| f64::from(v)).collect();
        let moment = |power: i32| values.iter().map(|v| v.powi(power)).sum::<f64>() / count as f64;
        // Four standard errors: of the mean 1/sqrt(n), then sqrt(2/n), sqrt(15/n), sqrt(96/n).
        let error = |variance: f64| 4.0 * (variance / count as f64).sqrt();
        assert!(moment(1).abs() < error(1.0), "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < error(2.0), "{}", moment(2));
        assert!(moment(3).abs() < error(15.0), "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < error(96.0), "{}", moment(4));
        // Kolmogorov and Smirnov's largest distance: 1.63 / sqrt(n) is passed with probability 0.99.
        values.sort_by(f64::total_cmp);
        let distance = |(rank, &value): (usize, &f64)| (cumulative(value) - (rank as f64 + 0.5) / count as f64).abs();
        let largest = values.iter().enumerate().map(distance).fold(0.0, f64::max);
        assert!(largest < 1.63 / (count as f64).sqrt(), "{largest}");
    }

    /// The normal distribution function, by its series (Marsaglia 2004).
    fn cumulative(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for k in 1..200 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn neighbours_and_other_keys_are_uncorrelated() {
        let count = 100_000;
        let base = normals(NoiseKey::new(0, "val/n03218198/a", 0), count);
        let check = |name: &str, other: &[f32]| {
            let pairs = base.iter().zip(other).map(|(&a, &b)| f64::from(a) * f64::from(b));
            let correlation = pairs.sum::<f64>() / count as f64;
            assert!(correlation.abs() < 4.0 / (count as f64).sqrt(), "{name}: {correlation}");
        };
        check("trial", &normals(NoiseKey::new(0, "val/n03218198/a", 1), count));
        check("seed", &normals(NoiseKey::new(1, "val/n03218198/a", 0), count));
        check("sample", &normals(NoiseKey::new(0, "val/n03218198/b", 0), count));
        check("next element", &base[1..]);
        check("next but one", &base[2..]);
        let squares: Vec<f32> = base.iter().map(|v| (v * v - 1.0) / std::f32::consts::SQRT_2).collect();
        check("square of the same", &squares);
        check("square of the next", &squares[1..]);
    }

    #[test]
    fn polynomials_are_right_to_the_last_bits() {
        let check = |got: f32, expected: f64| {
            let tolerance = 2e-7 * expected.abs().max(0.1);
            assert!((f64::from(got) - expected).abs() <= tolerance, "{got} for {expected}");
        };
        for step in 0..=10_000 {
            let angle = (step as f32 / 5_000.0 - 1.0) * std::f32::consts::FRAC_PI_4;
            check(sin(angle), f64::from(angle).sin());
            check(cos(angle), f64::from(angle).cos());
            let x = (step as f32 + 0.5) / 10_000.5;
            check(ln(x), f64::from(x).ln());
        }
        check(ln(1.0 / 4_294_967_296.0), -32.0 * std::f64::consts::LN_2);
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn extreme_draws_are_finite() {
        for high in [0, 1, u32::MAX - 1, u32::MAX] {
            for low in [0, 1, 0x2000_0000, 0x3fff_ffff, 0x4000_0000, 0x8000_0000, 0xc000_0000, u32::MAX] {
                let (x, y) = box_muller(high, low);
                assert!(x.abs() < 6.7 && y.abs() < 6.7, "{high} {low}: {x} {y}");
            }
        }
    }
}

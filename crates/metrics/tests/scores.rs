//! Properties of scores: order, intervals, edge cases.

use hard_imagenet_metrics::{Comparison, Estimate, Options, Record, Scores, compare, meta, score};
use proptest::prelude::*;

fn record(sample: usize, label: u32, condition: &str, trial: u32, correct: bool) -> Record {
    Record {
        sample: format!("val/{sample:04}"),
        label,
        class: format!("class {label}"),
        condition: condition.to_owned(),
        trial,
        prediction: Some(if correct { label } else { 1000 }),
        correct: Some(correct),
        confidence: Some(if correct { 0.75 } else { 0.25 }),
        ..Record::default()
    }
}

fn failed(sample: usize, label: u32, message: &str) -> Record {
    Record { error: Some(message.to_owned()), correct: None, ..record(sample, label, "none", 0, false) }
}

/// Returns bits for records that look random and are a function of the arguments.
fn bits(seed: u64, i: usize) -> u64 {
    let x = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (i as u64 + 1).wrapping_mul(0xd129_0d3b_3a5b_4f21);
    (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}

/// Makes a small run: clean, gray, both regions of one noise level with two trials, saliency on clean rows.
fn run(samples: usize, classes: u32, seed: u64) -> Vec<Record> {
    let mut records = Vec::new();
    for s in 0..samples {
        let label = s as u32 % classes;
        let mut one = |condition: &str, trial: u32, salt: u64| {
            let mut r = record(s, label, condition, trial, bits(seed ^ salt, s).is_multiple_of(3));
            if condition == "none" {
                r.map.set("iou", Some((bits(seed, s) % 1000) as f32 / 1000.0));
                let density = (bits(seed + 9, s) % 1000) as f32 / 500.0 - 1.0;
                r.map.set("delta_density", (s % 5 > 0).then_some(density));
            }
            records.push(r);
        };
        one("none", 0, 1);
        one("gray", 0, 2);
        for trial in 0..2 {
            one("noise:l2:30:fg", trial, 3 + u64::from(trial));
            one("noise:l2:30:bg", trial, 5 + u64::from(trial));
        }
    }
    records
}

fn all(scores: &Scores) -> impl Iterator<Item = (&str, Estimate)> {
    scores.metrics.iter().flat_map(|m| {
        let one = |s: &hard_imagenet_metrics::Score| {
            [s.sample_mean, s.class_mean].into_iter().chain(s.classes.clone()).flatten().collect::<Vec<_>>()
        };
        m.scores.iter().flat_map(one).map(|e| (m.id.as_str(), e))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn intervals_hold_their_values_and_stay_in_range(samples in 1usize..40, classes in 1u32..6, seed in 0u64..1000) {
        let scores = score(&run(samples, classes, seed), &Options { resamples: 50, ..Options::default() });
        for (id, e) in all(&scores) {
            let (from, to) = meta(id).unwrap().range;
            prop_assert!(from - 1e-9 <= e.low && e.low <= e.value && e.value <= e.high && e.high <= to + 1e-9, "{id} {e:?}");
            prop_assert!(e.low < e.high, "{id} {e:?} is certain of itself");
        }
    }

    #[test]
    fn order_does_not_matter(seed in 0u64..1000, by in 1usize..100) {
        let records = run(30, 3, seed);
        let mut other = records.clone();
        other.rotate_left(by);
        other.reverse();
        let options = Options { resamples: 20, ..Options::default() };
        prop_assert_eq!(score(&records, &options), score(&other, &options));
    }
}

#[test]
fn equal_records_give_equal_scores_and_another_seed_other_intervals() {
    let records = run(40, 4, 3);
    let first = score(&records, &Options::default());
    assert_eq!(first, score(&records, &Options::default()));
    let other = score(&records, &Options { seed: 1, ..Options::default() });
    let (a, b) = (first.headline("iou", "none").unwrap(), other.headline("iou", "none").unwrap());
    assert_eq!(a.value, b.value);
    assert_ne!((a.low, a.high), (b.low, b.high));
}

#[test]
fn scores_survive_json() {
    let mut records = run(12, 3, 5);
    records.push(failed(99, 1, "the image has no pixels"));
    let scores = score(&records, &Options::default());
    let text = serde_json::to_string(&scores).unwrap();
    assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), scores);
}

#[test]
fn the_bootstrap_agrees_with_the_standard_error() {
    // With 600 samples in one class, the interval of a mean is close to ±1.96 standard errors.
    let scores = score(&run(600, 1, 11), &Options { resamples: 4000, ..Options::default() });
    let e = scores.headline("iou", "none").unwrap();
    let half = 1.96 * (1.0 / 12f64).sqrt() / 600f64.sqrt();
    assert!(((e.high - e.low) / 2.0 / half - 1.0).abs() < 0.1, "{e:?}, expected half width {half}");
}

#[test]
fn trials_are_not_samples() {
    // Eight trials that all agree with each other contain no more information than one.
    let with_trials = |trials: u32| -> Vec<Record> {
        (0..40).flat_map(|s| (0..trials).map(move |t| record(s, 0, "noise:l2:30:fg", t, s % 2 == 0))).collect()
    };
    let width = |trials| {
        let e = score(&with_trials(trials), &Options::default()).headline("accuracy", "noise:l2:30:fg").unwrap();
        assert_eq!((e.value, e.n), (0.5, 40));
        e.high - e.low
    };
    assert!((width(8) / width(1) - 1.0).abs() < 0.1, "{} {}", width(8), width(1));
}

#[test]
fn samples_that_agree_are_still_uncertain() {
    let all_right = |condition: &str, trials: u32, correct: bool| -> Vec<Record> {
        (0..30)
            .flat_map(|s| (0..trials).map(move |t| (s, t)))
            .map(|(s, t)| record(s, s as u32 % 3, condition, t, correct))
            .collect()
    };
    let both = |fg: bool, bg: bool| [all_right("noise:l2:30:fg", 3, fg), all_right("noise:l2:30:bg", 3, bg)].concat();
    let unseen = 1.0 - 0.05f64.powf(1.0 / 30.0);

    let scores = score(&both(true, true), &Options::default());
    let accuracy = scores.get("accuracy", "noise:l2:30:fg").unwrap().class_mean.unwrap();
    assert_eq!((accuracy.value, accuracy.high), (1.0, 1.0));
    assert!((accuracy.low - (1.0 - unseen)).abs() < 1e-9);

    // With accuracies of 0 and 0, or of 1 and 1, RFS is 0 by definition and could be anything.
    for correct in [false, true] {
        let e = score(&both(correct, correct), &Options::default()).headline("rfs", "noise:l2:30").unwrap();
        assert_eq!((e.low, e.value, e.high), (-1.0, 0.0, 1.0));
    }
    // The noise changes nothing: the accuracies vary, but always together.
    let half = |condition: &str| -> Vec<Record> { (0..30).map(|s| record(s, 0, condition, 0, s % 2 == 0)).collect() };
    let e = score(&[half("noise:l2:30:fg"), half("noise:l2:30:bg")].concat(), &Options::default());
    let e = e.headline("rfs", "noise:l2:30").unwrap();
    assert!(e.low < -0.05 && e.value == 0.0 && 0.05 < e.high, "{e:?}");
    // With accuracies of 0 and 1, RFS is certainly high.
    let e = score(&both(false, true), &Options::default()).headline("rfs", "noise:l2:30").unwrap();
    assert_eq!((e.value, e.high), (1.0, 1.0));
    assert!(0.7 < e.low && e.low < 1.0, "{e:?}");
}

#[test]
fn classes_without_variation_are_still_uncertain() {
    // Each class is all right or all wrong, so stratified replicates never change.
    let records: Vec<Record> = (0..20).map(|s| record(s, s as u32 % 2, "none", 0, s % 2 == 0)).collect();
    let e = score(&records, &Options::default()).get("accuracy", "none").unwrap().class_mean.unwrap();
    assert!(e.low < 0.45 && e.value == 0.5 && 0.55 < e.high, "{e:?}");
}

#[test]
fn classes_have_equal_weight_in_the_class_mean() {
    // In class 0, 1 of 1 is right. In class 1, 0 of 9 are.
    let records: Vec<Record> = (0..10).map(|s| record(s, u32::from(s > 0), "none", 0, s == 0)).collect();
    let scores = score(&records, &Options::default());
    let accuracy = scores.get("accuracy", "none").unwrap();
    assert_eq!(accuracy.sample_mean.unwrap().value, 0.1);
    assert_eq!(accuracy.class_mean.unwrap().value, 0.5);
    assert_eq!(accuracy.classes.iter().map(|e| e.unwrap().value).collect::<Vec<_>>(), [1.0, 0.0]);
}

#[test]
fn drops_are_paired_by_sample() {
    // Sample 2 has no gray record, so it does not count as lost.
    let records = [
        record(0, 0, "none", 0, true),
        record(0, 0, "gray", 0, false),
        record(1, 0, "none", 0, true),
        record(1, 0, "gray", 0, true),
        record(2, 0, "none", 0, true),
    ];
    let scores = score(&records, &Options::default());
    let drop = scores.headline("drop", "gray").unwrap();
    assert_eq!((drop.value, drop.n), (0.5, 2));
    assert_eq!(scores.headline("relative-drop", "gray").unwrap().value, 0.5);
    assert_eq!(scores.headline("accuracy", "none").unwrap().n, 3);
    assert_eq!((scores.counts.samples, scores.counts.complete), (3, 2));
    // A clean accuracy of 0 has no relative drop.
    let scores = score(&[record(0, 0, "none", 0, false), record(0, 0, "gray", 0, false)], &Options::default());
    assert_eq!(scores.headline("relative-drop", "gray"), None);
    assert_eq!(scores.headline("drop", "gray").unwrap().value, 0.0);
}

#[test]
fn missing_predictions_are_wrong_and_missing_scores_are_skipped() {
    let mut records: Vec<Record> = (0..4).map(|s| record(s, 0, "none", 0, true)).collect();
    records[0].prediction = None;
    records[0].correct = None;
    records[0].confidence = Some(f32::NAN);
    records[1].map.set("iou", Some(0.25));
    records[2].map.set("iou", Some(0.75));
    let scores = score(&records, &Options::default());
    assert_eq!(scores.headline("accuracy", "none").unwrap().value, 0.75);
    assert_eq!(scores.headline("confidence", "none").unwrap().n, 3);
    let iou = scores.get("iou", "none").unwrap();
    assert_eq!((iou.sample_mean.unwrap().value, iou.sample_mean.unwrap().n, iou.skipped), (0.5, 2, 2));
    assert!(scores.all("delta-density").is_empty());
}

#[test]
fn failures_and_duplicates_are_counted() {
    let records = [
        record(0, 0, "none", 0, true),
        record(0, 0, "none", 0, false),
        failed(1, 4, "mask missing"),
        failed(1, 4, "mask missing"),
    ];
    let scores = score(&records, &Options::default());
    assert_eq!(scores.headline("accuracy", "none").unwrap().value, 1.0);
    let counts = scores.counts;
    assert_eq!((counts.records, counts.samples, counts.failed, counts.duplicates), (4, 1, 1, 1));
    assert_eq!(scores.failures.len(), 1);
    assert_eq!(scores.failures[0].message, "mask missing");
    // The class of the failed sample is listed without a value.
    assert_eq!(scores.classes.iter().map(|c| c.samples).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(scores.get("accuracy", "none").unwrap().classes[1], None);
}

#[test]
fn no_records_give_no_scores() {
    let scores = score(&[], &Options::default());
    assert_eq!(scores.counts.samples, 0);
    assert!(scores.metrics.iter().all(|m| m.scores.is_empty()));
    assert_eq!(compare(&[], &[], &Options::default()).samples, 0);
    let scores = score(&run(3, 1, 1), &Options { resamples: 0, ..Options::default() });
    assert!(scores.headline("iou", "none").is_some());
}

#[test]
fn differences_are_paired_over_runs() {
    let first = run(60, 3, 1);
    let same = compare(&first, &first, &Options::default());
    assert_eq!(same.samples, 60);
    let value = |c: &Comparison, metric: &str| {
        c.metrics.iter().find(|m| m.id == metric).unwrap().differences[0].sample_mean.unwrap().estimate
    };
    assert_eq!(value(&same, "iou").value, 0.0);

    // Other labels sort the samples differently. The IoU is higher by 0.125 everywhere.
    let mut second = first.clone();
    for r in &mut second {
        r.label = 900 - r.label;
        r.map.set("iou", r.map.get("iou").map(|v| v + 0.125));
    }
    second.retain(|r| r.sample != "val/0007");
    let other = compare(&second, &first, &Options::default());
    assert_eq!(other.samples, 59);
    let difference = value(&other, "iou");
    assert!((difference.value - 0.125).abs() < 1e-6, "{difference:?}");
    assert!(difference.low > 0.0);
}

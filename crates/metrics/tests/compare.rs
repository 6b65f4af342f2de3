//! Differences between runs: tests, effect sizes, and agreement with other ways to compute them.

use hard_imagenet_metrics::*;
use serde_json::Value;

fn record(sample: usize, condition: &str, correct: bool) -> Record {
    Record {
        sample: format!("val/{sample:04}"),
        label: sample as u32 % 4,
        class: format!("class {}", sample % 4),
        condition: condition.to_owned(),
        trial: 0,
        prediction: Some(if correct { sample as u32 % 4 } else { 1000 }),
        correct: Some(correct),
        confidence: Some(if correct { 0.75 } else { 0.25 }),
        ..Record::default()
    }
}

/// Makes 40 samples under a condition.
fn run(condition: &str, right: impl Fn(usize) -> bool) -> Vec<Record> {
    (0..40).map(|s| record(s, condition, right(s))).collect()
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn permuted_accuracies_agree_with_mcnemar() {
    // Only the first run has nine samples right, only the second has two: few enough to try all swaps, like the exact
    // test.
    let first = run("none", |s| !(30..38).contains(&s));
    let second = run("none", |s| (9..30).contains(&s) || (30..32).contains(&s) || s >= 38);
    let comparison = compare(&first, &second, &Options::default());
    let accuracy = comparison.get("accuracy", "none").unwrap();
    let test = accuracy.mcnemar.unwrap();
    assert_eq!((test.first_only, test.second_only), (9, 2));
    let effect = accuracy.sample_mean.unwrap();
    close(effect.estimate.value, 7.0 / 40.0);
    close(effect.p, test.exact_p);
    // The differences are 1 nine times, -1 twice and 0 twenty-nine times.
    let deviation = ((11.0 - 49.0 / 40.0) / 39.0f64).sqrt();
    close(effect.size.unwrap(), 7.0 / 40.0 / deviation);
    assert_eq!(effect.images_needed, ImagesNeeded::accuracy(7.0 / 40.0, 11.0 / 40.0));
    // Confidence is not right or wrong, but it is paired in the same way.
    let confidence = comparison.get("confidence", "none").unwrap();
    assert_eq!(confidence.mcnemar, None);
    close(confidence.sample_mean.unwrap().p, test.exact_p);
    close(confidence.sample_mean.unwrap().size.unwrap(), effect.size.unwrap());
}

#[test]
fn classes_are_corrected_for_their_number() {
    let comparison = compare(&run("none", |_| true), &run("none", |s| s % 4 != 0), &Options::default());
    let classes = &comparison.get("accuracy", "none").unwrap().classes;
    let p: Vec<(f64, f64)> = classes.iter().map(|e| (e.unwrap().p, e.unwrap().p_corrected.unwrap())).collect();
    // All ten samples differ in one class: 2 of 1024 swaps are as far from 0.
    assert_eq!(p, [(2.0 / 1024.0, 8.0 / 1024.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]);
    assert_eq!(classes[0].unwrap().size, None, "ten equal differences have no deviation");
}

#[test]
fn equal_runs_do_not_differ() {
    let records =
        [run("none", |s| s % 3 > 0), run("noise:l2:30:fg", |s| s % 3 == 0), run("noise:l2:30:bg", |s| s < 20)];
    let comparison = compare(&records.concat(), &records.concat(), &Options::default());
    for difference in comparison.metrics.iter().flat_map(|m| &m.differences) {
        let means = [difference.sample_mean, difference.class_mean].into_iter().chain(difference.classes.clone());
        for effect in means.flatten() {
            assert_eq!((effect.estimate.value, effect.p, effect.images_needed), (0.0, 1.0, None));
        }
    }
    let text = serde_json::to_string(&comparison).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), comparison);
}

#[test]
fn swapping_the_runs_negates_differences() {
    let first = [run("noise:l2:30:fg", |s| s % 3 == 0), run("noise:l2:30:bg", |s| s % 7 < 5)].concat();
    let second = [run("noise:l2:30:fg", |s| s % 5 < 3), run("noise:l2:30:bg", |s| s % 2 == 0)].concat();
    let rfs = |a, b| compare(a, b, &Options::default()).get("rfs", "noise:l2:30").unwrap().class_mean.unwrap();
    let (there, back) = (rfs(&first, &second), rfs(&second, &first));
    close(there.estimate.value, -back.estimate.value);
    close(there.p, back.p);
    close(there.size.unwrap(), -back.size.unwrap());
    assert!(there.estimate.value > 0.3 && there.p < 0.05, "{there:?}");
}

#[test]
fn two_conditions_are_compared_as_their_drop() {
    let records = [run("none", |s| s % 5 > 0), run("gray", |s| s % 4 > 1)].concat();
    let options = Options::default();
    let difference = compare_conditions(&records, "accuracy", "none", "gray", &options).unwrap();
    let scores = score(&records, &options);
    let drop = scores.get("drop", "gray").unwrap();
    for (effect, estimate) in [(difference.sample_mean, drop.sample_mean), (difference.class_mean, drop.class_mean)] {
        let (difference, drop) = (effect.unwrap().estimate, estimate.unwrap());
        close(difference.value, drop.value);
        close(difference.low, drop.low);
        close(difference.high, drop.high);
    }
    assert_eq!(difference.condition, "none − gray");
    assert!(difference.mcnemar.is_some());
    assert_eq!(compare_conditions(&records, "accuracy", "none", "tile", &options), None);
    assert_eq!(compare_conditions(&records, "no metric", "none", "gray", &options), None);
}

#[test]
fn contrasts_of_proportions_have_newcombes_interval() {
    let golden: Value = serde_json::from_str(include_str!("golden/statistics.json")).unwrap();
    let scores = |right: &Value, samples: &Value| {
        let (right, samples) = (right.as_u64().unwrap() as usize, samples.as_u64().unwrap() as usize);
        // With one class, each has Wilson's interval.
        let one = |s| Record { label: 0, class: "class 0".into(), ..record(s, "none", s < right) };
        let records: Vec<Record> = (0..samples).map(one).collect();
        score(&records, &Options { resamples: 10, ..Options::default() })
    };
    for case in golden["newcombe"].as_array().unwrap() {
        let counts = &case["counts"];
        let (first, second) = (scores(&counts[0], &counts[1]), scores(&counts[2], &counts[3]));
        let contrast = contrast(&first, &second);
        let estimate = contrast.get("accuracy", "none").unwrap().mean(Averaging::Sample).unwrap();
        close(estimate.low, case["interval"][0].as_f64().unwrap());
        close(estimate.high, case["interval"][1].as_f64().unwrap());
        assert_eq!(contrast.get("accuracy", "gray"), None);
    }
}

//! Numbers of the published code: relative foreground sensitivity, and the protocol that averages over classes.

use hard_imagenet_metrics::{Options, Record, rfs, score};

/// Foreground accuracy, background accuracy, RFS.
#[rustfmt::skip]
const TABLE: [(f64, f64, f64); 30] = [
    (0.0, 0.0, 0.0),
    (0.0, 0.05, 1.0),
    (0.0, 0.25, 1.0),
    (0.0, 0.6, 1.0),
    (0.0, 0.99, 1.0),
    (0.0, 1.0, 1.0),
    (0.1, 0.0, -1.0),
    (0.1, 0.05, -0.3333333333333333),
    (0.1, 0.25, 0.4285714285714286),
    (0.1, 0.6, 0.7142857142857143),
    (0.1, 0.99, 0.9780219780219781),
    (0.1, 1.0, 1.0000000000000002),
    (0.5, 0.0, -1.0),
    (0.5, 0.05, -0.8181818181818181),
    (0.5, 0.25, -0.3333333333333333),
    (0.5, 0.6, 0.11111111111111109),
    (0.5, 0.99, 0.9607843137254901),
    (0.5, 1.0, 1.0),
    (0.75, 0.0, -1.0),
    (0.75, 0.05, -0.8749999999999999),
    (0.75, 0.25, -0.5),
    (0.75, 0.6, -0.23076923076923084),
    (0.75, 0.99, 0.923076923076923),
    (0.75, 1.0, 1.0),
    (1.0, 0.0, -1.0),
    (1.0, 0.05, -1.0),
    (1.0, 0.25, -1.0),
    (1.0, 0.6, -1.0000000000000002),
    (1.0, 0.99, -1.0),
    (1.0, 1.0, 0.0),
];

#[test]
fn rfs_of_two_accuracies() {
    for (foreground, background, expected) in TABLE {
        let value = rfs(foreground, background);
        assert!((value - expected).abs() < 1e-12, "rfs({foreground}, {background}) = {value}, expected {expected}");
    }
}

// Which predictions are right, for ten samples of four classes with three trials.
const LABELS: [u32; 10] = [537, 537, 379, 379, 379, 785, 785, 785, 785, 795];
#[rustfmt::skip]
const FOREGROUND: [[u8; 10]; 3] = [
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 1, 0, 1],
    [0, 0, 1, 0, 0, 1, 0, 0, 1, 0],
];
#[rustfmt::skip]
const BACKGROUND: [[u8; 10]; 3] = [
    [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [1, 0, 1, 1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1, 0, 1, 1],
];

fn records() -> Vec<Record> {
    let mut records = Vec::new();
    for (condition, trials) in [("noise:linf:0.25:fg", FOREGROUND), ("noise:linf:0.25:bg", BACKGROUND)] {
        for (trial, row) in trials.iter().enumerate() {
            for (sample, correct) in row.iter().enumerate() {
                records.push(Record {
                    sample: format!("val/{sample}"),
                    label: LABELS[sample],
                    class: LABELS[sample].to_string(),
                    condition: condition.to_owned(),
                    trial: trial as u32,
                    prediction: Some(if *correct == 1 { LABELS[sample] } else { 0 }),
                    correct: Some(*correct == 1),
                    ..Record::default()
                });
            }
        }
    }
    records
}

#[test]
fn protocol_averages_over_classes_and_trials() {
    let scores = score(&records(), &Options::default());
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    let accuracy = |region: &str| scores.get("accuracy", &format!("noise:linf:0.25:{region}")).unwrap();
    close(accuracy("fg").class_mean.unwrap().value, 0.2152777777777778);
    close(accuracy("bg").class_mean.unwrap().value, 0.8958333333333333);
    close(accuracy("fg").sample_mean.unwrap().value, 0.2);
    close(accuracy("bg").sample_mean.unwrap().value, 0.9);
    close(scores.headline("rfs", "noise:linf:0.25").unwrap().value, 0.765625);
    let classes: Vec<f64> = accuracy("fg").classes.iter().map(|e| e.unwrap().value).collect();
    for (value, expected) in
        classes.into_iter().zip([0.1111111111111111, 0.16666666666666666, 0.25, 0.3333333333333333])
    {
        close(value, expected);
    }
}

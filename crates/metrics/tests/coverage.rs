//! Simulates how often the intervals contain the true value. Intervals of 95 % should do so 93 to 97 % of the time.
//!
//! This command prints the table of all cases (it takes minutes):
//!
//!     cargo test -p hard-imagenet-metrics --release --test coverage -- --ignored --nocapture
#![allow(clippy::disallowed_macros, reason = "a test may print and read its settings")]

use hard_imagenet_cpu::random::{Stream, StreamReader};
use hard_imagenet_metrics::{Estimate, Options, Record, score};

/// What is simulated. See `Population::sample` for the meaning of the numbers.
#[derive(Clone, Copy)]
enum Kind {
    /// One trial that is right with this probability.
    Bernoulli(f64),
    /// One trial that is almost never right in the first class and almost always in the last: half of the time overall.
    Unlike,
    /// Three trials that agree with probability 1/2 and are independent otherwise.
    Trials(f64),
    /// A saliency score in [0, 1]: a power of a uniform number, skewed if the power is far from 1.
    Power(i32),
    /// A clean image that is right with the first probability and, if so, right under gray with the second.
    Drop(f64, f64),
    /// Three trials with noise on the object, right with the first probability, and off it, right with the second. An
    /// image that is easier for one is easier for the other.
    Rfs(f64, f64),
}

struct Case {
    kind: Kind,
    /// Number of samples in each class.
    samples: usize,
    classes: usize,
}

impl Case {
    /// Returns metric, condition and true value.
    fn truth(&self) -> (&'static str, &'static str, f64) {
        match self.kind {
            Kind::Bernoulli(p) => ("accuracy", "none", p),
            Kind::Unlike => ("accuracy", "none", 0.5),
            Kind::Trials(p) => ("accuracy", "noise:l2:30:fg", p),
            Kind::Power(power) => ("iou", "none", 1.0 / f64::from(power + 1)),
            Kind::Drop(clean, kept) => ("drop", "gray", clean * (1.0 - kept)),
            Kind::Rfs(fg, bg) => ("rfs", "noise:l2:30", hard_imagenet_metrics::rfs(fg, bg)),
        }
    }

    fn records(&self, draws: &mut StreamReader) -> Vec<Record> {
        let mut records = Vec::new();
        for s in 0..self.samples * self.classes {
            let mut one = |condition: &str, trial: u32, correct: bool, iou: Option<f32>| {
                let label = (s % self.classes) as u32;
                records.push(Record {
                    sample: s.to_string(),
                    label,
                    class: String::new(),
                    condition: condition.to_owned(),
                    trial,
                    prediction: Some(label + u32::from(!correct)),
                    correct: Some(correct),
                    map: iou.map(|value| ("iou", value)).into_iter().collect(),
                    ..Record::default()
                });
            };
            match self.kind {
                Kind::Bernoulli(p) => one("none", 0, draws.next_unit() < p, None),
                Kind::Unlike => {
                    let p = ((s % self.classes) as f64 + 0.5) / self.classes as f64;
                    one("none", 0, draws.next_unit() < p, None);
                }
                Kind::Trials(p) => {
                    let (together, shared) = (draws.next_unit() < 0.5, draws.next_unit());
                    for trial in 0..3 {
                        let own = draws.next_unit();
                        one("noise:l2:30:fg", trial, if together { shared } else { own } < p, None);
                    }
                }
                Kind::Power(power) => one("none", 0, false, Some(draws.next_unit().powi(power) as f32)),
                Kind::Drop(clean, kept) => {
                    let right = draws.next_unit() < clean;
                    one("none", 0, right, None);
                    one("gray", 0, right && draws.next_unit() < kept, None);
                }
                Kind::Rfs(fg, bg) => {
                    let (together, shared) = (draws.next_unit() < 0.5, draws.next_unit());
                    for trial in 0..3 {
                        for (condition, p) in [("noise:l2:30:fg", fg), ("noise:l2:30:bg", bg)] {
                            let own = draws.next_unit();
                            one(condition, trial, if together { shared } else { own } < p, None);
                        }
                    }
                }
            }
        }
        records
    }

    /// Returns how often, out of `runs`, the intervals over samples, over classes and in a class contain the true
    /// value.
    fn coverage(&self, runs: u64, resamples: u32) -> [f64; 3] {
        let (metric, condition, truth) = self.truth();
        let mut held = [0u64; 3];
        for run in 0..runs {
            let records = self.records(&mut Stream::new(run << 32).reader());
            let scores = score(&records, &Options { resamples, seed: run, ..Options::default() });
            let score = scores.get(metric, condition).unwrap();
            let holds = |e: Option<Estimate>| e.is_some_and(|e| e.low - 1e-9 <= truth && truth <= e.high + 1e-9);
            for (held, estimate) in held.iter_mut().zip([score.sample_mean, score.class_mean, score.classes[0]]) {
                *held += u64::from(holds(estimate));
            }
        }
        held.map(|held| 100.0 * held as f64 / runs as f64)
    }

    fn name(&self) -> String {
        let (metric, condition, truth) = self.truth();
        let what = match self.kind {
            Kind::Bernoulli(_) => "one trial",
            Kind::Unlike => "one trial, different classes",
            Kind::Trials(_) => "three trials",
            Kind::Power(_) => "skewed",
            Kind::Drop(..) => "paired",
            Kind::Rfs(..) => "three trials",
        };
        format!("{metric} {condition} of {truth:.3}, {what}, {} x {}", self.classes, self.samples)
    }
}

const KINDS: [Kind; 19] = [
    Kind::Unlike,
    Kind::Bernoulli(0.5),
    Kind::Bernoulli(0.8),
    Kind::Bernoulli(0.95),
    Kind::Trials(0.5),
    Kind::Trials(0.1),
    Kind::Trials(0.95),
    Kind::Trials(0.98),
    Kind::Power(1),
    Kind::Power(2),
    Kind::Power(5),
    Kind::Drop(0.9, 0.8),
    Kind::Drop(0.9, 0.5),
    Kind::Drop(0.95, 0.97),
    Kind::Rfs(0.5, 0.6),
    Kind::Rfs(0.3, 0.8),
    Kind::Rfs(0.7, 0.95),
    Kind::Rfs(0.9, 0.95),
    Kind::Rfs(0.05, 0.2),
];

#[test]
fn intervals_hold_the_truth() {
    let check = |kind: Kind, classes: usize, samples: usize| {
        let case = Case { kind, samples, classes };
        let [over_samples, over_classes, _] = case.coverage(800, 200);
        // 93 to 97 %, extended by twice the standard error of 800 runs.
        for coverage in [over_samples, over_classes] {
            assert!((91.5..98.5).contains(&coverage), "{}: {coverage} %", case.name());
        }
    };
    check(Kind::Bernoulli(0.8), 1, 50);
    check(Kind::Bernoulli(0.8), 10, 5);
    check(Kind::Unlike, 10, 20);
    check(Kind::Trials(0.95), 1, 50);
    check(Kind::Power(2), 10, 5);
    check(Kind::Drop(0.9, 0.8), 10, 5);
    check(Kind::Rfs(0.7, 0.95), 1, 50);
}

#[test]
#[ignore = "minutes: cargo test -p hard-imagenet-metrics --release --test coverage -- --ignored --nocapture"]
fn table_of_coverages() {
    println!("| case, classes x samples | over samples | over classes | in a class |\n|---|---|---|---|");
    for (classes, samples) in [(1, 50), (10, 5), (1, 200), (15, 10), (1, 20), (15, 50)] {
        for kind in KINDS {
            let case = Case { kind, samples, classes };
            let runs = if classes * samples > 200 { 400 } else { 1000 };
            let [over_samples, over_classes, class] = case.coverage(runs, 400);
            println!("| {} | {over_samples:.1} | {over_classes:.1} | {class:.1} |", case.name());
        }
    }
}

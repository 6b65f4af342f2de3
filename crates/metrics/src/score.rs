use crate::estimate::{Estimate, estimate};
use crate::quantity::Quantity;
use crate::{Averaging, Class, Failure, Measure, Metric, MetricDescription, Record, Records, meta, metrics};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How intervals are computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Number of bootstrap replicates. The default is 1000.
    pub resamples: u32,
    /// The probability that an interval should cover, in (0, 1). The default is 0.95.
    pub confidence: f64,
    /// Seed of the bootstrap. Equal seeds give equal intervals. The default is 0.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { resamples: 1000, confidence: 0.95, seed: 0 }
    }
}

/// All scores of a run, as stored in `scores.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// How the intervals were computed.
    pub options: Options,
    /// How much was scored.
    pub counts: Counts,
    /// What could not be evaluated, and why.
    pub failures: Vec<Failure>,
    /// The classes, in the order of every [`Score::classes`].
    pub classes: Vec<Class>,
    /// The conditions that were run, in reading order.
    pub conditions: Vec<String>,
    /// The scores of each metric.
    pub metrics: Vec<MetricScores>,
}

/// How much was scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Number of records.
    pub records: usize,
    /// Number of samples with at least one record without an error.
    pub samples: usize,
    /// Number of samples with as many trials under every condition as any other. It is less than `samples` if the run
    /// stopped early or failed in parts.
    pub complete: usize,
    /// Number of samples with at least one error.
    pub failed: usize,
    /// Number of records that were dropped because they repeat the sample, condition and trial of another.
    pub duplicates: usize,
    /// Number of things that are suspicious about the run. Records do not show them all, so [`score`](crate::score) leaves 0.
    #[serde(default)]
    pub findings: usize,
}

/// The scores of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricScores {
    /// The metric's id; [`meta`] describes the built-in ones.
    pub id: String,
    /// What the metric is, unless it is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<MetricDescription>,
    /// One score for each condition that the metric applies to.
    pub scores: Vec<Score>,
}

/// One metric under one condition. Undefined values are `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The condition; "noise:linf:0.25", without a region, for scores that need both regions.
    pub condition: String,
    /// The mean over all samples, each with the same weight.
    pub sample_mean: Option<Estimate>,
    /// The mean over all classes, each with the same weight.
    pub class_mean: Option<Estimate>,
    /// The mean in each class.
    pub classes: Vec<Option<Estimate>>,
    /// Number of samples that were run under the condition but for which the metric is undefined.
    pub skipped: usize,
}

impl Score {
    /// Returns the mean over samples or over classes.
    pub fn mean(&self, average: Averaging) -> Option<Estimate> {
        match average {
            Averaging::Sample => self.sample_mean,
            Averaging::Class => self.class_mean,
        }
    }
}

impl Scores {
    /// Returns the score of a metric under a condition, or `None` if it was not measured.
    pub fn get(&self, metric: &str, condition: &str) -> Option<&Score> {
        self.all(metric).iter().find(|s| s.condition == condition)
    }

    /// Returns the scores of a metric under all conditions that it applies to.
    pub fn all(&self, metric: &str) -> &[Score] {
        self.metrics.iter().find(|m| m.id == metric).map_or(&[], |m| &m.scores)
    }

    /// Returns the number that the paper would quote, which is the metric's own average.
    ///
    /// Accuracy under ablations is averaged over samples, relative foreground sensitivity over classes (Q8).
    pub fn headline(&self, metric: &str, condition: &str) -> Option<Estimate> {
        self.get(metric, condition)?.mean(self.describe(metric).map_or(Averaging::Sample, |m| m.average))
    }

    /// Returns what a metric is, whether built in or not; `None` if it is not among the scores and not built in.
    pub fn describe(&self, metric: &str) -> Option<MetricDescription> {
        let stored = self.metrics.iter().find(|m| m.id == metric).and_then(|m| m.description.clone());
        stored.or_else(|| meta(metric).map(MetricDescription::from))
    }

    /// Sorts the conditions, and the scores of each metric by condition. Equal conditions keep their order.
    ///
    /// Scores are computed in [`condition_order`](crate::condition_order). A caller that knows more about the
    /// conditions can sort them as people read them.
    pub fn sort_conditions(&mut self, order: impl Fn(&str, &str) -> Ordering) {
        self.conditions.sort_by(|a, b| order(a, b));
        for metric in &mut self.metrics {
            metric.scores.sort_by(|a, b| order(&a.condition, &b.condition));
        }
    }
}

/// Scores records by all [`metrics`].
///
/// The result does not depend on the order of the records or on how they were sharded. An empty slice gives scores
/// without entries.
pub fn score(records: &[Record], options: &Options) -> Scores {
    score_with(records, options, &metrics().collect::<Vec<_>>())
}

/// Scores records by the given metrics, which may be built in or not.
///
/// To add a metric to the built-in ones, pass them all:
///
/// ```
/// # use hard_imagenet_metrics::{Metric, Options, Record, Scores, metrics, score_with};
/// # fn example(own: &dyn Metric, records: &[Record]) -> Scores {
/// let mut all: Vec<&dyn Metric> = metrics().map(|metric| metric as _).collect();
/// all.push(own);
/// score_with(records, &Options::default(), &all)
/// # }
/// ```
pub fn score_with(records: &[Record], options: &Options, metrics: &[&dyn Metric]) -> Scores {
    let count = records.len();
    let records = Records::new(records);
    let measures: Vec<Vec<Measure>> = metrics.iter().map(|metric| metric.measure(&records)).collect();
    let quantities: Vec<Quantity> =
        measures.iter().flatten().map(|measure| Quantity { measure, minus: None }).collect();
    let mut estimates = estimate(&quantities, &records, options).into_iter();
    let metrics = metrics
        .iter()
        .zip(&measures)
        .map(|(metric, measures)| MetricScores {
            id: metric.meta().id.to_owned(),
            description: MetricDescription::unless_built_in(*metric),
            scores: measures
                .iter()
                .zip(&mut estimates)
                .map(|(measure, estimates)| to_score(measure, estimates))
                .collect(),
        })
        .collect();
    Scores {
        options: *options,
        counts: counts(count, &records),
        failures: records.failures().to_vec(),
        classes: records.classes().to_vec(),
        conditions: records.conditions().to_vec(),
        metrics,
    }
}

pub(crate) fn to_score(measure: &Measure, estimates: crate::estimate::Estimates) -> Score {
    Score {
        condition: measure.condition.clone(),
        sample_mean: estimates.sample_mean,
        class_mean: estimates.class_mean,
        classes: estimates.classes,
        skipped: measure.skipped,
    }
}

fn counts(count: usize, records: &Records) -> Counts {
    let mut failed: Vec<&str> = records.failures().iter().map(|f| f.sample.as_str()).collect();
    failed.dedup();
    Counts {
        records: count,
        samples: records.samples().len(),
        complete: records.complete(),
        failed: failed.len(),
        duplicates: records.duplicates(),
        findings: 0,
    }
}

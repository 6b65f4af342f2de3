use crate::{Cell, Contribution, Records};
use serde::{Deserialize, Serialize};

mod accuracy;
mod accuracy_top5;
mod accuracy_within;
mod background_gap;
mod calibration_error;
mod confidence;
mod confidence_drop;
mod drop;
mod irfs;
mod map_metric;
mod object_fraction;
mod relative_drop;
mod rfs;
mod rfs_mean;

pub use irfs::irfs;
pub use rfs::rfs;

/// The metrics of predictions. A new metric is a file and a line here.
const METRICS: &[&dyn Metric] = &[
    &accuracy::Accuracy,
    &accuracy_top5::AccuracyTop5,
    &accuracy_within::AccuracyWithin,
    &drop::Drop,
    &relative_drop::RelativeDrop,
    &confidence_drop::ConfidenceDrop,
    &background_gap::BackgroundGap,
    &rfs::RelativeForegroundSensitivity,
    &rfs_mean::MeanForegroundSensitivity,
    &irfs::ImageForegroundSensitivity,
    &confidence::Confidence,
    &calibration_error::CalibrationError,
    &object_fraction::ObjectFraction,
];

/// Iterates over every metric that [`score`](crate::score) computes: those of predictions, then those of saliency maps,
/// one for each of [`map_scores`](crate::map_scores).
pub fn metrics() -> impl Iterator<Item = &'static dyn Metric> + Clone {
    METRICS.iter().copied().chain(map_metric::ALL.iter().map(|metric| metric as &dyn Metric))
}

/// Returns the description of the built-in metric with that id.
pub fn meta(id: &str) -> Option<&'static MetricMeta> {
    metrics().map(|metric| metric.meta()).find(|meta| meta.id == id)
}

/// Something that can be measured on records.
///
/// A metric states what each sample contributes ([`Measure`]). Averages and intervals are computed from that in the
/// same way for all metrics.
///
/// Metrics can be written outside this crate: [`score_with`](crate::score_with) accepts them. This one measures how
/// often a model is certain and wrong:
///
/// ```
/// use hard_imagenet_metrics::{
///     Averaging, Better, Contribution, Measure, Metric, MetricMeta, Options, Record, Records, Unit, score_with,
/// };
///
/// struct CertainAndWrong;
///
/// static META: MetricMeta = MetricMeta {
///     id: "certain-and-wrong",
///     title: "Certain and wrong",
///     unit: Unit::Percent,
///     range: (0.0, 1.0),
///     better: Better::Lower,
///     average: Averaging::Sample,
///     formula: "wrong predictions of probability above 0.9 / predictions",
///     source: "an example",
///     description: "Share of images whose prediction is wrong and has a probability above 0.9.",
/// };
///
/// impl Metric for CertainAndWrong {
///     fn meta(&self) -> &'static MetricMeta {
///         &META
///     }
///
///     fn measure(&self, records: &Records) -> Vec<Measure> {
///         Measure::means(records, META.range, |cell| Contribution {
///             sum: cell.certainty.iter().filter(|(certainty, right)| *certainty > 0.9 && !right).count() as f64,
///             count: cell.certainty.len() as f64,
///         })
///     }
/// }
///
/// let record = |sample: &str, certainty: f32, correct: bool| Record {
///     sample: sample.into(),
///     condition: "none".into(),
///     certainty: Some(certainty),
///     correct: Some(correct),
///     ..Record::default()
/// };
/// let records = [record("a", 0.95, false), record("b", 0.6, false), record("c", 0.99, true), record("d", 0.97, true)];
/// let scores = score_with(&records, &Options::default(), &[&CertainAndWrong]);
/// assert_eq!(scores.headline("certain-and-wrong", "none").unwrap().value, 0.25);
/// ```
pub trait Metric: Send + Sync {
    /// Returns what the metric is.
    fn meta(&self) -> &'static MetricMeta;

    /// Returns what every sample contributes, condition by condition. Conditions that the metric does not apply to are
    /// absent.
    fn measure(&self, records: &Records) -> Vec<Measure>;

    /// Returns the version of the definition. Change it whenever values change, so that stored scores are recognized as
    /// outdated.
    fn version(&self) -> &'static str {
        "1"
    }
}

/// The description of a metric for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricMeta {
    /// The name in scores: "accuracy".
    pub id: &'static str,
    /// The name in tables and figures: "Accuracy".
    pub title: &'static str,
    /// How values are written.
    pub unit: Unit,
    /// The lowest and the highest possible value.
    pub range: (f64, f64),
    /// Which end of the range is better.
    pub better: Better,
    /// The average that the paper quotes.
    pub average: Averaging,
    /// The definition as a formula.
    pub formula: &'static str,
    /// The source of the definition.
    pub source: &'static str,
    /// What the metric measures, in one or two sentences.
    pub description: &'static str,
}

/// How values are written. They are stored as computed: an accuracy of 50 % is stored as 0.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A share, written in percent.
    Percent,
    /// A difference of shares, written in percentage points.
    Points,
    /// A plain number.
    Number,
}

/// Which end of the range is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Higher values are better.
    Higher,
    /// Lower values are better.
    Lower,
    /// Neither end is better in general.
    Neither,
}

/// How samples are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Averaging {
    /// Every sample has the same weight.
    Sample,
    /// Every class has the same weight.
    Class,
}

/// What each sample contributes to a metric under a condition.
///
/// For a group of samples, each column has a mean: the sum of its sums divided by the sum of its counts. The value of
/// the metric is `combine` of these means. The class average first takes the mean over classes of each column and then
/// combines them.
#[derive(Clone, Debug)]
pub struct Measure {
    /// The condition, or "noise:linf:0.25" for a score of both regions.
    pub condition: String,
    /// One or several columns with a contribution of each sample of the [`Records`].
    pub columns: Vec<Vec<Contribution>>,
    /// Computes the value from the mean of each column; `None` where it is undefined.
    pub combine: fn(&[f64]) -> Option<f64>,
    /// The lowest and the highest value that a sample can have in a column.
    pub range: (f64, f64),
    /// Number of samples that were run under the condition but for which the metric is undefined.
    pub skipped: usize,
}

impl Measure {
    /// Returns the plain mean of one value per sample, computed from the cells of a condition, or `None` if no sample
    /// has a value.
    pub fn mean(
        records: &Records,
        condition: &str,
        range: (f64, f64),
        part: impl Fn(&Cell) -> Contribution,
    ) -> Option<Self> {
        let cells = records.cells(condition)?;
        let column: Vec<Contribution> = cells.iter().map(part).collect();
        let taking_part = column.iter().filter(|p| p.count > 0.0).count();
        let run = cells.iter().filter(|c| c.records > 0).count();
        (taking_part > 0).then(|| Self {
            condition: condition.to_owned(),
            columns: vec![column],
            combine: |means| Some(means[0]),
            range,
            skipped: run.saturating_sub(taking_part),
        })
    }

    /// Returns [`mean`](Self::mean) for every condition that has values.
    pub fn means(records: &Records, range: (f64, f64), part: impl Fn(&Cell) -> Contribution) -> Vec<Self> {
        records.conditions().iter().filter_map(|c| Self::mean(records, c, range, &part)).collect()
    }

    /// Returns, for every condition except the clean one, the mean over samples of clean minus changed. Only samples
    /// that have both values take part.
    pub fn drops(records: &Records, range: (f64, f64), value: impl Fn(&Cell) -> Contribution) -> Vec<Self> {
        records
            .paired_with_clean(value)
            .into_iter()
            .map(|pair| Self {
                columns: vec![pair.differences()],
                condition: pair.condition,
                combine: |means| Some(means[0]),
                range,
                skipped: 0,
            })
            .collect()
    }
}

use crate::{Cell, Part, Records};
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

/// The metrics of predictions. A new one is a file and a line here.
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

/// Every metric that [`score`](crate::score) computes: of predictions, then of saliency maps, of which there is one for
/// each of [`map_scores`](crate::map_scores).
pub fn metrics() -> impl Iterator<Item = &'static dyn Metric> + Clone {
    METRICS.iter().copied().chain(map_metric::ALL.iter().map(|metric| metric as &dyn Metric))
}

/// What [`metrics`] says about the metric of that id.
pub fn meta(id: &str) -> Option<&'static MetricMeta> {
    metrics().map(|metric| metric.meta()).find(|meta| meta.id == id)
}

/// Something that can be measured on records.
///
/// A metric says what each sample contributes ([`Measure`]); the averages and their intervals are the same for all.
pub trait Metric: Sync {
    /// What it is.
    fn meta(&self) -> &'static MetricMeta;

    /// What it measures, condition by condition. Conditions it does not apply to are left out.
    fn measure(&self, records: &Records) -> Vec<Measure>;
}

/// What a metric is, for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricMeta {
    /// Names it in scores: "accuracy".
    pub id: &'static str,
    /// Names it in tables and figures: "Accuracy".
    pub title: &'static str,
    /// How its values are written.
    pub unit: Unit,
    /// Lowest and highest possible value.
    pub range: (f64, f64),
    /// Which end is the better one.
    pub better: Better,
    /// The average that the paper quotes.
    pub average: Average,
    /// The definition as a formula.
    pub formula: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// What it tells, in one or two sentences.
    pub description: &'static str,
}

/// How values are written. They are stored as they are computed: an accuracy of 0.5 is 50 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, written as percent.
    Percent,
    /// A difference of shares, written as percentage points.
    Points,
    /// A number, written as it is.
    Number,
}

/// Which end of the range is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The upper end.
    Higher,
    /// The lower end.
    Lower,
    /// It depends, or there is none.
    Neither,
}

/// How samples are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Average {
    /// Every sample weighs the same.
    Sample,
    /// Every class weighs the same.
    Class,
}

/// What each sample contributes to a metric under a condition.
///
/// The metric's value for a group of samples is `combine` of one mean for each column, each the sum of sums over the
/// sum of counts. The class average takes the mean over classes for each column first, and combines then.
#[derive(Clone, Debug)]
pub struct Measure {
    /// The condition, or "noise:linf:0.25" for a score of both regions.
    pub condition: String,
    /// A part for each sample of the [`Records`], one or several columns.
    pub columns: Vec<Vec<Part>>,
    /// From a mean for each column to the value; `None` where that is undefined.
    pub combine: fn(&[f64]) -> Option<f64>,
    /// Lowest and highest value that a sample can have in a column.
    pub range: (f64, f64),
    /// Samples that were run under the condition but for which the metric is undefined.
    pub skipped: usize,
}

impl Measure {
    /// The plain mean of one value for each sample, taken from the cells of a condition.
    ///
    /// `None` if no sample has one.
    pub fn mean(records: &Records, condition: &str, range: (f64, f64), part: impl Fn(&Cell) -> Part) -> Option<Self> {
        let cells = records.cells(condition)?;
        let column: Vec<Part> = cells.iter().map(part).collect();
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

    /// [`mean`](Self::mean) for every condition that has values.
    pub(crate) fn means(records: &Records, range: (f64, f64), part: impl Fn(&Cell) -> Part) -> Vec<Self> {
        records.conditions().iter().filter_map(|c| Self::mean(records, c, range, &part)).collect()
    }
}

/// For each condition but the clean one: parts of clean and changed images for the samples that have both.
fn paired(records: &Records, part: impl Fn(&Cell) -> Part) -> Vec<(String, Vec<Part>, Vec<Part>)> {
    let Some(clean) = records.clean() else { return Vec::new() };
    let pair = |condition: &String| {
        let (before, after): (Vec<Part>, Vec<Part>) = both(clean, records.cells(condition)?, &part).unzip();
        before.iter().any(|part| part.count > 0.0).then(|| (condition.clone(), before, after))
    };
    records.conditions().iter().filter(|c| *c != crate::CLEAN).filter_map(pair).collect()
}

/// The means of each sample's trials under two conditions, where it has both.
fn both(first: &[Cell], second: &[Cell], part: impl Fn(&Cell) -> Part) -> impl Iterator<Item = (Part, Part)> {
    first.iter().zip(second).map(move |(first, second)| match (part(first).mean(), part(second).mean()) {
        (Some(first), Some(second)) => (Part::one(first), Part::one(second)),
        _ => Default::default(),
    })
}

/// For each condition but the clean one: the mean over samples of clean minus changed, of samples that have both.
fn drops(records: &Records, range: (f64, f64), part: impl Fn(&Cell) -> Part) -> Vec<Measure> {
    paired(records, part)
        .into_iter()
        .map(|(condition, before, after)| Measure {
            condition,
            columns: vec![before.into_iter().zip(after).map(difference).collect()],
            combine: |means| Some(means[0]),
            range,
            skipped: 0,
        })
        .collect()
}

/// First minus second, of samples that have both.
fn difference((first, second): (Part, Part)) -> Part {
    Part { sum: first.sum - second.sum, count: first.count }
}

use crate::{Part, Records};
use serde::{Deserialize, Serialize};

mod accuracy;
mod confidence;
mod delta_density;
mod drop;
mod iou;
mod object_fraction;
mod relative_drop;
mod rfs;

pub use rfs::rfs;

/// Every metric that [`score`](crate::score) computes. A new one is a file and a line here.
pub const METRICS: &[&dyn Metric] = &[
    &accuracy::Accuracy,
    &drop::Drop,
    &relative_drop::RelativeDrop,
    &rfs::RelativeForegroundSensitivity,
    &iou::Iou,
    &delta_density::DeltaDensity,
    &confidence::Confidence,
    &object_fraction::ObjectFraction,
];

/// What [`METRICS`] says about the metric of that id.
pub fn meta(id: &str) -> Option<&'static MetricMeta> {
    METRICS.iter().map(|m| m.meta()).find(|m| m.id == id)
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
    pub fn mean(
        records: &Records,
        condition: &str,
        range: (f64, f64),
        part: impl Fn(&crate::Cell) -> Part,
    ) -> Option<Self> {
        let cells = records.cells(condition)?;
        let column: Vec<Part> = cells.iter().map(part).collect();
        let taking_part = column.iter().filter(|p| p.count > 0.0).count();
        let run = cells.iter().filter(|c| c.correct.count > 0.0).count();
        (taking_part > 0).then(|| Self {
            condition: condition.to_owned(),
            columns: vec![column],
            combine: |means| Some(means[0]),
            range,
            skipped: run.saturating_sub(taking_part),
        })
    }

    /// [`mean`](Self::mean) for every condition that has values.
    pub(crate) fn means(records: &Records, range: (f64, f64), part: impl Fn(&crate::Cell) -> Part) -> Vec<Self> {
        records.conditions().iter().filter_map(|c| Self::mean(records, c, range, &part)).collect()
    }
}

/// For each condition but the clean one: parts of clean and changed images for the samples that have both.
fn paired(records: &Records) -> Vec<(String, Vec<Part>, Vec<Part>)> {
    let Some(clean) = records.clean() else { return Vec::new() };
    let pair = |condition: &String| {
        let cells = records.cells(condition)?;
        let (before, after) = clean
            .iter()
            .zip(cells)
            .map(|(clean, cell)| match (clean.correct.mean(), cell.correct.mean()) {
                (Some(before), Some(after)) => (Part::one(before), Part::one(after)),
                _ => Default::default(),
            })
            .unzip();
        Some((condition.clone(), before, after))
    };
    records.conditions().iter().filter(|c| *c != crate::CLEAN).filter_map(pair).collect()
}

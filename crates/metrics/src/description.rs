use crate::{Averaging, Better, Metric, MetricMeta, Unit, meta};
use serde::{Deserialize, Serialize};

/// A [`MetricMeta`] that owns its texts: what scores say about a metric that is not built in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricDescription {
    /// Names it in scores.
    pub id: String,
    /// [`Metric::version`]; empty for a built-in metric.
    pub version: String,
    /// Names it in tables and figures.
    pub title: String,
    /// How its values are written.
    pub unit: Unit,
    /// The lowest and the highest possible value; `None` if there is no such bound.
    pub range: (Option<f64>, Option<f64>),
    /// Which end of the range is better.
    pub better: Better,
    /// The average to quote.
    pub average: Averaging,
    /// The definition as a formula.
    pub formula: String,
    /// Where the definition comes from.
    pub source: String,
    /// What it says, in one or two sentences.
    pub description: String,
}

impl From<&MetricMeta> for MetricDescription {
    fn from(meta: &MetricMeta) -> Self {
        let bound = |value: f64| value.is_finite().then_some(value);
        Self {
            id: meta.id.to_owned(),
            version: String::new(),
            title: meta.title.to_owned(),
            unit: meta.unit,
            range: (bound(meta.range.0), bound(meta.range.1)),
            better: meta.better,
            average: meta.average,
            formula: meta.formula.to_owned(),
            source: meta.source.to_owned(),
            description: meta.description.to_owned(),
        }
    }
}

impl MetricDescription {
    /// Describes a metric, or returns `None` if it is built in.
    pub(crate) fn unless_built_in(metric: &dyn Metric) -> Option<Self> {
        let own = metric.meta();
        meta(own.id).is_none().then(|| Self { version: metric.version().to_owned(), ..Self::from(own) })
    }
}

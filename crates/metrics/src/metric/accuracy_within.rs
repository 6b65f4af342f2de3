use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct AccuracyWithin;

static META: MetricMeta = MetricMeta {
    id: "accuracy-within",
    title: "Accuracy among the dataset's classes",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Higher,
    average: Averaging::Sample,
    formula: "right predictions / predictions, of the dataset's classes alone",
    source: "the published code takes all 1000 classes (Q17)",
    description: "The share of images for which the label has the highest logit among the dataset's classes. Undefined \
                  for a head that has no other classes.",
};

impl Metric for AccuracyWithin {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.correct_within)
    }
}

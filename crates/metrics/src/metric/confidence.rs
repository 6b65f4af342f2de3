use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct Confidence;

static META: MetricMeta = MetricMeta {
    id: "confidence",
    title: "Confidence in the label",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "mean of softmax(logits)[label]",
    source: "Moayeri, Singla, Feizi 2022: published code",
    description: "The mean probability that the model assigns to the label, right or wrong.",
};

impl Metric for Confidence {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.confidence)
    }
}

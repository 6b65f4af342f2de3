use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct ConfidenceDrop;

static META: MetricMeta = MetricMeta {
    id: "confidence-drop",
    title: "Confidence drop",
    unit: Unit::Points,
    range: (-1.0, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "mean of softmax(logits)[label]: clean − condition, on the same samples",
    source: "Moayeri, Pope, Balaji, Feizi 2022 (RIVAL10): importance of attributes",
    description: "How much probability of the label the condition costs, paired by sample. It reacts before \
                  predictions change.",
};

impl Metric for ConfidenceDrop {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::drops(records, META.range, |cell| cell.confidence)
    }
}

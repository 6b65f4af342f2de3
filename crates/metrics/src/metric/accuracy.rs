use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct Accuracy;

static META: MetricMeta = MetricMeta {
    id: "accuracy",
    title: "Accuracy",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Higher,
    average: Averaging::Sample,
    formula: "right predictions / predictions",
    source: "Moayeri, Singla, Feizi 2022: ablations (average over samples), noise (average over classes)",
    description: "The share of images whose highest logit, over all classes of the model's head, is the label. Under \
                  an ablation the object is gone, so the accuracy that remains does not come from seeing it.",
};

impl Metric for Accuracy {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.correct)
    }
}

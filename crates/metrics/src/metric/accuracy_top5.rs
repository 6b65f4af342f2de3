use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct AccuracyTop5;

static META: MetricMeta = MetricMeta {
    id: "accuracy-top5",
    title: "Accuracy among five",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Higher,
    average: Averaging::Sample,
    formula: "labels among the five highest logits / predictions",
    source: "Russakovsky et al. 2015 (ILSVRC)",
    description: "The share of images whose label is among the five highest logits, over all classes of the model's \
                  head.",
};

impl Metric for AccuracyTop5 {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.among_five)
    }
}

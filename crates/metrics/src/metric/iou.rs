use super::{Average, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct Iou;

static META: MetricMeta = MetricMeta {
    id: "iou",
    title: "Saliency IoU",
    unit: Unit::Number,
    range: (0.0, 1.0),
    better: Better::Higher,
    average: Average::Sample,
    formula: "|{map ≥ 0.5} ∩ mask| / |{map ≥ 0.5} ∪ mask|",
    source: "Moayeri, Singla, Feizi 2022: saliency alignment",
    description: "How much the bright half of the saliency map and the object overlap: 1 is the object exactly, 0 is no overlap. It depends on the object's size, so compare it between models on one dataset before comparing datasets.",
};

impl Metric for Iou {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.iou)
    }
}

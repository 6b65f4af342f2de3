use super::{Average, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct DeltaDensity;

static META: MetricMeta = MetricMeta {
    id: "delta-density",
    title: "Delta saliency density",
    unit: Unit::Number,
    range: (-1.0, 1.0),
    better: Better::Higher,
    average: Average::Sample,
    formula: "mean(map on the object) − mean(map off the object)",
    source: "Moayeri, Singla, Feizi 2022: saliency alignment",
    description: "How much brighter the saliency map is on the object than off it. 0 is a map that ignores where the object is; below 0 the surroundings are brighter. Undefined where the mask is empty or full.",
};

impl Metric for DeltaDensity {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.delta_density)
    }
}

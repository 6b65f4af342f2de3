use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct ObjectFraction;

static META: MetricMeta = MetricMeta {
    id: "object-fraction",
    title: "Object share of the input",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "object pixels / pixels, after the transform",
    source: "Moayeri, Singla, Feizi 2022: object sizes",
    description: "The share of the model's input that is object.",
};

impl Metric for ObjectFraction {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| cell.object_fraction)
    }
}

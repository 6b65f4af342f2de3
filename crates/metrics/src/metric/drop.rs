use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct Drop;

static META: MetricMeta = MetricMeta {
    id: "drop",
    title: "Accuracy drop",
    unit: Unit::Points,
    range: (-1.0, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "accuracy(clean) − accuracy(condition), on the same samples",
    source: "Moayeri, Singla, Feizi 2022: ablations",
    description: "How much accuracy the condition costs, paired by sample. If the object is removed, a small drop \
                  means that the model did not need it.",
};

impl Metric for Drop {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::drops(records, META.range, |cell| cell.correct)
    }
}

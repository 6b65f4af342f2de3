use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct RelativeDrop;

static META: MetricMeta = MetricMeta {
    id: "relative-drop",
    title: "Relative accuracy drop",
    unit: Unit::Percent,
    range: (f64::NEG_INFINITY, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "(accuracy(clean) − accuracy(condition)) / accuracy(clean)",
    source: "from the accuracy drop of Moayeri, Singla, Feizi 2022",
    description: "The accuracy drop as a share of the clean accuracy, so that models of different accuracy can be \
                  compared. Undefined if the clean accuracy is 0.",
};

impl Metric for RelativeDrop {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        records
            .paired_with_clean(|cell| cell.correct)
            .into_iter()
            .map(|pair| Measure {
                condition: pair.condition,
                columns: vec![pair.first, pair.second],
                combine: |means| (means[0] > 0.0).then(|| (means[0] - means[1]) / means[0]),
                range: (0.0, 1.0),
                skipped: 0,
            })
            .collect()
    }
}

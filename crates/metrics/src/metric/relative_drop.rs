use super::{Average, Better, Measure, Metric, MetricMeta, Unit, paired};
use crate::Records;

pub(super) struct RelativeDrop;

static META: MetricMeta = MetricMeta {
    id: "relative-drop",
    title: "Relative accuracy drop",
    unit: Unit::Percent,
    range: (f64::NEG_INFINITY, 1.0),
    better: Better::Neither,
    average: Average::Sample,
    formula: "(accuracy(clean) − accuracy(condition)) / accuracy(clean)",
    source: "from the accuracy drop of Moayeri, Singla, Feizi 2022",
    description: "The accuracy drop as a share of the clean accuracy, so that models of different accuracy compare. \
                  Undefined where the clean accuracy is 0.",
};

impl Metric for RelativeDrop {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        paired(records, |cell| cell.correct)
            .into_iter()
            .map(|(condition, before, after)| Measure {
                condition,
                columns: vec![before, after],
                combine: |means| (means[0] > 0.0).then(|| (means[0] - means[1]) / means[0]),
                range: (0.0, 1.0),
                skipped: 0,
            })
            .collect()
    }
}

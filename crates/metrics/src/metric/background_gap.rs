use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::Records;

pub(super) struct BackgroundGap;

static META: MetricMeta = MetricMeta {
    id: "background-gap",
    title: "Background gap",
    unit: Unit::Points,
    range: (-1.0, 1.0),
    better: Better::Lower,
    average: Averaging::Sample,
    formula: "accuracy(mixed-same) − accuracy(mixed-rand or mixed-next), on the same samples",
    source: "Xiao, Engstrom, Ilyas, Madry 2020 (ImageNet-9)",
    description: "How much more a background of another class costs than another background of the same class. Both \
                  are cut and pasted in the same way, so only the meaning of the background differs. A model that \
                  ignores it scores 0.",
};

impl Metric for BackgroundGap {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// Returns a measure for each kind of foreign background, under its condition.
    fn measure(&self, records: &Records) -> Vec<Measure> {
        let gap = |condition: &str| {
            let pair = records.pair("mixed-same", condition, |cell| cell.correct)?;
            Some(Measure {
                condition: condition.to_owned(),
                columns: vec![pair.differences()],
                combine: |means| Some(means[0]),
                range: META.range,
                skipped: 0,
            })
        };
        ["mixed-rand", "mixed-next"].into_iter().filter_map(gap).collect()
    }
}

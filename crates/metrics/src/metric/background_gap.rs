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
    description: "What a background of another class costs more than another background of the same class: both are cut \
                  and pasted alike, so only the background's meaning is left. 0 is a model that does not mind it.",
};

impl Metric for BackgroundGap {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// One measure for each kind of foreign background, under its name.
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

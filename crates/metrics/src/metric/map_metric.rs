use super::{Measure, Metric, MetricMeta};
use crate::{Contribution, Records, map_scores};

/// The mean of one score of saliency maps, given by its position in [`map_scores`](crate::map_scores()).
pub(super) struct MapMetric(usize);

/// One metric for each score of maps.
pub(super) static ALL: [MapMetric; map_scores::count()] = {
    let mut all = [const { MapMetric(0) }; map_scores::count()];
    let mut at = 0;
    while at < all.len() {
        all[at] = MapMetric(at);
        at += 1;
    }
    all
};

impl Metric for MapMetric {
    fn meta(&self) -> &'static MetricMeta {
        map_scores::meta_at(self.0)
    }

    /// The condition "none" has the scores of the first explainer's maps, "map:WORD" those of another explainer.
    fn measure(&self, records: &Records) -> Vec<Measure> {
        let value = |map: &[Option<f32>]| map.get(self.0).copied().flatten().filter(|value| value.is_finite());
        Measure::means(records, self.meta().range, |cell| {
            value(&cell.map).map_or_else(Contribution::default, |value| Contribution::one(f64::from(value)))
        })
    }
}

//! Scores that depend on the order of a map's values only, not on the values.

use super::ranking::Ranking;

/// Averaging precision of the map as a ranking of pixels, object or not: the sum over distinct values, from the greatest
/// down, of precision times the gain in recall, as scikit-learn's `average_precision_score(mask, map)`. In [0, 1];
/// `None` for an empty mask (scikit-learn says 0).
///
/// ```
/// # use hard_imagenet_metrics::alignment::average_precision;
/// assert_eq!(average_precision(&[0.9, 0.5, 0.1], &[1, 0, 1]), Some(0.5 + 0.5 * 2.0 / 3.0));
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn average_precision(map: &[f32], mask: &[u8]) -> Option<f64> {
    Ranking::new(map, mask).average_precision()
}

/// Area under the ROC curve of the map as a ranking of pixels: the probability that a pixel of the object has a greater
/// value than one of the surroundings, ties counting half (midranks), as scikit-learn's `roc_auc_score(mask, map)`. In
/// [0, 1], 0.5 by chance; `None` where the mask is empty or full.
///
/// ```
/// # use hard_imagenet_metrics::alignment::auc;
/// assert_eq!(auc(&[0.9, 0.5, 0.5, 0.1], &[1, 1, 0, 0]), Some(0.875));
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn auc(map: &[f32], mask: &[u8]) -> Option<f64> {
    Ranking::new(map, mask).auc()
}

/// Relevance rank accuracy (Arras, Osman, Samek 2022): of as many of the highest pixels as the object has, the share
/// that is object. In [0, 1], the object's share of the map by chance; `None` for an empty mask.
///
/// Where pixels of one value compete for the last places, each has the same share in them: the mean over all orders of
/// these pixels.
///
/// ```
/// # use hard_imagenet_metrics::alignment::rank_accuracy;
/// assert_eq!(rank_accuracy(&[0.9, 0.8, 0.3, 0.1], &[1, 0, 1, 0]), Some(0.5));
/// assert_eq!(rank_accuracy(&[0.5, 0.5, 0.5, 0.5], &[1, 0, 0, 0]), Some(0.25));
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn rank_accuracy(map: &[f32], mask: &[u8]) -> Option<f64> {
    Ranking::new(map, mask).rank_accuracy()
}

/// Pointing game (Zhang et al. 2016): is the greatest value on the object? 1 if so, 0 if not; where several pixels have
/// it, the share of them that is object, so that a constant map has what chance has. `None` for an empty mask. There is
/// no margin around the object.
///
/// ```
/// # use hard_imagenet_metrics::alignment::pointing;
/// assert_eq!(pointing(&[0.9, 0.5], &[1, 0]), Some(1.0));
/// assert_eq!(pointing(&[0.9, 0.9], &[1, 0]), Some(0.5));
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn pointing(map: &[f32], mask: &[u8]) -> Option<f64> {
    Ranking::new(map, mask).pointing()
}

impl Ranking {
    pub(super) fn average_precision(&self) -> Option<f64> {
        let precision = |pixels: usize, objects: usize| objects as f64 / pixels as f64;
        let sum: f64 = self
            .steps()
            .map(|(above, level)| (level.objects - above.objects) as f64 * precision(level.pixels, level.objects))
            .sum();
        (self.objects() > 0).then(|| sum / self.objects() as f64)
    }

    pub(super) fn auc(&self) -> Option<f64> {
        let surroundings = self.pixels() - self.objects();
        // Twice the pairs in which the object is ahead: a whole number, so that nothing is lost.
        let twice: u64 = self
            .steps()
            .map(|(above, level)| {
                let tied = level.objects - above.objects;
                let lower = level.pixels - above.pixels - tied;
                (lower * (2 * above.objects + tied)) as u64
            })
            .sum();
        let pairs = self.objects() as f64 * surroundings as f64;
        (pairs > 0.0).then(|| twice as f64 / (2.0 * pairs))
    }

    pub(super) fn rank_accuracy(&self) -> Option<f64> {
        let places = self.objects();
        let (above, level) = self.steps().find(|(_, level)| level.pixels >= places)?;
        let share = (places - above.pixels) as f64 / (level.pixels - above.pixels) as f64;
        let found = above.objects as f64 + share * (level.objects - above.objects) as f64;
        (places > 0).then(|| found / places as f64)
    }

    pub(super) fn pointing(&self) -> Option<f64> {
        let greatest = self.greatest()?;
        (self.objects() > 0).then(|| greatest.objects as f64 / greatest.pixels as f64)
    }
}

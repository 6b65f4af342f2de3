//! Scores that depend only on the order of a map's values.

use super::ranking::Ranking;

/// Returns the average precision of the map as a ranking of pixels, in [0, 1], or `None` for an empty mask.
///
/// It is the sum over distinct values, from the greatest down, of precision times the gain in recall, equal to
/// scikit-learn's `average_precision_score(mask, map)` (which returns 0 for an empty mask).
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

/// Returns the area under the ROC curve of the map as a ranking of pixels, in [0, 1] and 0.5 by chance, or `None` if
/// the mask is empty or full.
///
/// It is the probability that a pixel of the object has a greater value than a pixel of the surroundings, with ties
/// counted as half (midranks), equal to scikit-learn's `roc_auc_score(mask, map)`.
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

/// Returns the relevance rank accuracy (Arras, Osman, Samek 2022): the share of the `n` highest pixels that lie on the
/// object, where `n` is the number of the object's pixels.
///
/// The value is in [0, 1] and by chance equals the object's share of the map; it is `None` for an empty mask. If pixels
/// of equal value compete for the last places, the result is the mean over all orders of these pixels.
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

/// Returns the result of the pointing game (Zhang et al. 2016): 1 if the greatest value lies on the object, otherwise
/// 0, or `None` for an empty mask.
///
/// If several pixels have the greatest value, the result is the share of them on the object, so that a constant map
/// scores what chance does. There is no margin around the object.
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
        // Count pairs won by the object twice, so that ties stay whole numbers and the sum is exact.
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

//! Overlap of map and mask at many thresholds.

use super::ranking::Ranking;
use super::{dice_of_counts, iou_of_counts};

/// The thresholds of [`iou_mean`] and [`iou_best`]: 0.05, 0.1, .., 0.95.
pub const THRESHOLDS: [f32; 19] =
    [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// Returns the [`iou`](super::iou) at each of the thresholds, which may be in any order. The map is sorted once, so
/// many thresholds take little longer than one.
///
/// ```
/// # use hard_imagenet_metrics::alignment::iou_curve;
/// let curve = iou_curve(&[0.9, 0.5, 0.1], &[1, 1, 0], &[0.05, 0.5, 0.9]);
/// assert!(curve.iter().zip([2.0 / 3.0, 1.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-9));
/// ```
///
/// # Panics
/// If the slices of map and mask differ in length.
pub fn iou_curve(map: &[f32], mask: &[u8], thresholds: &[f32]) -> Vec<f64> {
    let ranking = Ranking::new(map, mask);
    thresholds.iter().map(|&threshold| ranking.iou(threshold)).collect()
}

/// Returns the [`dice`](super::dice) coefficient at each of the thresholds, which may be in any order.
///
/// # Panics
/// If the slices of map and mask differ in length.
pub fn dice_curve(map: &[f32], mask: &[u8], thresholds: &[f32]) -> Vec<f64> {
    let ranking = Ranking::new(map, mask);
    let dice = |(on, both): (usize, usize)| dice_of_counts(both as f64, on as f64, ranking.objects() as f64);
    thresholds.iter().map(|&threshold| dice(ranking.at_least(threshold))).collect()
}

/// Returns the mean IoU over [`THRESHOLDS`], in [0, 1]. It does not depend on the choice of one threshold.
///
/// # Panics
/// If the slices differ in length.
pub fn iou_mean(map: &[f32], mask: &[u8]) -> f64 {
    Ranking::new(map, mask).iou_mean()
}

/// Returns the greatest IoU over [`THRESHOLDS`], in [0, 1]: the overlap at the threshold that suits this map best.
///
/// # Panics
/// If the slices differ in length.
pub fn iou_best(map: &[f32], mask: &[u8]) -> f64 {
    Ranking::new(map, mask).iou_best()
}

impl Ranking {
    fn iou(&self, threshold: f32) -> f64 {
        let (on, both) = self.at_least(threshold);
        iou_of_counts(both as f64, on as f64, self.objects() as f64)
    }

    pub(super) fn iou_mean(&self) -> f64 {
        THRESHOLDS.iter().map(|&threshold| self.iou(threshold)).sum::<f64>() / THRESHOLDS.len() as f64
    }

    pub(super) fn iou_best(&self) -> f64 {
        THRESHOLDS.iter().map(|&threshold| self.iou(threshold)).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alignment::{dice, iou};

    #[test]
    fn curves_are_the_scores_at_each_threshold() {
        let check = |map: &[f32], mask: &[u8], thresholds: &[f32]| {
            let each = |score: fn(&[f32], &[u8], f32) -> f64| -> Vec<f64> {
                thresholds.iter().map(|&threshold| score(map, mask, threshold)).collect()
            };
            assert_eq!(iou_curve(map, mask, thresholds), each(iou));
            assert_eq!(dice_curve(map, mask, thresholds), each(dice));
        };
        let thresholds = [0.9, 0.0, 0.5, f32::NAN, -1.0, 0.25, 1.5];
        check(&[0.9, 0.5, f32::NAN, 0.25, 0.5], &[1, 0, 1, 0, 1], &thresholds);
        check(&[0.5; 3], &[0; 3], &thresholds);
        check(&[0.0; 3], &[1; 3], &thresholds);
        check(&[], &[], &thresholds);
        check(&[0.5], &[1], &[]);
    }

    #[test]
    fn mean_and_best() {
        // The IoU is 1/2 at thresholds up to 0.3, 1 up to 0.6, and 0 above.
        let (map, mask) = ([0.62, 0.32], [1, 0]);
        assert!((iou_mean(&map, &mask) - (6.0 * 0.5 + 6.0) / 19.0).abs() < 1e-9);
        assert!((iou_best(&map, &mask) - 1.0).abs() < 1e-9);
    }
}

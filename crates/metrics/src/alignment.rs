//! Measures how well a saliency map and an object mask agree, on plain slices.
//!
//! Maps are row-major `f32` in [0, 1]. Masks are row-major `u8`: 0 is surroundings, any other value is object. A NaN in
//! a map counts as 0, as in the published code.
//!
//! - Scores of Hard ImageNet: [`iou`], [`dice`], [`delta_density`].
//! - Scores of RIVAL10: [`iou`] and [`dice`] at 0.5 of the map [`divided_by_max`]; [`inside_fraction`], also called
//!   saliency precision; [`coverage`] at the [`mass_thresholds`], also called recall; [`average_precision`].
//! - Scores without a threshold: [`iou_curve`], [`dice_curve`], [`iou_mean`], [`iou_best`]; [`auc`]; [`rank_accuracy`];
//!   the [`pointing`] game.
//!
//! [`SCORES`] lists all of them. [`scores`] computes them together and takes little longer than one.

mod ascending;
mod curve;
mod mass;
mod rank;
mod ranking;
mod table;
mod totals;

pub use curve::{THRESHOLDS, dice_curve, iou_best, iou_curve, iou_mean};
pub use mass::{RunningSum, coverage, divided_by_max, inside_fraction, mass_thresholds};
pub use rank::{auc, average_precision, pointing, rank_accuracy};
pub use table::{AlignmentScore, SCORES, scores};

use totals::{assert_same_length, counts, number, sums};

/// Keeps the ratio of two empty regions at 1, as in the published code.
const EPSILON: f64 = 1e-10;

/// Returns the intersection over union of the mask and the map, binarized at `map >= threshold`.
///
/// The value is `(|I| + 1e-10) / (|U| + 1e-10)`, in [0, 1]; it is 1 if both are empty. The paper uses a threshold of
/// 0.5.
///
/// ```
/// # use hard_imagenet_metrics::alignment::iou;
/// let map = [0.9, 0.5, 0.1, 0.0];
/// let mask = [1, 0, 0, 1];
/// assert!((iou(&map, &mask, 0.5) - 1.0 / 3.0).abs() < 1e-9);
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn iou(map: &[f32], mask: &[u8], threshold: f32) -> f64 {
    let (both, on, object) = counts(map, mask, |value| number(value) >= threshold);
    iou_of_counts(both, on, object)
}

fn iou_of_counts(both: f64, on: f64, object: f64) -> f64 {
    (both + EPSILON) / (on + object - both + EPSILON)
}

/// Returns the Dice coefficient of the mask and the map, binarized at `map >= threshold`.
///
/// The value is `(2 |I| + 1e-10) / (|U| + |I| + 1e-10)`, in [0, 1]; it is 1 if both are empty.
///
/// # Panics
/// If the slices differ in length.
pub fn dice(map: &[f32], mask: &[u8], threshold: f32) -> f64 {
    let (both, on, object) = counts(map, mask, |value| number(value) >= threshold);
    dice_of_counts(both, on, object)
}

fn dice_of_counts(both: f64, on: f64, object: f64) -> f64 {
    (2.0 * both + EPSILON) / (on + object + EPSILON)
}

/// Returns the mean of the map on the object minus its mean off the object, in [-1, 1] for maps in [0, 1].
///
/// Returns `None` if the mask is empty or full, because one of the two means does not exist.
///
/// ```
/// # use hard_imagenet_metrics::alignment::delta_density;
/// assert_eq!(delta_density(&[1.0, 0.5, 0.0, 0.0], &[1, 1, 0, 0]), Some(0.75));
/// assert_eq!(delta_density(&[1.0, 0.5], &[1, 1]), None);
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn delta_density(map: &[f32], mask: &[u8]) -> Option<f64> {
    let (inside, outside) = sums(map, mask);
    let (_, _, object) = counts(map, mask, |_| false);
    let surroundings = map.len() as f64 - object;
    (object > 0.0 && surroundings > 0.0).then(|| inside / object - outside / surroundings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(map: &[f32], mask: &[u8], expected_iou: f64, expected_dice: f64, expected_delta: Option<f64>) {
        assert!((iou(map, mask, 0.5) - expected_iou).abs() < 1e-9, "iou {}", iou(map, mask, 0.5));
        assert!((dice(map, mask, 0.5) - expected_dice).abs() < 1e-9, "dice {}", dice(map, mask, 0.5));
        match (delta_density(map, mask), expected_delta) {
            (None, None) => (),
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-7, "delta {a} {b}"),
            (a, b) => panic!("delta {a:?}, expected {b:?}"),
        }
    }

    #[test]
    fn exact_half_is_on() {
        check(&[0.5, 0.49, 0.0, 1.0], &[1, 1, 0, 0], 1.0 / 3.0, 0.5, Some(0.495 - 0.5));
    }

    #[test]
    fn empty_and_full() {
        check(&[0.0; 4], &[0; 4], 1.0, 1.0, None);
        check(&[1.0; 4], &[1; 4], 1.0, 1.0, None);
        check(&[1.0; 4], &[0; 4], 0.0, 0.0, None);
        check(&[0.0; 4], &[255, 0, 0, 0], 0.0, 0.0, Some(0.0));
    }

    #[test]
    fn not_a_number_is_zero() {
        check(&[f32::NAN, 1.0, f32::NAN, 0.0], &[1, 1, 0, 0], 0.5, 2.0 / 3.0, Some(0.5));
    }

    // A 6 × 6 map. NumPy computed the expected values in f64 from the formulas above.
    #[test]
    fn numpy_agrees() {
        // map[i] = ((i * 7919) % 101) / 100, mask[i] = (i * 31) % 7 < 3
        let map: Vec<f32> = (0..36).map(|i| ((i * 7919) % 101) as f32 / 100.0).collect();
        let mask: Vec<u8> = (0..36).map(|i| u8::from((i * 31) % 7 < 3)).collect();
        check(&map, &mask, NUMPY.0, NUMPY.1, Some(NUMPY.2));
    }

    const NUMPY: (f64, f64, f64) = (0.36000000000256005, 0.5294117647072664, -0.021875000162981495);
}

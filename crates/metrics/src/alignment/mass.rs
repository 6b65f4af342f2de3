//! Where the mass of a map lies. The mass is the sum of its values.

use super::ascending::{ascending, value};
use super::{counts, number, sums};

/// The precision in which [`mass_thresholds`] adds up the values. It can move a threshold to a neighboring value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunningSum {
    /// The precision of the published code with NumPy 2.
    F32,
    /// The precision of the published code with the NumPy of its time.
    F64,
}

/// Divides the map by its greatest value. A map without positive values is not divided; NaN becomes 0 in either case.
///
/// [`iou`](super::iou) and [`dice`](super::dice) of this map at 0.5 are those of RIVAL10, except that they include
/// values of exactly 0.5.
pub fn divided_by_max(map: &[f32]) -> Vec<f32> {
    let greatest = map.iter().copied().fold(0.0, f32::max);
    let divisor = if greatest > 0.0 { greatest } else { 1.0 };
    map.iter().map(|&value| number(value) / divisor).collect()
}

/// Returns the share of the map's mass that lies on the object, in [0, 1], or `None` for a map without mass. RIVAL10
/// calls it saliency precision; Arras, Osman, Samek 2022 call it relevance mass accuracy.
///
/// # Panics
/// If the slices differ in length.
pub fn inside_fraction(map: &[f32], mask: &[u8]) -> Option<f64> {
    let (inside, outside) = sums(map, mask);
    let total = inside + outside;
    (total > 0.0).then(|| inside / total)
}

/// Returns, for each share in [0, 1), the value at which the running sum of the ascending values first exceeds that
/// share of the map's mass.
///
/// Pixels of that value and above hold about the rest of the mass. RIVAL10 uses the shares 0.25, 0.5 and 0.75. All
/// thresholds of a map without mass are 1.
///
/// ```
/// use hard_imagenet_metrics::alignment::{RunningSum, mass_thresholds};
/// let map = [0.1, 0.2, 0.3, 0.4];
/// assert_eq!(mass_thresholds(&map, [0.25, 0.5, 0.75], RunningSum::F64), [0.2, 0.3, 0.4]);
/// ```
pub fn mass_thresholds<const N: usize>(map: &[f32], shares: [f64; N], sum: RunningSum) -> [f32; N] {
    mass_thresholds_of_sorted(&ascending(map.iter().copied()), shares, sum)
}

/// Computes [`mass_thresholds`] from sorted values.
pub(super) fn mass_thresholds_of_sorted<const N: usize>(sorted: &[u32], shares: [f64; N], sum: RunningSum) -> [f32; N] {
    let add = |running: f64, &order: &u32| {
        let running = running + f64::from(value(order));
        // The sum of two f32 is exact in f64; rounding it gives their sum in f32.
        if sum == RunningSum::F32 { f64::from(running as f32) } else { running }
    };
    // Keep the running sum at the start of each part only: all of them take more memory than the values.
    let mut parts = Vec::with_capacity(sorted.len().div_ceil(PART));
    let mut running = 0.0;
    for part in sorted.chunks(PART) {
        parts.push((running, part));
        running = part.iter().fold(running, add);
    }
    let total = match sum {
        RunningSum::F32 => sorted.iter().map(|&order| f64::from(value(order))).sum(),
        RunningSum::F64 => running,
    };
    shares.map(|share| {
        let limit = match sum {
            RunningSum::F32 => f64::from((share * total) as f32),
            RunningSum::F64 => share * total,
        };
        // The running sum falls while values are negative and rises afterwards, so its maximum in a part is at one of
        // the ends.
        let ends = parts.iter().skip(1).map(|&(before, _)| before).chain([running]);
        let mut found = parts.iter().zip(ends);
        let part = found.find(|((before, part), end)| *end > limit || add(*before, &part[0]) > limit);
        let Some((&(mut running, part), _)) = part else { return 1.0 };
        let exceeds = |order: &&u32| {
            running = add(running, order);
            running > limit
        };
        part.iter().find(exceeds).map_or(1.0, |&order| value(order))
    })
}

/// The number of values in a part of the running sum.
const PART: usize = 256;

/// Returns the share of the object's pixels whose value is at least `threshold` and above 0, in [0, 1], or `None` for
/// an empty mask. RIVAL10 calls it recall.
///
/// ```
/// use hard_imagenet_metrics::alignment::coverage;
/// assert_eq!(coverage(&[0.9, 0.4, 0.9], &[1, 1, 0], 0.5), Some(0.5));
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn coverage(map: &[f32], mask: &[u8], threshold: f32) -> Option<f64> {
    let (covered, _, object) = counts(map, mask, |value| (value >= threshold) & (value > 0.0));
    (object > 0.0).then(|| covered / object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_the_greatest() {
        assert_eq!(divided_by_max(&[0.1, f32::NAN, 0.2]), [0.5, 0.0, 1.0]);
        assert_eq!(divided_by_max(&[0.0, f32::NAN]), [0.0, 0.0]);
        assert_eq!(divided_by_max(&[]), [0.0; 0]);
    }

    #[test]
    fn mass_on_the_object() {
        assert_eq!(inside_fraction(&[0.25, 0.5, 0.25], &[1, 0, 1]), Some(0.5));
        assert_eq!(inside_fraction(&[0.5, f32::NAN], &[0, 1]), Some(0.0));
        assert_eq!(inside_fraction(&[0.0, 0.0], &[1, 0]), None);
    }

    #[test]
    fn sums_of_either_kind() {
        // The values 1 and 1 + 2⁻²³: their sum exceeds half the mass, but rounds to 2 in f32.
        let map = [2.0, 1.0 + f32::EPSILON, 1.0];
        assert_eq!(mass_thresholds(&map, [0.5], RunningSum::F64), [1.0 + f32::EPSILON]);
        assert_eq!(mass_thresholds(&map, [0.5], RunningSum::F32), [2.0]);
        for sum in [RunningSum::F32, RunningSum::F64] {
            assert_eq!(mass_thresholds(&[0.0, f32::NAN], [0.25, 0.5], sum), [1.0, 1.0]);
            assert_eq!(mass_thresholds(&[0.5, 0.5, f32::NAN], [0.25, 0.5, 0.75], sum), [0.5, 0.5, 0.5]);
        }
    }

    #[test]
    fn thresholds_are_those_of_each_running_sum() {
        for (length, lowest) in [(1, 0.0), (255, 0.0), (256, 0.0), (1000, 0.0), (3000, -0.125), (3000, -0.75)] {
            let map: Vec<f32> = (0..length).map(|i| (i * 7919 % 1009) as f32 / 1009.0 + lowest).collect();
            let mut sorted = map.clone();
            sorted.sort_by(f32::total_cmp);
            for sum in [RunningSum::F32, RunningSum::F64] {
                let mut running = 0.0;
                let mut sums = Vec::new();
                for &value in &sorted {
                    running += f64::from(value);
                    running = if sum == RunningSum::F32 { f64::from(running as f32) } else { running };
                    sums.push(running);
                }
                let exact: f64 = sorted.iter().map(|&value| f64::from(value)).sum();
                let shares = [0.0, 0.01, 0.25, 0.5, 0.75, 0.999];
                let expected = shares.map(|share| {
                    let limit =
                        if sum == RunningSum::F32 { f64::from((share * exact) as f32) } else { share * running };
                    sums.iter().position(|&sum| sum > limit).map_or(1.0, |at| sorted[at])
                });
                assert_eq!(mass_thresholds(&map, shares, sum), expected, "{length} {lowest} {sum:?}");
            }
        }
    }

    #[test]
    fn covered_pixels_are_above_zero() {
        assert_eq!(coverage(&[0.0, 0.1, f32::NAN], &[1, 1, 1], 0.0), Some(1.0 / 3.0));
        assert_eq!(coverage(&[1.0], &[0], 0.5), None);
    }
}

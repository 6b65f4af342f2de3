//! Where the mass of a map, the sum of its values, lies.

use super::ascending::{ascending, value};
use super::{counts, number, sums};

/// In which numbers [`mass_thresholds`] adds up the values, which can move a threshold to a neighbouring value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunningSum {
    /// As the published code does with NumPy 2.
    F32,
    /// As it did with the NumPy of its time.
    F64,
}

/// The map, divided by its greatest value; a map without values above 0 stays as it is but for what is not a number.
///
/// [`iou`](super::iou) and [`dice`](super::dice) of this map at 0.5 are RIVAL10's, where exactly 0.5 is on too.
pub fn divided_by_max(map: &[f32]) -> Vec<f32> {
    let greatest = map.iter().copied().fold(0.0, f32::max);
    let divisor = if greatest > 0.0 { greatest } else { 1.0 };
    map.iter().map(|&value| number(value) / divisor).collect()
}

/// The share of the map's mass that lies on the object, in [0, 1]; `None` for a map without mass. RIVAL10 calls it
/// saliency precision; Arras, Osman, Samek 2022 call it relevance mass accuracy.
///
/// # Panics
/// If the slices differ in length.
pub fn inside_fraction(map: &[f32], mask: &[u8]) -> Option<f64> {
    let (inside, outside) = sums(map, mask);
    let total = inside + outside;
    (total > 0.0).then(|| inside / total)
}

/// For each share in [0, 1), the value at which the running sum of the sorted values, smallest first, comes to exceed
/// that share of the map's mass: pixels of that value and above carry about the rest of it. RIVAL10 takes 0.25, 0.5 and
/// 0.75. A map without mass has 1 for all.
///
/// ```
/// use hard_imagenet_metrics::alignment::{RunningSum, mass_thresholds};
/// let map = [0.1, 0.2, 0.3, 0.4];
/// assert_eq!(mass_thresholds(&map, [0.25, 0.5, 0.75], RunningSum::F64), [0.2, 0.3, 0.4]);
/// ```
pub fn mass_thresholds<const N: usize>(map: &[f32], shares: [f64; N], sum: RunningSum) -> [f32; N] {
    mass_thresholds_of_sorted(&ascending(map.iter().copied()), shares, sum)
}

/// [`mass_thresholds`] of values in their order.
pub(super) fn mass_thresholds_of_sorted<const N: usize>(sorted: &[u32], shares: [f64; N], sum: RunningSum) -> [f32; N] {
    let add = |running: f64, &order: &u32| {
        let running = running + f64::from(value(order));
        // The sum of two f32, exact in f64, then rounded: their sum in f32.
        if sum == RunningSum::F32 { f64::from(running as f32) } else { running }
    };
    // The running sum before each part: to keep all of them takes more memory than the values do.
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
        // The sum falls with the values below 0 and then rises, so in each part it is greatest at one of its ends.
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

/// Values of a part of the running sum.
const PART: usize = 256;

/// The share of the object's pixels that have a value of `threshold` or more, and more than 0, in [0, 1]; `None` for an
/// empty mask. RIVAL10 calls it recall.
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
        // 1 and the number after it: 2 + 2^-23 exceeds half the mass, but is rounded to 2 in f32.
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

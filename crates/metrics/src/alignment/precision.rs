use super::{assert_same_length, number};

/// Average precision of the map as a ranking of pixels, object or not: the sum over distinct values, from the greatest
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
    assert_same_length(map, mask);
    // Value and membership in one number, so that sorting moves both.
    let mut ranking: Vec<u64> =
        map.iter().zip(mask).map(|(&value, &m)| u64::from(order(number(value))) << 1 | u64::from(m != 0)).collect();
    ranking.sort_unstable();
    let object = ranking.iter().filter(|&&pixel| pixel & 1 == 1).count();
    let (mut found, mut seen, mut sum) = (0, 0, 0.0);
    for ties in ranking.chunk_by(|a, b| a >> 1 == b >> 1).rev() {
        let gained = ties.iter().filter(|&&pixel| pixel & 1 == 1).count();
        (found, seen) = (found + gained, seen + ties.len());
        sum += gained as f64 * (found as f64 / seen as f64);
    }
    (object > 0).then(|| sum / object as f64)
}

/// A whole number that is ordered as the value is; both zeros are one.
fn order(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

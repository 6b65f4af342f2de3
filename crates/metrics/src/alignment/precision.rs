use super::ascending::ascending;
use super::assert_same_length;

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
    let all = ascending(map.iter().copied());
    let object = ascending(map.iter().zip(mask).filter(|pixel| *pixel.1 != 0).map(|pixel| *pixel.0));
    let (mut found, mut seen, mut sum) = (0, 0, 0.0);
    for ties in object.chunk_by(|a, b| a == b).rev() {
        found += ties.len();
        seen += all[..all.len() - seen].iter().rev().take_while(|&&order| order >= ties[0]).count();
        sum += ties.len() as f64 * (found as f64 / seen as f64);
    }
    (found > 0).then(|| sum / found as f64)
}

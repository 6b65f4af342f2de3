//! How similar two orders of the same things are.

/// Returns the rank of each value, counted from 1. Equal values share the mean of their ranks.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        // NaN equals nothing, not even itself, so at least one value is taken.
        let equal = order[from..].iter().take_while(|&&i| values[i] == values[order[from]]).count().max(1);
        let rank = from as f64 + (equal + 1) as f64 / 2.0;
        order[from..from + equal].iter().for_each(|&i| ranks[i] = rank);
        from += equal;
    }
    ranks
}

/// Returns Spearman's ρ (1904), which is Pearson's correlation of the ranks, in [-1, 1]. It is undefined if one side
/// does not vary or a value is NaN.
///
/// # Panics
/// Panics for slices of different lengths.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "both slices must have one value per item");
    if has_nan(a, b) {
        return None;
    }
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() + 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let norm = (product(&a, &a) * product(&b, &b)).sqrt();
    (norm > 0.0).then(|| product(&a, &b) / norm)
}

/// Returns Kendall's τ-b (1945), in [-1, 1]: the number of pairs in the same order minus that of pairs in the opposite
/// order, divided by the number of ordered pairs, corrected for ties. It is undefined if one side does not vary or a
/// value is NaN. The time grows with the square of the length.
///
/// # Panics
/// Panics for slices of different lengths.
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "both slices must have one value per item");
    if has_nan(a, b) {
        return None;
    }
    let sign = |x: f64, y: f64| f64::from(i8::from(x > y) - i8::from(x < y));
    let (mut agreeing, mut ordered_a, mut ordered_b) = (0.0, 0.0, 0.0);
    for i in 0..a.len() {
        for j in 0..i {
            let (x, y) = (sign(a[i], a[j]), sign(b[i], b[j]));
            agreeing += x * y;
            ordered_a += x.abs();
            ordered_b += y.abs();
        }
    }
    let norm = f64::sqrt(ordered_a * ordered_b);
    (norm > 0.0).then(|| agreeing / norm)
}

fn has_nan(a: &[f64], b: &[f64]) -> bool {
    a.iter().chain(b).any(|v| v.is_nan())
}

/// Returns the share of the first `k` of one order that are among the first `k` of the other, in [0, 1]. It is
/// undefined if `k` is 0 or both orders are empty.
pub fn overlap<T: PartialEq>(a: &[T], b: &[T], k: usize) -> Option<f64> {
    let (a, b) = (&a[..k.min(a.len())], &b[..k.min(b.len())]);
    let size = a.len().max(b.len());
    (size > 0).then(|| a.iter().filter(|&one| b.contains(one)).count() as f64 / size as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    // scipy.stats.spearmanr, kendalltau
    #[test]
    fn correlations_agree_with_scipy() {
        let check = |a: &[f64], b: &[f64], rho: f64, tau: f64| {
            assert!((spearman(a, b).unwrap() - rho).abs() < 1e-12, "{:?}", spearman(a, b));
            assert!((kendall(a, b).unwrap() - tau).abs() < 1e-12, "{:?}", kendall(a, b));
        };
        check(&[1., 2., 3., 4., 5.], &[5., 6., 7., 8., 7.], 0.820_782_681_668_123_4, 0.737_864_787_372_622_2);
        check(&[1., 1., 2., 3., 3., 9.], &[4., 2., 2., 1., 7., -1.], -0.492_592_183_071_889, -0.444_749_589_996_667);
        check(&[3., 1., 2.], &[1., 3., 2.], -1.0, -1.0);
    }

    #[test]
    fn constant_values_have_no_correlation() {
        assert_eq!(spearman(&[1., 1.], &[1., 2.]), None);
        assert_eq!(kendall(&[1., 2.], &[0., 0.]), None);
        assert_eq!(spearman(&[], &[]), None);
    }

    #[test]
    fn nan_has_no_correlation() {
        assert_eq!(spearman(&[1., f64::NAN, 2.], &[1., 2., 3.]), None);
        assert_eq!(kendall(&[1., 2., 3.], &[f64::NAN, 1., 2.]), None);
    }

    #[test]
    fn overlaps_count_common_items() {
        assert_eq!(overlap(&[1, 2, 3, 4], &[2, 9, 1, 3], 2), Some(0.5));
        assert_eq!(overlap(&[1, 2, 3], &[3, 2, 1], 10), Some(1.0));
        assert_eq!(overlap(&[1, 2], &[2, 1], 0), None);
    }
}

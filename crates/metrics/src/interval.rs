//! Intervals of proportions, and bounds for values that do not vary.

/// Returns Wilson's interval for a proportion of `n` independent samples (Wilson 1927). `z` is the normal quantile; `n`
/// may be an effective sample size.
pub(crate) fn wilson(proportion: f64, n: f64, z: f64) -> (f64, f64) {
    let center = (proportion + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (proportion * (1.0 - proportion) / n + z * z / (4.0 * n * n)).sqrt();
    ((center - half).clamp(0.0, proportion), (center + half).clamp(proportion, 1.0))
}

/// Returns the largest share of a population that `n` samples can miss entirely at this confidence: `1 - (1 -
/// confidence)^(1/n)`, which is about `3 / n` at 95 % (the rule of three).
pub(crate) fn unseen_share(n: f64, confidence: f64) -> f64 {
    if n > 0.0 { 1.0 - (1.0 - confidence).powf(1.0 / n) } else { 1.0 }
}

/// Returns the percentile interval of bootstrap replicates by nearest rank, or `None` without replicates. Partially
/// sorts the slice.
pub(crate) fn percentile(replicates: &mut [f64], confidence: f64) -> Option<(f64, f64)> {
    let last = replicates.len().checked_sub(1)?;
    let cut = (((1.0 - confidence) / 2.0) * last as f64).floor() as usize;
    let low = *replicates.select_nth_unstable_by(cut, f64::total_cmp).1;
    let high = *replicates.select_nth_unstable_by(last - cut, f64::total_cmp).1;
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::normal_quantile;

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() < tolerance, "{a} is not {b}");
    }

    // scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
    #[test]
    fn wilson_agrees_with_scipy() {
        for (k, n, low, high) in WILSON {
            let (l, h) = wilson(f64::from(k) / n, n, normal_quantile(0.95));
            close(l, low, 1e-6);
            close(h, high, 1e-6);
        }
    }

    const WILSON: [(u32, f64, f64, f64); 5] = [
        (0, 20.0, 0.000000000, 0.161125158),
        (20, 20.0, 0.838874842, 1.000000000),
        (1, 3.0, 0.061491945, 0.792340399),
        (37, 50.0, 0.604468427, 0.841284725),
        (577, 750.0, 0.737857863, 0.798063842),
    ];

    #[test]
    fn rule_of_three() {
        close(unseen_share(100.0, 0.95), 0.02951, 1e-5);
        close(unseen_share(1.0, 0.95), 0.95, 1e-12);
    }

    #[test]
    fn percentiles_are_symmetric() {
        let mut values: Vec<f64> = (0..1001).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.95), Some((25.0, 975.0)));
        assert_eq!(percentile(&mut [], 0.95), None);
        assert_eq!(percentile(&mut [3.0], 0.95), Some((3.0, 3.0)));
    }
}

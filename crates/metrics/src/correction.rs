//! Corrections of p-values for the number of tests.

/// Returns the p-values after Holm's correction, in the given order, each at most 1. Rejecting below `α` keeps the
/// probability of any false rejection among all tests at or below `α`, however the tests depend on each other.
///
/// ```
/// # use hard_imagenet_metrics::holm;
/// assert_eq!(holm(&[0.01, 0.5, 0.03]), [0.03, 0.5, 0.06]);
/// ```
///
/// S. Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 1979.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len();
    let mut corrected = vec![0.0; tests];
    let mut greatest = 0.0f64;
    for (rank, test) in ascending(p_values).into_iter().enumerate() {
        greatest = greatest.max(p_values[test] * (tests - rank) as f64).min(1.0);
        corrected[test] = greatest;
    }
    corrected
}

/// Returns the p-values after the correction of Benjamini and Hochberg, in the given order, each at most 1. Rejecting
/// below `q` keeps the expected share of false rejections at or below `q`, for tests that are independent or positively
/// dependent.
///
/// ```
/// # use hard_imagenet_metrics::benjamini_hochberg;
/// assert_eq!(benjamini_hochberg(&[0.01, 0.5, 0.03]), [0.03, 0.5, 0.045]);
/// ```
///
/// Y. Benjamini, Y. Hochberg: Controlling the false discovery rate. Journal of the Royal Statistical Society B 57, 1995.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len();
    let mut corrected = vec![0.0; tests];
    let mut least = 1.0f64;
    for (rank, test) in ascending(p_values).into_iter().enumerate().rev() {
        least = least.min(p_values[test] * tests as f64 / (rank + 1) as f64);
        corrected[test] = least;
    }
    corrected
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut tests: Vec<usize> = (0..p_values.len()).collect();
    tests.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    tests
}

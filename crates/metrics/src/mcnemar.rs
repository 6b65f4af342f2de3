use crate::distribution::two_sided;
use serde::{Deserialize, Serialize};

/// McNemar's test of two proportions on the same samples. It asks whether as many samples change from right to wrong as
/// from wrong to right.
///
/// Q. McNemar: Note on the sampling error of the difference between correlated proportions or percentages.
/// Psychometrika 12, 1947.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Number of samples that only the first has right.
    pub first_only: usize,
    /// Number of samples that only the second has right.
    pub second_only: usize,
    /// The two-sided p-value of the exact binomial test: twice the smaller tail of as many fair coins, at most 1.
    pub exact_p: f64,
    /// `(|b − c| − 1)² / (b + c)`, with Edwards' continuity correction; `None` if the samples never disagree.
    pub chi_square: Option<f64>,
    /// The p-value of `chi_square` with one degree of freedom. It is too coarse for fewer than 25 samples that
    /// disagree.
    pub chi_square_p: Option<f64>,
}

/// Runs McNemar's test, given the number of samples that only the first, and only the second, has right.
///
/// ```
/// # use hard_imagenet_metrics::mcnemar;
/// let test = mcnemar(2, 8);
/// assert!((test.exact_p - 0.109375).abs() < 1e-12);
/// assert_eq!(test.chi_square, Some(2.5));
/// ```
pub fn mcnemar(first_only: usize, second_only: usize) -> McNemar {
    let discordant = first_only + second_only;
    let margin = (first_only.abs_diff(second_only) as f64 - 1.0).max(0.0);
    let chi_square = (discordant > 0).then(|| margin * margin / discordant as f64);
    McNemar {
        first_only,
        second_only,
        exact_p: (2.0 * lower_tail(first_only.min(second_only), discordant)).min(1.0),
        chi_square,
        chi_square_p: chi_square.map(|x| two_sided(x.sqrt())),
    }
}

/// Returns P(heads <= `most`) of `coins` fair coins.
fn lower_tail(most: usize, coins: usize) -> f64 {
    // Add up logarithms, each from the one before: the probability that a thousand coins show heads is below the range
    // of f64.
    let mut log = -(coins as f64) * std::f64::consts::LN_2;
    let mut sum = log.exp();
    for heads in 1..=most {
        log += ((coins - heads + 1) as f64 / heads as f64).ln();
        sum += log.exp();
    }
    sum
}

//! Permutation tests: the differences to expect if chance decided which of two outcomes of a sample comes first.

use crate::bootstrap::draw;

/// Up to this number of samples, all ways to swap them are tried.
const EXACT: usize = 12;

/// Returns the two-sided p-value of a mean difference over paired samples: how often it is at least as far from 0 as
/// observed if the sign of each sample's difference is a coin toss. Returns `None` without samples.
///
/// With at most 12 nonzero differences, all ways are tried and the p-value is exact. Otherwise `replicates` ways are
/// drawn, each a function of seed and position only, and the p-value is `(1 + as far) / (1 + replicates)`, which is
/// never 0 (Phipson, Smyth 2010). Samples without a difference are ignored.
///
/// ```
/// # use hard_imagenet_metrics::sign_flip_p;
/// assert_eq!(sign_flip_p(&[1.0, 2.0, 3.0], 1000, 0), Some(0.25));
/// ```
///
/// R. A. Fisher: The Design of Experiments, 1935, section 21. B. Phipson, G. K. Smyth: Permutation P-values should never
/// be zero. Statistical Applications in Genetics and Molecular Biology 9, 2010.
pub fn sign_flip_p(differences: &[f64], replicates: u32, seed: u64) -> Option<f64> {
    let moving: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let sum: f64 = moving.iter().sum();
    let statistic = |swapped: &[u64]| Some(sum - 2.0 * swapped_units(swapped).map(|s| moving[s]).sum::<f64>());
    (!differences.is_empty()).then(|| swap_p(sum, moving.len(), replicates, seed, statistic))
}

/// Returns how often a statistic is at least as far from 0 as `observed` when each of `units` is swapped or not. The
/// statistic receives the swapped units as bits. A swap for which it is undefined does not count.
pub(crate) fn swap_p(
    observed: f64,
    units: usize,
    replicates: u32,
    seed: u64,
    mut statistic: impl FnMut(&[u64]) -> Option<f64>,
) -> f64 {
    // Sums in another order differ in their last digits.
    let limit = observed.abs() * (1.0 - 1e-9) - 1e-14;
    let mut far = |swapped: &[u64]| u64::from(statistic(swapped).is_some_and(|value| value.abs() >= limit));
    if units <= EXACT {
        let ways = 1u64 << units;
        return (0..ways).map(|way| far(&[way])).sum::<u64>() as f64 / ways as f64;
    }
    let mut words = vec![0; units.div_ceil(64)];
    let mut count = 1;
    for replicate in 0..u64::from(replicates) {
        for (place, word) in words.iter_mut().enumerate() {
            let left = units - 64 * place;
            *word = draw(seed ^ SALT, replicate, place as u64) & (u64::MAX >> (64 - left.min(64)));
        }
        count += far(&words);
    }
    count as f64 / (f64::from(replicates) + 1.0)
}

/// Separates the swaps from what a bootstrap with the same seed draws.
const SALT: u64 = 0x7377_6170_7300_0000;

/// Iterates over the positions of the set bits.
pub(crate) fn swapped_units(words: &[u64]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(place, &word)| {
        let next = |word: &u64| Some(word & (word - 1)).filter(|rest| *rest != 0);
        std::iter::successors(Some(word).filter(|w| *w != 0), next)
            .map(move |word| 64 * place + word.trailing_zeros() as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_numbered() {
        let check = |words: &[u64], expected: &[usize]| assert!(swapped_units(words).eq(expected.iter().copied()));
        check(&[], &[]);
        check(&[0], &[]);
        check(&[0b1011, 0, 1 << 63], &[0, 1, 3, 191]);
    }

    #[test]
    fn drawn_signs_agree_with_all_signs() {
        // Compare all 8192 sign patterns of 13 differences with 20,000 drawn ones.
        let differences: Vec<f64> = (0..13).map(|i| f64::from(i * 7 % 13) - 4.0 + 0.125).collect();
        let sum: f64 = differences.iter().sum();
        let far = (0u64..1 << 13).filter(|&way| {
            let flipped: f64 = swapped_units(&[way]).map(|s| differences[s]).sum();
            (sum - 2.0 * flipped).abs() >= sum.abs() - 1e-9
        });
        let (exact, drawn) = (far.count() as f64 / 8192.0, sign_flip_p(&differences, 20_000, 3).unwrap());
        assert!(0.05 < exact && exact < 0.5 && (drawn - exact).abs() < 0.012, "{drawn} is not {exact}");
    }

    #[test]
    fn nothing_and_no_difference() {
        assert_eq!(sign_flip_p(&[], 10, 0), None);
        assert_eq!(sign_flip_p(&[0.0; 40], 10, 0), Some(1.0));
        assert_eq!(sign_flip_p(&[1.0; 40], 99, 0), Some(0.01));
    }
}

//! Drawing the samples of each bootstrap replicate.

use hard_imagenet_cpu::random::{below, splitmix64};
use std::ops::Range;

/// Classes with fewer samples than this are pooled for drawing, because resampling within them says little: nothing
/// ever varies within a class of one sample.
pub(crate) const SMALLEST_STRATUM: usize = 5;

/// Returns how often each sample occurs in each replicate: `replicates` rows of one weight per sample.
///
/// Every replicate draws from each class as many samples as the class has, with replacement. Each draw is a function of
/// seed, replicate and position only, so the weights depend on nothing else.
pub(crate) fn weights(classes: &[Range<usize>], samples: usize, replicates: usize, seed: u64) -> Vec<u8> {
    let mut weights = vec![0u8; replicates * samples];
    let (large, small): (Vec<_>, Vec<_>) = classes.iter().cloned().partition(|class| class.len() >= SMALLEST_STRATUM);
    let mut strata: Vec<Vec<usize>> = large.into_iter().map(Iterator::collect).collect();
    strata.push(small.into_iter().flatten().collect());
    for (replicate, row) in weights.chunks_exact_mut(samples.max(1)).enumerate() {
        for stratum in &strata {
            for &position in stratum {
                let bits = draw(seed, replicate as u64, position as u64);
                let chosen = stratum[below(bits, stratum.len() as u64) as usize];
                row[chosen] = row[chosen].saturating_add(1);
            }
        }
    }
    weights
}

/// Returns 64 random bits for a position in a replicate.
pub(crate) fn draw(seed: u64, replicate: u64, position: u64) -> u64 {
    splitmix64(splitmix64(splitmix64(seed).wrapping_add(replicate)).wrapping_add(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_never_change() {
        // Intervals of earlier runs depend on these bits.
        assert_eq!(draw(0, 0, 0), splitmix64(splitmix64(0xe220_a839_7b1d_cdaf)));
    }

    #[test]
    fn replicates_keep_the_size_of_large_classes() {
        let classes = [0..10, 10..30, 30..31, 31..33];
        for row in weights(&classes, 33, 50, 1).chunks(33) {
            let total = |range: Range<usize>| row[range].iter().map(|w| usize::from(*w)).sum::<usize>();
            assert_eq!((total(0..10), total(10..30), total(30..33)), (10, 20, 3));
        }
    }

    #[test]
    fn samples_are_drawn_evenly() {
        let class = 0..20;
        let rows = weights(std::slice::from_ref(&class), 20, 5000, 7);
        for sample in 0..20 {
            let mean = rows.iter().skip(sample).step_by(20).map(|w| f64::from(*w)).sum::<f64>() / 5000.0;
            // The standard error is 0.014.
            assert!((mean - 1.0).abs() < 0.06, "sample {sample} is drawn {mean} times");
        }
    }

    #[test]
    fn no_samples_no_weights() {
        assert!(weights(&[], 0, 10, 0).is_empty());
    }
}

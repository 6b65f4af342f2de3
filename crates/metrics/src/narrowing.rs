//! How much the plain bootstrap underestimates intervals.

use crate::bootstrap::SMALLEST_STRATUM;
use crate::quantity::{Quantity, taking_part};
use std::ops::Range;

/// The correction for drawing samples from themselves. In a stratum of `n` samples, the variance of their mean comes
/// out too small by a factor of `(n − 1) / n`, and it has `n − 1` degrees of freedom (Hesterberg 2015).
pub(crate) struct Narrowing {
    /// The factor by which standard errors are too small.
    pub(crate) factor: f64,
    /// Degrees of freedom of the variance, at least 1.
    pub(crate) freedom: f64,
}

impl Narrowing {
    /// Computes the correction for a mean over the samples of the classes in the group, or over these classes.
    pub(crate) fn new(quantity: &Quantity, group: &[Range<usize>], class_mean: bool) -> Self {
        let size = |class: &Range<usize>| taking_part(quantity, class.clone()) as f64;
        let small = |class: &Range<usize>| class.len() < SMALLEST_STRATUM;
        // Small classes are pooled for drawing.
        let together: f64 = group.iter().filter(|class| small(class)).map(size).sum();
        let (mut all, mut drawn) = (0.0, 0.0);
        let (mut samples, mut strata) = (0.0, if together > 0.0 { 1.0 } else { 0.0 });
        for class in group.iter().filter(|class| size(class) > 0.0) {
            let n = size(class);
            let stratum = if small(class) { together } else { n };
            // The variance of a class's mean is proportional to 1 / n; a mean over samples weighs it by n².
            let variance = if class_mean { 1.0 / n } else { n };
            all += variance;
            drawn += variance * (1.0 - 1.0 / stratum);
            samples += n;
            strata += if small(class) { 0.0 } else { 1.0 };
        }
        let factor = if drawn > 0.0 { f64::sqrt(all / drawn) } else { 1.0 };
        Self { factor, freedom: f64::max(samples - strata, 1.0) }
    }
}

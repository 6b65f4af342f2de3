//! Which epoch was the best, and whether a better one is still expected.

use crate::Epoch;

/// Returns the index of the epoch with the best validation accuracy, the first one among equals.
pub(crate) fn best_epoch(epochs: &[Epoch]) -> Option<usize> {
    let accuracy = |epoch: &Epoch| epoch.validation.unwrap_or(f64::NEG_INFINITY);
    let best = epochs.iter().map(accuracy).fold(f64::NEG_INFINITY, f64::max);
    epochs.iter().position(|epoch| accuracy(epoch) == best)
}

/// Returns whether `patience` epochs have passed without a better validation accuracy.
pub(crate) fn is_out_of_patience(epochs: &[Epoch], patience: Option<usize>) -> bool {
    match (patience, best_epoch(epochs)) {
        (Some(patience), Some(best)) if epochs[best].validation.is_some() => epochs.len() - 1 - best >= patience.max(1),
        _ => false,
    }
}

use crate::TrainingError;
use candle_core::Tensor;

/// Updates the group weights by the losses of a batch and returns the weighted loss, a scalar (Sagawa et al. 2020,
/// algorithm 1).
///
/// `losses` `(B)` holds the loss of each sample and `groups` its group. The weight of each group grows by
/// `exp(eta · mean loss of the group)`, and all weights are scaled to sum 1. Groups without a sample in the batch keep
/// their weight before the scaling.
pub(crate) fn worst_group_loss(
    losses: &Tensor,
    groups: &[usize],
    weights: &mut [f64],
    eta: f64,
) -> Result<Tensor, TrainingError> {
    let values = losses.to_vec1::<f32>()?;
    let mut counts = vec![0usize; weights.len()];
    let mut sums = vec![0.0; weights.len()];
    for (&group, &loss) in groups.iter().zip(&values) {
        counts[group] += 1;
        sums[group] += f64::from(loss);
    }
    for (group, weight) in weights.iter_mut().enumerate().filter(|(group, _)| counts[*group] > 0) {
        *weight *= (eta * sums[group] / counts[group] as f64).exp();
    }
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    let shares: Vec<f32> = groups.iter().map(|&group| (weights[group] / counts[group] as f64) as f32).collect();
    Ok((losses * Tensor::new(shares, losses.device())?)?.sum_all()?)
}

//! Normalizations.

use super::take;
use candle_core::{Result, Tensor};
use hard_imagenet_kernels::{self as kernels, BatchStatistics};

pub(super) fn batch_norm(x: &Tensor, weights: &[&Tensor], eps: f64) -> Result<Tensor> {
    let [weight, bias, mean, variance] = take(weights)?;
    kernels::batch_norm(x, mean, variance, weight, bias, eps)
}

/// Normalizes by the batch's statistics and returns these too.
pub(crate) fn batch_norm_training(x: &Tensor, weights: &[&Tensor], eps: f64) -> Result<(Tensor, BatchStatistics)> {
    let [weight, bias] = take(weights)?;
    kernels::batch_norm_training(x, weight, bias, eps)
}

pub(super) fn layer_norm(x: &Tensor, weights: &[&Tensor], eps: f64) -> Result<Tensor> {
    let [weight, bias] = take(weights)?;
    kernels::layer_norm(x, weight, bias, eps)
}

/// Returns the shape itself if it has `channels` at dimension `dim`.
pub(super) fn channels_at(x: &[usize], dim: usize, channels: usize) -> std::result::Result<Vec<usize>, String> {
    if x.get(dim) == Some(&channels) { Ok(x.to_vec()) } else { Err(format!("{channels} channels at dimension {dim}")) }
}

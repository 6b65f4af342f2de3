use candle_core::{DType, Result, Tensor};
use hard_imagenet_kernels::softmax;

/// Cross entropy of each sample, `(B)`, f32: `logits` `(B, K)`, `labels` `(B)` u32. With label smoothing (Szegedy et al.
/// 2016) the target is `1 − smoothing` on the label and `smoothing` spread evenly over all classes.
///
/// # Errors
/// From candle, for other shapes and for labels beyond the classes.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Tensor> {
    let log_p = log_softmax(&logits.to_dtype(DType::F32)?)?;
    let own = log_p.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?;
    if smoothing == 0.0 {
        return own.neg();
    }
    (own * (smoothing - 1.0))? - (log_p.mean(1)? * smoothing)?
}

/// z − log Σ exp z, after the largest is taken off, over the last dimension.
pub(crate) fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let largest = logits.max_keepdim(1)?.detach();
    let shifted = logits.broadcast_sub(&largest)?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)
}

/// Softmax less the one of the label: the gradient of each sample's cross entropy with respect to its logits, `(B, K)`.
pub(crate) fn logit_gradient(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let p = softmax(&logits.to_dtype(DType::F32)?)?;
    let one = Tensor::ones((labels.dim(0)?, 1), DType::F32, logits.device())?;
    p - Tensor::zeros(logits.shape(), DType::F32, logits.device())?.scatter_add(&labels.unsqueeze(1)?, &one, 1)?
}

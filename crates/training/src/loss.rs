use candle_core::{DType, Result, Tensor};
use hard_imagenet_kernels::softmax;

/// Returns the cross entropy of each sample, `(B)` f32.
///
/// `logits` are `(B, K)` and `labels` `(B)` u32. With label smoothing (Szegedy et al. 2016) the target is
/// `1 − smoothing` on the label, plus `smoothing` spread evenly over all classes.
///
/// # Errors
/// Returns candle's error for other shapes and for labels of K or more.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Tensor> {
    let log_p = log_softmax(&logits.to_dtype(DType::F32)?)?;
    let label_log_p = log_p.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?;
    if smoothing == 0.0 {
        return label_log_p.neg();
    }
    (label_log_p * (smoothing - 1.0))? - (log_p.mean(1)? * smoothing)?
}

/// Returns z − log Σ exp z over the last dimension. The largest logit is subtracted first, so that nothing overflows.
pub(crate) fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let largest = logits.max_keepdim(1)?.detach();
    let shifted = logits.broadcast_sub(&largest)?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)
}

/// Returns the gradient of each sample's cross entropy with respect to its logits, `(B, K)`: the softmax, minus one at
/// the label.
pub(crate) fn logit_gradient(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let p = softmax(&logits.to_dtype(DType::F32)?)?;
    let one = Tensor::ones((labels.dim(0)?, 1), DType::F32, logits.device())?;
    p - Tensor::zeros(logits.shape(), DType::F32, logits.device())?.scatter_add(&labels.unsqueeze(1)?, &one, 1)?
}

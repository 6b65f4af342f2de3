use crate::with_gradient;
use candle_core::{DType, Result, Tensor};

/// Normalizes each channel of `x` by fixed statistics: (x - mean) / √(variance + eps) · weight + bias.
///
/// `x` is `(B, C, ..)` and the other tensors are `(C)`, all of one dtype; the result has the shape of `x`. Gradients flow to
/// all of them.
///
/// # Errors
/// Returns an error if the shapes or dtypes do not match.
pub fn batch_norm(
    x: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    let scale = (weight / (variance + eps)?.sqrt()?)?;
    let shift = (bias - (mean * &scale)?)?;
    let shape = channel_shape(x)?;
    x.broadcast_mul(&scale.reshape(shape.clone())?)?.broadcast_add(&shift.reshape(shape)?)
}

/// The statistics of one batch, one value per channel, without gradients.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// The mean of each channel, `(C)`.
    pub mean: Tensor,
    /// The variance of each channel, divided by n - 1, `(C)`. Running statistics are updated with it.
    pub unbiased_variance: Tensor,
}

/// Normalizes each channel of `x` by the batch's own statistics (the variance divided by n), as in training, and returns
/// these statistics too.
///
/// `x` is `(B, C, H, W)`, `weight` and `bias` are `(C)`; the result has the shape and dtype of `x`. Statistics are computed
/// in f32. Gradients flow to all three tensors, and the gradient of `x` includes that the statistics depend on it.
///
/// # Errors
/// Returns an error if the shapes do not match or a channel has fewer than two values.
pub fn batch_norm_training(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<(Tensor, BatchStatistics)> {
    let (b, _, h, w) = x.dims4()?;
    let n = (b * h * w) as f64;
    if b * h * w < 2 {
        candle_core::bail!("batch statistics need at least two values per channel, got a batch of {:?}", x.dims());
    }
    let constant = x.detach().to_dtype(DType::F32)?;
    let mean = channel_mean(&constant)?;
    let centered = constant.broadcast_sub(&mean)?;
    let variance = channel_mean(&centered.sqr()?)?;
    let scale = (&variance + eps)?.sqrt()?.recip()?;
    let y = centered.broadcast_mul(&scale)?.to_dtype(x.dtype())?;
    let statistics = BatchStatistics {
        mean: mean.flatten_all()?.to_dtype(x.dtype())?,
        unbiased_variance: (variance.flatten_all()? * (n / (n - 1.0)))?.to_dtype(x.dtype())?,
    };
    let y = with_gradient(x, y, move |_, y, dy| {
        // dx = (dy - mean(dy) - y mean(dy y)) / σ
        let (y, g) = (y.to_dtype(DType::F32)?, dy.to_dtype(DType::F32)?);
        let g = (g.broadcast_sub(&channel_mean(&g)?)? - y.broadcast_mul(&channel_mean(&(&g * &y)?)?)?)?;
        g.broadcast_mul(&scale)?.to_dtype(dy.dtype())
    })?;
    let shape = channel_shape(x)?;
    let y = y.broadcast_mul(&weight.reshape(shape.clone())?)?.broadcast_add(&bias.reshape(shape)?)?;
    Ok((y, statistics))
}

/// Returns the means over batch and pixels, `(1, C, 1, 1)`. Pixels come first because they lie side by side in memory.
fn channel_mean(x: &Tensor) -> Result<Tensor> {
    let (_, c, _, _) = x.dims4()?;
    x.flatten_from(2)?.mean(2)?.mean(0)?.reshape((1, c, 1, 1))
}

fn channel_shape(x: &Tensor) -> Result<Vec<usize>> {
    let mut shape = vec![1; x.rank()];
    shape[1] = x.dim(1)?;
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, device, sample};

    #[test]
    fn training_gradients_of_input_weight_and_bias() -> Result<()> {
        let (x, w, b) = (sample("x", (3, 2, 2, 3))?, sample("w", 2)?, sample("b", 2)?);
        check_gradient(&x, |x| Ok(batch_norm_training(x, &w, &b, 1e-5)?.0))?;
        check_gradient(&w, |w| Ok(batch_norm_training(&x, w, &b, 1e-5)?.0))?;
        check_gradient(&b, |b| Ok(batch_norm_training(&x, &w, b, 1e-5)?.0))
    }

    #[test]
    fn normalizes_by_fixed_statistics() -> Result<()> {
        let device = &device();
        let x = Tensor::new(&[[[[1f32, 3.]], [[5., 5.]]]], device)?;
        let t = |values: [f32; 2]| Tensor::new(&values, device);
        let (mean, variance, weight, bias) = (t([1., 5.])?, t([4., 1.])?, t([2., 1.])?, t([0.5, -1.])?);
        let y = batch_norm(&x, &mean, &variance, &weight, &bias, 0.0)?;
        assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [0.5, 2.5, -1., -1.]);
        check_gradient(&x, |x| batch_norm(x, &mean, &variance, &weight, &bias, 0.0))
    }

    #[test]
    fn batch_and_running_statistics_of_equal_value_normalize_alike() -> Result<()> {
        let (x, w, b) = (sample("x", (4, 3, 5, 5))?, sample("w", 3)?, sample("b", 3)?);
        let (y, statistics) = batch_norm_training(&x, &w, &b, 1e-5)?;
        let biased = (&statistics.unbiased_variance * (99.0 / 100.0))?;
        let error = (y - batch_norm(&x, &statistics.mean, &biased, &w, &b, 1e-5)?)?.abs()?.max_all()?;
        assert!(error.to_scalar::<f32>()? < 1e-5);
        Ok(())
    }
}

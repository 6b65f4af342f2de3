use crate::with_gradient;
use candle_core::{DType, Result, Tensor};

/// Normalisation by fixed statistics: `(x - mean) / √(variance + eps) · weight + bias`, channel by channel.
/// `x`: `(B, C, ..)`, the others `(C)`.
///
/// # Errors
/// From candle, when the shapes do not fit.
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

/// Statistics of one batch, a value a channel, without gradient.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// `(C)`.
    pub mean: Tensor,
    /// `(C)`, divided by n - 1: what running statistics are updated with.
    pub unbiased_variance: Tensor,
}

/// Normalisation by the batch's own statistics (the variance divided by n), as in training. The gradient knows that the
/// statistics depend on `x`. `x`: `(B, C, H, W)`.
///
/// # Errors
/// From candle, when the shapes do not fit; when there is only one value a channel.
pub fn batch_norm_training(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<(Tensor, BatchStatistics)> {
    let (b, _, h, w) = x.dims4()?;
    let n = (b * h * w) as f64;
    if b * h * w < 2 {
        candle_core::bail!("batch statistics need more than one value a channel, got a batch of {:?}", x.dims());
    }
    let constant = x.detach().to_dtype(DType::F32)?;
    let mean = channel_mean(&constant)?;
    let centred = constant.broadcast_sub(&mean)?;
    let variance = channel_mean(&centred.sqr()?)?;
    let scale = (&variance + eps)?.sqrt()?.recip()?;
    let y = centred.broadcast_mul(&scale)?.to_dtype(x.dtype())?;
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

/// Means over batch and pixels, `(1, C, 1, 1)`. Pixels first, for they lie side by side in memory.
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
    fn fixed_statistics() -> Result<()> {
        let device = &device();
        let x = Tensor::new(&[[[[1f32, 3.]], [[5., 5.]]]], device)?;
        let t = |values: [f32; 2]| Tensor::new(&values, device);
        let (mean, variance, weight, bias) = (t([1., 5.])?, t([4., 1.])?, t([2., 1.])?, t([0.5, -1.])?);
        let y = batch_norm(&x, &mean, &variance, &weight, &bias, 0.0)?;
        assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [0.5, 2.5, -1., -1.]);
        check_gradient(&x, |x| batch_norm(x, &mean, &variance, &weight, &bias, 0.0))
    }

    #[test]
    fn batch_statistics_equal_running_ones_of_the_same_values() -> Result<()> {
        let (x, w, b) = (sample("x", (4, 3, 5, 5))?, sample("w", 3)?, sample("b", 3)?);
        let (y, statistics) = batch_norm_training(&x, &w, &b, 1e-5)?;
        let biased = (&statistics.unbiased_variance * (99.0 / 100.0))?;
        let error = (y - batch_norm(&x, &statistics.mean, &biased, &w, &b, 1e-5)?)?.abs()?.max_all()?;
        assert!(error.to_scalar::<f32>()? < 1e-5);
        Ok(())
    }
}

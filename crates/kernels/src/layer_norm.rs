use crate::rows::{map_rows, sum};
use crate::with_gradient;
use candle_core::{D, DType, Device, Result, Tensor};
use hard_imagenet_cpu::dispatch;

/// Normalizes the last dimension of `x` (.., C): (x - mean) / √(variance + eps) · weight + bias.
///
/// `weight` and `bias` are `(C)`; the result has the shape and dtype of `x`. Mean and variance (divided by C) are computed in
/// f32. Gradients flow to all three tensors.
///
/// # Errors
/// Returns an error if the shapes do not match.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if !x.device().is_cpu() || weight.track_op() || bias.track_op() {
        return normalize(x, eps)?.broadcast_mul(weight)?.broadcast_add(bias);
    }
    // On the CPU, with frozen weights, everything is one pass over memory.
    let y = normalize_rows(x, eps, &to_vec(weight)?, &to_vec(bias)?)?;
    let weight = weight.clone();
    with_gradient(x, y, move |x, _, dy| input_gradient(x, &dy.broadcast_mul(&weight)?, eps))
}

/// Normalizes without weight and bias. The gradient of this part is attached here; those of weight and bias are candle's.
fn normalize(x: &Tensor, eps: f64) -> Result<Tensor> {
    let n = x.dim(D::Minus1)?;
    let y = match x.device() {
        Device::Cpu => normalize_rows(x, eps, &vec![1.0; n], &vec![0.0; n])?,
        _ => {
            let (centered, deviation) = moments(&x.detach(), eps)?;
            centered.broadcast_div(&deviation)?.to_dtype(x.dtype())?
        }
    };
    with_gradient(x, y, move |x, _, dy| input_gradient(x, dy, eps))
}

/// Returns the directional derivative of [`layer_norm`] as `x` (.., C) moves along `dx`, in the shape of `x`.
///
/// It does not depend on the bias. The result can be differentiated with respect to `x`, `dx` and `weight`.
///
/// # Errors
/// Returns an error if the shapes do not match.
pub fn layer_norm_tangent(x: &Tensor, dx: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    // The Jacobian of the normalization is symmetric, so the formula of the gradient also serves here.
    input_gradient(x, dx, eps)?.broadcast_mul(weight)
}

fn to_vec(x: &Tensor) -> Result<Vec<f32>> {
    x.to_dtype(DType::F32)?.to_vec1()
}

fn normalize_rows(x: &Tensor, eps: f64, weight: &[f32], bias: &[f32]) -> Result<Tensor> {
    let n = x.dim(D::Minus1)?;
    if weight.len() != n || bias.len() != n {
        candle_core::bail!("{} weights do not match the last dimension of {:?}", weight.len(), x.dims());
    }
    map_rows(x, n, n, x.shape(), |x, y| dispatch!(normalize_row(x, y, eps as f32, weight, bias)))
}

/// Three passes over a row, which stays in the first-level cache: the mean, the variance, the result.
#[inline(always)]
fn normalize_row(x: &[f32], y: &mut [f32], eps: f32, weight: &[f32], bias: &[f32]) {
    let n = x.len() as f32;
    // The variance has a pass of its own: the mean of the squares minus the square of the mean loses digits if the mean is
    // large.
    let mean = sum(x, |x| x) / n;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / n;
    let scale = (variance + eps).sqrt().recip();
    for (((y, x), weight), bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
        *y = (x - mean) * scale * weight + bias;
    }
}

/// Returns dx = (dn - mean(dn) - n mean(dn n)) / σ for the gradient `dn` of the normalized value n.
fn input_gradient(x: &Tensor, dn: &Tensor, eps: f64) -> Result<Tensor> {
    let (centered, deviation) = moments(x, eps)?;
    let (n, g) = (centered.broadcast_div(&deviation)?, dn.to_dtype(DType::F32)?);
    let g = (g.broadcast_sub(&g.mean_keepdim(D::Minus1)?)? - n.broadcast_mul(&(&g * &n)?.mean_keepdim(D::Minus1)?)?)?;
    g.broadcast_div(&deviation)?.to_dtype(dn.dtype())
}

/// Returns x - mean and √(variance + eps), both in f32.
fn moments(x: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    let x = x.to_dtype(DType::F32)?;
    let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centered.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    Ok((centered, deviation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, device, sample};

    #[test]
    fn gradients_of_input_weight_and_bias() -> Result<()> {
        let (x, w, b) = (sample("x", (2, 3, 8))?, sample("w", 8)?, sample("b", 8)?);
        check_gradient(&x, |x| layer_norm(x, &w, &b, 1e-6))?;
        check_gradient(&w, |w| layer_norm(&x, w, &b, 1e-6))?;
        check_gradient(&b, |b| layer_norm(&x, &w, b, 1e-6))
    }

    #[test]
    fn digits_survive_a_large_mean() -> Result<()> {
        let x = Tensor::new(&[1000f32, 1001., 1002., 1003.], &device())?;
        let y = normalize(&x, 1e-6)?.to_vec1::<f32>()?;
        assert!((y[0] + 1.341_640_8).abs() < 1e-6, "{y:?}");
        Ok(())
    }
}

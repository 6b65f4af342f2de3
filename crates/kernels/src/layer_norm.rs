use crate::rows::{map_rows, sum};
use crate::with_gradient;
use candle_core::{D, DType, Device, Result, Tensor};
use multiversion::multiversion;

/// (x - mean) / √(variance + eps) · weight + bias over the last dimension of `x` (.., C); `weight`, `bias`: (C).
///
/// # Errors
/// From candle, when the shapes do not fit.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if !x.device().is_cpu() || weight.track_op() || bias.track_op() {
        return normalise(x, eps)?.broadcast_mul(weight)?.broadcast_add(bias);
    }
    // On the CPU, with frozen weights, all in one pass.
    let y = rows(x, eps, &to_vec(weight)?, &to_vec(bias)?)?;
    let weight = weight.clone();
    with_gradient(x, y, move |x, _, dy| input_gradient(x, &dy.broadcast_mul(&weight)?, eps))
}

/// The part without parameters; its gradient is attached here, those of weight and bias are candle's.
fn normalise(x: &Tensor, eps: f64) -> Result<Tensor> {
    let n = x.dim(D::Minus1)?;
    let y = match x.device() {
        Device::Cpu => rows(x, eps, &vec![1.0; n], &vec![0.0; n])?,
        _ => {
            let (centred, deviation) = moments(&x.detach(), eps)?;
            centred.broadcast_div(&deviation)?.to_dtype(x.dtype())?
        }
    };
    with_gradient(x, y, move |x, _, dy| input_gradient(x, dy, eps))
}

/// How [`layer_norm`] changes as `x` moves along `dx`, of the same shape. Both may be differentiated.
///
/// # Errors
/// From candle, when the shapes do not fit.
pub fn layer_norm_tangent(x: &Tensor, dx: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    // The normalisation's Jacobian is symmetric.
    input_gradient(x, dx, eps)?.broadcast_mul(weight)
}

fn to_vec(x: &Tensor) -> Result<Vec<f32>> {
    x.to_dtype(DType::F32)?.to_vec1()
}

fn rows(x: &Tensor, eps: f64, weight: &[f32], bias: &[f32]) -> Result<Tensor> {
    let n = x.dim(D::Minus1)?;
    if weight.len() != n || bias.len() != n {
        candle_core::bail!("{} weights do not fit the last dimension of {:?}", weight.len(), x.dims());
    }
    map_rows(x, n, n, x.shape(), |x, y| row(x, y, eps as f32, weight, bias))
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn row(x: &[f32], y: &mut [f32], eps: f32, weight: &[f32], bias: &[f32]) {
    let n = x.len() as f32;
    // Two passes: a single one (mean of squares less square of the mean) loses digits where the mean is large.
    let mean = sum(x, |x| x) / n;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / n;
    let scale = (variance + eps).sqrt().recip();
    for (((y, x), weight), bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
        *y = (x - mean) * scale * weight + bias;
    }
}

/// With n the normalised value: dx = (dn - mean(dn) - n mean(dn n)) / σ
fn input_gradient(x: &Tensor, dn: &Tensor, eps: f64) -> Result<Tensor> {
    let (centred, deviation) = moments(x, eps)?;
    let (n, g) = (centred.broadcast_div(&deviation)?, dn.to_dtype(DType::F32)?);
    let g = (g.broadcast_sub(&g.mean_keepdim(D::Minus1)?)? - n.broadcast_mul(&(&g * &n)?.mean_keepdim(D::Minus1)?)?)?;
    g.broadcast_div(&deviation)?.to_dtype(dn.dtype())
}

/// x - mean, and √(variance + eps), both f32.
fn moments(x: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    let x = x.to_dtype(DType::F32)?;
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    Ok((centred, deviation))
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
    fn keeps_its_digits_where_the_mean_is_large() -> Result<()> {
        let x = Tensor::new(&[1000f32, 1001., 1002., 1003.], &device())?;
        let y = normalise(&x, 1e-6)?.to_vec1::<f32>()?;
        assert!((y[0] + 1.341_640_8).abs() < 1e-6, "{y:?}");
        Ok(())
    }
}

use crate::math::exp;
use crate::rows::{map_rows, sum};
use crate::with_gradient;
use candle_core::{D, Device, Result, Tensor};
use multiversion::multiversion;

/// exp(x) / Σ exp(x) over the last dimension.
///
/// # Errors
/// From candle.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let y = match x.device() {
        Device::Cpu => {
            let n = x.dim(D::Minus1)?;
            map_rows(x, n, n, x.shape(), row)?
        }
        _ => candle_nn::ops::softmax_last_dim(&x.detach().contiguous()?)?,
    };
    // dx = y (dy - Σ dy y)
    with_gradient(x, y, |_, y, dy| y * dy.broadcast_sub(&(dy * y)?.sum_keepdim(D::Minus1)?)?)
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn row(x: &[f32], y: &mut [f32]) {
    let max = largest(x);
    for (y, x) in y.iter_mut().zip(x) {
        *y = exp(x - max);
    }
    let scale = sum(y, |y| y).recip();
    y.iter_mut().for_each(|y| *y *= scale);
}

/// Of what is not NaN; minus infinity of nothing.
#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; 32];
    for x in x.chunks(most.len()) {
        for (most, x) in most.iter_mut().zip(x) {
            *most = if *x > *most { *x } else { *most };
        }
    }
    most.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, device, sample};

    #[test]
    fn rows_sum_to_one_even_when_large() -> Result<()> {
        let y = softmax(&Tensor::new(&[[1000f32, 1001., -5000.], [0., 0., 0.]], &device())?)?.to_vec2::<f32>()?;
        assert!((y[0][1] - 0.731_058_6).abs() < 1e-6);
        assert_eq!(y[0][2], 0.0);
        assert!((y[1][0] - 1.0 / 3.0).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn gradients() -> Result<()> {
        check_gradient(&(sample("softmax", (2, 3, 5))? * 3.0)?, softmax)
    }
}

use crate::math::exp;
use crate::rows::{map_rows, sum};
use crate::with_gradient;
use candle_core::{D, Device, Result, Tensor};
use hard_imagenet_cpu::dispatch;

/// Returns exp(x) / Σ exp(x) over the last dimension of `x` (.., N), in its shape and dtype.
///
/// The gradient flows to `x`. On the CPU the sums are f32, and NaN in a row makes the whole row NaN.
///
/// # Errors
/// Returns an error if `x` has no dimensions or an operation fails on its device.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let y = match x.device() {
        Device::Cpu => {
            let n = x.dim(D::Minus1)?;
            map_rows(x, n, n, x.shape(), |x, y| dispatch!(softmax_row(x, y)))?
        }
        _ => candle_nn::ops::softmax_last_dim(&x.detach().contiguous()?)?,
    };
    // dx = y (dy - Σ dy y)
    with_gradient(x, y, |_, y, dy| y * dy.broadcast_sub(&(dy * y)?.sum_keepdim(D::Minus1)?)?)
}

/// Three passes over a row, which stays in the first-level cache: the maximum, the exponentials, the division by their sum.
#[inline(always)]
fn softmax_row(x: &[f32], y: &mut [f32]) {
    // Subtracting the maximum keeps the exponentials finite.
    let max = largest(x);
    for (y, x) in y.iter_mut().zip(x) {
        *y = exp(x - max);
    }
    let scale = sum(y, |y| y).recip();
    y.iter_mut().for_each(|y| *y *= scale);
}

/// Returns the largest value that is not NaN, or minus infinity if there is none.
#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    // 32 maxima side by side, so that comparisons do not wait for each other.
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

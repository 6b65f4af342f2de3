use crate::rows::map_rows;
use crate::taps::{Axis, pad, tap, unpad, untap};
use crate::with_gradient;
use candle_core::{Device, Result, Tensor};

/// A square pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dParams {
    /// Side of the window, in pixels.
    pub size: usize,
    /// Step between windows.
    pub stride: usize,
    /// Rows and columns added on each side, which never win.
    pub padding: usize,
}

impl Pool2dParams {
    /// Length of an axis after pooling; 0 when the window does not fit, or does not move.
    pub fn output(&self, length: usize) -> usize {
        if self.size == 0 || self.stride == 0 {
            return 0;
        }
        (length + 2 * self.padding).checked_sub(self.size).map_or(0, |room| room / self.stride + 1)
    }
}

/// The largest value of each window: `(B, C, H, W)` to `(B, C, H', W')`, incomplete windows at the far ends left out.
///
/// The gradient goes to the window's maximum alone; of equal ones the first in row-major order has it, as in torch.
/// On the CPU a NaN in a window wins.
///
/// # Errors
/// When the window is larger than the padded picture, or the padding larger than half the window.
pub fn max_pool2d(x: &Tensor, params: Pool2dParams) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let (oh, ow) = (params.output(h), params.output(w));
    if oh == 0 || ow == 0 || 2 * params.padding > params.size {
        candle_core::bail!("a max pool {params:?} does not fit a picture of {h} × {w}");
    }
    let y = match x.device() {
        Device::Cpu => {
            map_rows(x, h * w, oh * ow, (b, c, oh, ow), move |x, y| pool_plane(x, (h, w), y, (oh, ow), params))?
        }
        _ => pad(&x.detach(), params.padding, f32::NEG_INFINITY)?.max_pool2d_with_stride(params.size, params.stride)?,
    };
    with_gradient(x, y, move |x, y, dy| {
        let padded = pad(x, params.padding, f32::NEG_INFINITY)?;
        let (_, _, ph, pw) = padded.dims4()?;
        let mut free = y.ones_like()?;
        let mut dx = padded.zeros_like()?;
        for ky in 0..params.size {
            for kx in 0..params.size {
                let rows = Axis { start: ky, stride: params.stride, count: oh };
                let columns = Axis { start: kx, stride: params.stride, count: ow };
                let hit = (tap(&padded, rows, columns)?.eq(y)?.to_dtype(y.dtype())? * &free)?;
                free = (free - &hit)?;
                dx = (dx + untap(&(hit * dy)?, rows, columns, ph, pw)?)?;
            }
        }
        unpad(&dx, params.padding)
    })
}

fn pool_plane(x: &[f32], (h, w): (usize, usize), y: &mut [f32], (oh, ow): (usize, usize), p: Pool2dParams) {
    for row in 0..oh {
        let top = (row * p.stride).saturating_sub(p.padding);
        let bottom = (row * p.stride + p.size - p.padding).min(h);
        for column in 0..ow {
            let left = (column * p.stride).saturating_sub(p.padding);
            let right = (column * p.stride + p.size - p.padding).min(w);
            let mut best = f32::NEG_INFINITY;
            for line in top..bottom {
                for &v in &x[line * w + left..line * w + right] {
                    if v > best || v.is_nan() {
                        best = v;
                    }
                }
            }
            y[row * ow + column] = best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient;
    use crate::testing::{check_gradient, sample};
    use candle_core::Var;

    #[test]
    fn gradients_of_overlapping_padded_and_odd_windows() -> Result<()> {
        for (size, stride, padding) in [(3, 2, 1), (2, 2, 0), (3, 1, 1), (3, 3, 0)] {
            // Spread out, so that the steps of the finite differences do not swap two maxima.
            let order: Vec<f32> = (0..2 * 7 * 8).map(|i| ((i * 37) % 112) as f32 / 10.0 - 3.0).collect();
            let x = Tensor::from_vec(order, (1, 2, 7, 8), &Device::Cpu)?;
            check_gradient(&x, |x| max_pool2d(x, Pool2dParams { size, stride, padding }))?;
        }
        Ok(())
    }

    #[test]
    fn equals_candles_pool_of_a_padded_picture() -> Result<()> {
        let x = sample("pool", (2, 3, 9, 7))?;
        let want = pad(&x, 1, f32::NEG_INFINITY)?.max_pool2d_with_stride(3, 2)?;
        let got = max_pool2d(&x, Pool2dParams { size: 3, stride: 2, padding: 1 })?;
        assert_eq!(got.flatten_all()?.to_vec1::<f32>()?, want.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    #[test]
    fn the_first_of_equal_maxima_has_the_gradient() -> Result<()> {
        let x = Var::new(&[[[[1f32, 1.], [1., 1.]]]], &Device::Cpu)?;
        let y = max_pool2d(&x, Pool2dParams { size: 2, stride: 2, padding: 0 })?;
        assert_eq!(gradient(&y.sum_all()?, &x)?.flatten_all()?.to_vec1::<f32>()?, [1., 0., 0., 0.]);
        Ok(())
    }

    #[test]
    fn a_window_that_does_not_fit_is_an_error() {
        let x = sample("small", (1, 1, 2, 2)).unwrap();
        assert!(max_pool2d(&x, Pool2dParams { size: 3, stride: 1, padding: 0 }).is_err());
    }
}

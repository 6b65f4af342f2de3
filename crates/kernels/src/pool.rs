use crate::pad::pad;
use crate::rows::map_rows;
use crate::taps::{Axis, tap, unpad, untap};
use crate::with_gradient;
use candle_core::{Device, Result, Tensor};

/// A square pooling window and its movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dParams {
    /// The side of the window, in pixels.
    pub size: usize,
    /// The step between neighboring windows, in pixels.
    pub stride: usize,
    /// The number of rows and columns added on each side. They never are the maximum, and they count in a mean only on
    /// request.
    pub padding: usize,
    /// Whether windows that reach beyond the far ends are kept, as with torch's `ceil_mode`.
    pub ceil: bool,
}

impl Pool2dParams {
    /// Creates windows of the given side that do not overlap and have no padding.
    pub fn new(size: usize) -> Self {
        Self { size, stride: size, padding: 0, ceil: false }
    }

    /// Returns the length of an axis of `length` pixels after pooling. It is 0 if the window does not fit or does not move.
    pub fn output_len(&self, length: usize) -> usize {
        if self.size == 0 || self.stride == 0 {
            return 0;
        }
        let Some(room) = (length + 2 * self.padding).checked_sub(self.size) else { return 0 };
        if !self.ceil {
            return room / self.stride + 1;
        }
        // The last window must begin within the image or the padding before it.
        let windows = room.div_ceil(self.stride) + 1;
        if (windows - 1) * self.stride >= length + self.padding { windows - 1 } else { windows }
    }

    /// Returns the height and width after pooling.
    fn output_size(&self, h: usize, w: usize) -> Result<(usize, usize)> {
        let (oh, ow) = (self.output_len(h), self.output_len(w));
        if oh == 0 || ow == 0 || 2 * self.padding > self.size {
            candle_core::bail!("the window of {self:?} does not fit into an image of {h} × {w}");
        }
        Ok((oh, ow))
    }

    /// Returns the pixels of window `i` along an axis, without padding.
    fn window(&self, i: usize, length: usize) -> std::ops::Range<usize> {
        let end = (i * self.stride + self.size - self.padding.min(i * self.stride + self.size)).min(length);
        (i * self.stride).saturating_sub(self.padding).min(end)..end
    }

    /// Returns how many rows or columns must be added at both ends so that every window is whole.
    fn frame(&self, length: usize) -> (usize, usize) {
        let reach = (self.output_len(length) - 1) * self.stride + self.size;
        (self.padding, self.padding.max(reach.saturating_sub(length + self.padding)))
    }

    /// Adds [`Self::frame`] of a value on all sides.
    fn add_frame(&self, x: &Tensor, value: f32) -> Result<Tensor> {
        let (_, _, h, w) = x.dims4()?;
        pad(&pad(x, 2, self.frame(h), value)?, 3, self.frame(w), value)
    }

    /// Returns the rows and columns that each tap of the window reads, taps in row-major order.
    fn taps(&self, oh: usize, ow: usize) -> impl Iterator<Item = (Axis, Axis)> {
        let Self { size, stride, .. } = *self;
        (0..size * size).map(move |tap| {
            let (ky, kx) = (tap / size, tap % size);
            (Axis { start: ky, stride, count: oh }, Axis { start: kx, stride, count: ow })
        })
    }
}

/// Returns the largest value of each window: `(B, C, H, W)` becomes `(B, C, H', W')` in the same dtype.
///
/// The gradient goes to the maximum of the window; of equal maxima the first in row-major order receives it, as in torch. On
/// the CPU, a window that contains NaN yields NaN.
///
/// # Errors
/// Returns an error if the window is larger than the padded image or the padding larger than half the window.
pub fn max_pool2d(x: &Tensor, params: Pool2dParams) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let (oh, ow) = params.output_size(h, w)?;
    let y = match x.device() {
        Device::Cpu => {
            map_rows(x, h * w, oh * ow, (b, c, oh, ow), move |x, y| max_plane(x, (h, w), y, (oh, ow), params))?
        }
        _ => params
            .add_frame(&x.detach(), f32::NEG_INFINITY)?
            .max_pool2d_with_stride(params.size, params.stride)?
            .narrow(2, 0, oh)?
            .narrow(3, 0, ow)?
            .contiguous()?,
    };
    with_gradient(x, y, move |x, y, dy| {
        let framed = params.add_frame(x, f32::NEG_INFINITY)?;
        let (_, _, fh, fw) = framed.dims4()?;
        // 1 for the windows whose maximum has not been found at an earlier tap.
        let mut free = y.ones_like()?;
        let mut dx = framed.zeros_like()?;
        for (rows, columns) in params.taps(oh, ow) {
            let hit = (tap(&framed, rows, columns)?.eq(y)?.to_dtype(y.dtype())? * &free)?;
            free = (free - &hit)?;
            dx = (dx + untap(&(hit * dy)?, rows, columns, fh, fw)?)?;
        }
        unpad(&dx, params.padding, (h, w))
    })
}

/// Returns the directional derivative of [`max_pool2d`] as `x` `(B, C, H, W)` moves along `dx`, in the shape of `y`.
///
/// `y` is the value of the pool. The derivative of a window is that of its maximum, the first of equal ones. The gradient of
/// the result flows to `dx`.
///
/// # Errors
/// Returns an error in the cases of [`max_pool2d`].
pub fn max_pool2d_tangent(x: &Tensor, y: &Tensor, dx: &Tensor, params: Pool2dParams) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let (oh, ow) = params.output_size(h, w)?;
    let y = y.detach();
    let (x, dx) = (params.add_frame(&x.detach(), f32::NEG_INFINITY)?, params.add_frame(dx, 0.0)?);
    let mut free = y.ones_like()?;
    let mut dy = y.zeros_like()?;
    for (rows, columns) in params.taps(oh, ow) {
        let hit = (tap(&x, rows, columns)?.eq(&y)?.to_dtype(y.dtype())? * &free)?;
        free = (free - &hit)?;
        dy = (dy + (tap(&dx, rows, columns)? * hit)?)?;
    }
    Ok(dy)
}

/// Writes the maximum of each window of one plane.
fn max_plane(x: &[f32], (h, w): (usize, usize), y: &mut [f32], (oh, ow): (usize, usize), p: Pool2dParams) {
    for row in 0..oh {
        let lines = p.window(row, h);
        for column in 0..ow {
            let pixels = p.window(column, w);
            let mut best = f32::NEG_INFINITY;
            for line in lines.clone() {
                for &v in &x[line * w + pixels.start..line * w + pixels.end] {
                    if v > best || v.is_nan() {
                        best = v;
                    }
                }
            }
            y[row * ow + column] = best;
        }
    }
}

/// Returns the mean of each window: `(B, C, H, W)` becomes `(B, C, H', W')` in the same dtype.
///
/// With `count_padding` the padding counts as zeros, without it the mean is over the image's own pixels. The gradient flows to
/// `x`.
///
/// # Errors
/// Returns an error in the cases of [`max_pool2d`].
pub fn avg_pool2d(x: &Tensor, params: Pool2dParams, count_padding: bool) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let (oh, ow) = params.output_size(h, w)?;
    let shares = shares(params, count_padding, (h, w), (oh, ow));
    let y = match x.device() {
        Device::Cpu => map_rows(x, h * w, oh * ow, (b, c, oh, ow), |x, y| {
            for (i, (y, share)) in y.iter_mut().zip(&shares).enumerate() {
                let (lines, pixels) = (params.window(i / ow, h), params.window(i % ow, w));
                let sum: f32 = lines.map(|l| x[l * w + pixels.start..l * w + pixels.end].iter().sum::<f32>()).sum();
                *y = sum * share;
            }
        })?,
        device => {
            let framed = params.add_frame(&x.detach(), 0.0)?;
            let share = Tensor::from_slice(&shares, (1, 1, oh, ow), device)?.to_dtype(x.dtype())?;
            let mut sum = Tensor::zeros((b, c, oh, ow), x.dtype(), device)?;
            for (rows, columns) in params.taps(oh, ow) {
                sum = (sum + tap(&framed, rows, columns)?)?;
            }
            sum.broadcast_mul(&share)?
        }
    };
    with_gradient(x, y, move |_, _, dy| {
        if dy.device().is_cpu() {
            return map_rows(dy, oh * ow, h * w, (b, c, h, w), |dy, dx| {
                for (i, (dy, share)) in dy.iter().zip(&shares).enumerate() {
                    let (lines, pixels) = (params.window(i / ow, h), params.window(i % ow, w));
                    for line in lines {
                        dx[line * w + pixels.start..line * w + pixels.end].iter_mut().for_each(|dx| *dx += dy * share);
                    }
                }
            });
        }
        let share = Tensor::from_slice(&shares, (1, 1, oh, ow), dy.device())?.to_dtype(dy.dtype())?;
        let dy = dy.broadcast_mul(&share)?;
        let (fh, fw) = (h + params.frame(h).0 + params.frame(h).1, w + params.frame(w).0 + params.frame(w).1);
        let mut dx = Tensor::zeros((b, c, fh, fw), dy.dtype(), dy.device())?;
        for (rows, columns) in params.taps(oh, ow) {
            dx = (dx + untap(&dy, rows, columns, fh, fw)?)?;
        }
        unpad(&dx, params.padding, (h, w))
    })
}

/// Returns one over the number of pixels in each window, row-major.
fn shares(p: Pool2dParams, count_padding: bool, (h, w): (usize, usize), (oh, ow): (usize, usize)) -> Vec<f32> {
    let count = |i: usize, length: usize| match count_padding {
        // A window that reaches beyond the padding is cut there.
        true => (i * p.stride + p.size).min(length + 2 * p.padding) - i * p.stride,
        false => p.window(i, length).len(),
    };
    (0..oh * ow).map(|i| 1.0 / (count(i / ow, h) * count(i % ow, w)) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient;
    use crate::testing::{check_gradient, device, sample};
    use candle_core::Var;

    #[test]
    fn gradients_of_overlapping_padded_and_odd_windows() -> Result<()> {
        for (size, stride, padding, ceil) in
            [(3, 2, 1, false), (2, 2, 0, false), (3, 1, 1, false), (3, 3, 0, false), (2, 2, 0, true), (3, 2, 0, true)]
        {
            // The values are spread out so that the steps of the finite differences do not swap two maxima.
            let order: Vec<f32> = (0..2 * 7 * 8).map(|i| ((i * 37) % 112) as f32 / 10.0 - 3.0).collect();
            let x = Tensor::from_vec(order, (1, 2, 7, 8), &device())?;
            let params = Pool2dParams { size, stride, padding, ceil };
            check_gradient(&x, |x| max_pool2d(x, params))?;
            check_gradient(&x, |x| avg_pool2d(x, params, true))?;
            check_gradient(&x, |x| avg_pool2d(x, params, false))?;
        }
        Ok(())
    }

    #[test]
    fn equals_candles_pool_of_a_padded_image() -> Result<()> {
        let x = sample("pool", (2, 3, 9, 7))?;
        let want =
            pad(&pad(&x, 2, (1, 1), f32::NEG_INFINITY)?, 3, (1, 1), f32::NEG_INFINITY)?.max_pool2d_with_stride(3, 2)?;
        let got = max_pool2d(&x, Pool2dParams { stride: 2, padding: 1, ..Pool2dParams::new(3) })?;
        assert_eq!(got.flatten_all()?.to_vec1::<f32>()?, want.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    }

    /// Windows over the image 0 1 2 / 3 4 5 / 6 7 8, with the values of torch's `avg_pool2d`.
    #[test]
    fn means() -> Result<()> {
        let x = Tensor::arange(0f32, 9., &device())?.reshape((1, 1, 3, 3))?;
        let check = |params: Pool2dParams, count_padding, want: &[f32]| -> Result<()> {
            let got = avg_pool2d(&x, params, count_padding)?.flatten_all()?.to_vec1::<f32>()?;
            assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{params:?}: {got:?}");
            assert_eq!(got.len(), want.len());
            Ok(())
        };
        let two = Pool2dParams::new(2);
        check(two, true, &[2.])?;
        check(Pool2dParams { ceil: true, ..two }, true, &[2., 3.5, 6.5, 8.])?;
        check(Pool2dParams { padding: 1, ..two }, true, &[0., 0.75, 2.25, 6.])?;
        check(Pool2dParams { padding: 1, ..two }, false, &[0., 1.5, 4.5, 6.])?;
        check(
            Pool2dParams { stride: 2, padding: 1, ..Pool2dParams::new(3) },
            true,
            &[8. / 9., 12. / 9., 20. / 9., 24. / 9.],
        )
    }

    #[test]
    fn the_first_of_equal_maxima_receives_the_gradient() -> Result<()> {
        let x = Var::new(&[[[[1f32, 1.], [1., 1.]]]], &device())?;
        let y = max_pool2d(&x, Pool2dParams::new(2))?;
        assert_eq!(gradient(&y.sum_all()?, &x)?.flatten_all()?.to_vec1::<f32>()?, [1., 0., 0., 0.]);
        Ok(())
    }

    #[test]
    fn a_window_that_does_not_fit_is_an_error() {
        let x = sample("small", (1, 1, 2, 2)).unwrap();
        assert!(max_pool2d(&x, Pool2dParams::new(3)).is_err());
    }
}

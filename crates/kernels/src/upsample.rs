use crate::linear::matmul;
use candle_core::{Result, Tensor};

/// Repeats each pixel `factor` times along rows and columns: `(B, C, H, W)` becomes `(B, C, factor · H, factor · W)`.
///
/// The dtype stays and the gradient flows to `x`.
///
/// # Errors
/// Returns an error if `x` does not have four dimensions.
pub fn upsample_nearest2d(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let x = x.contiguous()?.reshape((b, c, h, 1, w, 1))?;
    x.broadcast_as((b, c, h, factor, w, factor))?.contiguous()?.reshape((b, c, h * factor, w * factor))
}

/// Interpolates linearly along rows and columns: `(B, C, H, W)` becomes `(B, C, height, width)`.
///
/// With `align_corners` the centers of the outermost pixels stay in place, without it the edges of the image do, both as in
/// torch. The dtype stays and the gradient flows to `x`.
///
/// # Errors
/// Returns an error if `x` does not have four dimensions.
pub fn upsample_bilinear2d(x: &Tensor, (height, width): (usize, usize), align_corners: bool) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    // A product with a matrix of weights along each axis has a gradient without further code.
    let along = |x: &Tensor, from: usize, to: usize| -> Result<Tensor> {
        let weights = Tensor::from_vec(interpolation(from, to, align_corners), (from, to), x.device())?;
        let (b, c, rows, _) = x.dims4()?;
        let flat = x.contiguous()?.reshape((b * c * rows, from))?;
        matmul(&flat, &weights.to_dtype(x.dtype())?)?.reshape((b, c, rows, to))
    };
    let x = along(x, w, width)?.transpose(2, 3)?;
    along(&x, h, height)?.transpose(2, 3)?.contiguous()
}

/// Returns the weight of each of `from` values in each of `to` results, row-major `(from, to)`.
fn interpolation(from: usize, to: usize, align_corners: bool) -> Vec<f32> {
    let mut weights = vec![0.0; from * to];
    for i in 0..to {
        let at = if align_corners {
            i as f64 * (from - 1) as f64 / (to.max(2) - 1) as f64
        } else {
            ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0)
        };
        let first = (at as usize).min(from - 1);
        let second = (first + 1).min(from - 1);
        let share = at - first as f64;
        weights[first * to + i] += (1.0 - share) as f32;
        weights[second * to + i] += share as f32;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, device, sample};

    #[test]
    fn values_equal_torch() -> Result<()> {
        // torch.nn.functional.interpolate from [[0, 1], [2, 3]] to 4 × 3, computed by hand.
        let x = Tensor::new(&[[[[0f32, 1.], [2., 3.]]]], &device())?;
        let check = |align, want: [[f32; 3]; 4]| -> Result<()> {
            let got = upsample_bilinear2d(&x, (4, 3), align)?.squeeze(0)?.squeeze(0)?.to_vec2::<f32>()?;
            for (got, want) in got.iter().flatten().zip(want.iter().flatten()) {
                assert!((got - want).abs() < 1e-6, "{got} {want}");
            }
            Ok(())
        };
        check(false, [[0., 0.5, 1.], [0.5, 1., 1.5], [1.5, 2., 2.5], [2., 2.5, 3.]])?;
        let third = 2. / 3.;
        check(
            true,
            [
                [0., 0.5, 1.],
                [third, third + 0.5, third + 1.],
                [2. * third, 2. * third + 0.5, 2. * third + 1.],
                [2., 2.5, 3.],
            ],
        )?;
        let near = upsample_nearest2d(&x, 2)?.squeeze(0)?.squeeze(0)?.to_vec2::<f32>()?;
        assert_eq!(near, [[0., 0., 1., 1.], [0., 0., 1., 1.], [2., 2., 3., 3.], [2., 2., 3., 3.]]);
        Ok(())
    }

    #[test]
    fn gradients() -> Result<()> {
        let x = sample("upsample", (2, 2, 3, 4))?;
        check_gradient(&x, |x| upsample_bilinear2d(x, (5, 9), false))?;
        check_gradient(&x, |x| upsample_bilinear2d(x, (5, 9), true))?;
        // Used twice, candle's own operation overwrites the gradient of the first use.
        check_gradient(&x, |x| upsample_nearest2d(x, 2)? + upsample_nearest2d(x, 2)?)
    }
}

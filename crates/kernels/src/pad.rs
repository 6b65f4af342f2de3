use candle_core::{Result, Tensor};

/// Adds `before` elements of `value` at the start of dimension `dim` and `after` elements at its end.
///
/// The rest of the shape and the dtype stay, and the gradient flows to `x`.
///
/// # Errors
/// Returns an error if `x` has no dimension `dim`.
pub fn pad(x: &Tensor, dim: usize, (before, after): (usize, usize), value: f32) -> Result<Tensor> {
    let side = |length: usize| {
        let mut shape = x.dims().to_vec();
        shape[dim] = length;
        Tensor::full(value, shape, x.device())?.to_dtype(x.dtype())
    };
    x.dim(dim)?;
    match (before, after) {
        (0, 0) => x.contiguous(),
        (_, 0) => Tensor::cat(&[&side(before)?, x], dim),
        (0, _) => Tensor::cat(&[x, &side(after)?], dim),
        _ => Tensor::cat(&[&side(before)?, x, &side(after)?], dim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, device, sample};

    #[test]
    fn pads_either_side() -> Result<()> {
        let x = Tensor::new(&[[1f32, 2.], [3., 4.]], &device())?;
        assert_eq!(pad(&x, 1, (1, 2), 9.0)?.to_vec2::<f32>()?, [[9., 1., 2., 9., 9.], [9., 3., 4., 9., 9.]]);
        assert_eq!(pad(&x, 0, (0, 1), 0.0)?.to_vec2::<f32>()?, [[1., 2.], [3., 4.], [0., 0.]]);
        assert!(pad(&x, 2, (1, 1), 0.0).is_err());
        check_gradient(&sample("pad", (2, 3))?, |x| pad(x, 0, (2, 1), 0.5))
    }
}

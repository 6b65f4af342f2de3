use crate::with_gradient;
use candle_core::{Result, Tensor};

/// Returns the largest value of `x` along `dim`, in the dtype of `x`. The shape keeps the dimension with length 1.
///
/// Equal maxima share the gradient, as in torch's `amax`.
///
/// # Errors
/// Returns an error if `x` has no dimension `dim`.
pub fn max_keepdim(x: &Tensor, dim: usize) -> Result<Tensor> {
    let y = x.detach().max_keepdim(dim)?;
    with_gradient(x, y, move |x, y, dy| {
        let hit = x.broadcast_eq(y)?.to_dtype(x.dtype())?;
        let share = (dy / hit.sum_keepdim(dim)?)?;
        hit.broadcast_mul(&share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient;
    use crate::testing::{check_gradient, device};
    use candle_core::Var;

    #[test]
    fn gradients() -> Result<()> {
        let order: Vec<f32> = (0..24).map(|i| ((i * 7) % 24) as f32 / 5.0).collect();
        check_gradient(&Tensor::from_vec(order, (2, 3, 4), &device())?, |x| max_keepdim(x, 1))?;
        let x = Var::new(&[[2f32, 2., 1.]], &device())?;
        assert_eq!(gradient(&max_keepdim(&x, 1)?.sum_all()?, &x)?.to_vec2::<f32>()?, [[0.5, 0.5, 0.]]);
        Ok(())
    }
}

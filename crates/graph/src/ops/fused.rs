//! Operations that apply an activation in the same pass over memory.

use super::{Activation, Binary, Op, take};
use candle_core::{DType, Result, Tensor};
use hard_imagenet_kernels as kernels;

impl Op {
    /// Returns an activation of this operation's value, with the bits that the two give one after the other, or `None` if the
    /// operation has no such form.
    ///
    /// Convolutions, linear layers and sums have one on the CPU in f32, as long as no gradient is recorded.
    ///
    /// # Errors
    /// Returns an error if shapes or dtypes do not match.
    pub(crate) fn fused_value(
        &self,
        activation: Activation,
        inputs: &[&Tensor],
        weights: &[&Tensor],
    ) -> Result<Option<Tensor>> {
        let plain = |t: &&Tensor| t.device().is_cpu() && t.dtype() == DType::F32 && !t.track_op();
        if !inputs.iter().chain(weights).all(plain) {
            return Ok(None);
        }
        match (self, inputs) {
            (Self::Conv2d(conv), [x]) => conv.fused_value(x, weights, activation),
            (Self::Linear { .. }, [x]) => {
                let [weight] = take(weights)?;
                kernels::linear_with_activation(x, weight, weights.get(1).copied(), activation).map(Some)
            }
            (Self::Binary(Binary::Add), [a, b]) if a.dims() == b.dims() => {
                kernels::add_with_activation(a, b, activation).map(Some)
            }
            _ => Ok(None),
        }
    }
}

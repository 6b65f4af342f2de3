//! Two nodes in one pass over memory.

use super::{Activation, Binary, Op, take};
use candle_core::{DType, Result, Tensor};
use hard_imagenet_kernels as kernels;

impl Op {
    /// An activation of this operation's value, to the bits that both would give one after the other; `None` where there is
    /// no such form. There is for convolutions, linear layers and sums on the CPU in f32, when nothing of it learns.
    ///
    /// # Errors
    /// From candle.
    pub(crate) fn activated(
        &self,
        then: Activation,
        inputs: &[&Tensor],
        weights: &[&Tensor],
    ) -> Result<Option<Tensor>> {
        let plain = |t: &&Tensor| t.device().is_cpu() && t.dtype() == DType::F32 && !t.track_op();
        if !inputs.iter().chain(weights).all(plain) {
            return Ok(None);
        }
        match (self, inputs) {
            (Self::Conv2d(conv), [x]) => conv.activated(x, weights, then),
            (Self::Linear { .. }, [x]) => {
                let [weight] = take(weights)?;
                kernels::linear_with_activation(x, weight, weights.get(1).copied(), then).map(Some)
            }
            (Self::Binary(Binary::Add), [a, b]) if a.dims() == b.dims() => {
                kernels::add_with_activation(a, b, then).map(Some)
            }
            _ => Ok(None),
        }
    }
}

use crate::cam::Formula;
use candle_core::Tensor;

/// GradCAM++ (Chattopadhay et al. 2018) at the model's own node or at a chosen one.
///
/// With g = ∂y/∂A_k at a place, α = g² / (2 g² + g³ Σ A_k) (eq. 19, which needs no second derivatives), the weights are
/// w_k = Σ α ReLU(g) (eq. 5), and raw = Σ w_k A_k. As in pytorch-grad-cam, 10⁻⁶ is added to the denominator. The map is
/// scaled like GradCAM's.
#[derive(Clone, Debug, Default)]
pub struct GradCamPlusPlus {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl Formula for GradCamPlusPlus {
    const WORD: &'static str = "gradcam++";

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn raw(activations: &Tensor, gradients: &Tensor) -> candle_core::Result<Tensor> {
        let squares = gradients.sqr()?;
        let cubes = (&squares * gradients)?;
        let denominator = ((&squares * 2.0)? + cubes.broadcast_mul(&activations.sum_keepdim(1)?)?)?;
        let alpha = (squares / (denominator + 1e-6)?)?;
        let weights = (gradients.relu()? * alpha)?.sum_keepdim(1)?;
        activations.broadcast_mul(&weights)?.sum(2)
    }
}

use crate::cam::Formula;
use candle_core::Tensor;

/// XGradCAM (Fu et al. 2020) at the model's own node or at a chosen one.
///
/// Gradients are weighted by each place's share of the channel: w_k = Σ (A_k / Σ A_k) ∂y/∂A_k (eq. 7), and
/// raw = Σ w_k A_k. As in pytorch-grad-cam, 10⁻⁷ is added to Σ A_k. The map is scaled like GradCAM's.
#[derive(Clone, Debug, Default)]
pub struct XGradCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl Formula for XGradCam {
    const WORD: &'static str = "xgradcam";

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn raw(activations: &Tensor, gradients: &Tensor) -> candle_core::Result<Tensor> {
        let sums = (activations.sum_keepdim(1)? + 1e-7)?;
        let weights = (gradients * activations)?.broadcast_div(&sums)?.sum_keepdim(1)?;
        activations.broadcast_mul(&weights)?.sum(2)
    }
}

use crate::cam::Formula;
use candle_core::Tensor;

/// LayerCAM (Jiang et al. 2021) at the model's own node or at a chosen one.
///
/// raw = Σ_k ReLU(∂y/∂A_k) ⊙ A_k (eq. 5 and 6). Each place has its own weights, and only activations that would raise
/// the logit count. The method is meant for early nodes, where GradCAM's mean gradient says little. The map is scaled
/// like GradCAM's.
#[derive(Clone, Debug, Default)]
pub struct LayerCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl Formula for LayerCam {
    const WORD: &'static str = "layercam";

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn raw(activations: &Tensor, gradients: &Tensor) -> candle_core::Result<Tensor> {
        (gradients.relu()? * activations)?.sum(2)
    }
}

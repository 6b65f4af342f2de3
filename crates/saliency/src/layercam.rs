use crate::cam::Formula;
use candle_core::Tensor;

/// LayerCAM (Jiang et al. 2021) at the model's own node, or a named one.
///
/// raw = Σ_k ReLU(∂y/∂A_k) ⊙ A_k (eq. 5 and 6): each place has weights of its own, and only what would raise the logit
/// counts. Made for early nodes, where GradCAM's mean gradient says little. Scaled as GradCAM's map.
#[derive(Clone, Debug, Default)]
pub struct LayerCam {
    /// `None`: the model's `cam_node`.
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

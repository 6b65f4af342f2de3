use crate::cam::Formula;
use candle_core::Tensor;

/// HiResCAM (Draelos and Carin 2020) at the model's own node or at a chosen one.
///
/// raw = Σ_k ∂y/∂A_k ⊙ A_k. Gradients are not averaged over places, so a place on which the logit does not depend stays
/// empty. If only a mean and a linear layer follow the node, raw equals GradCAM's. The map is scaled like GradCAM's.
#[derive(Clone, Debug, Default)]
pub struct HiResCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl Formula for HiResCam {
    const WORD: &'static str = "hirescam";

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn raw(activations: &Tensor, gradients: &Tensor) -> candle_core::Result<Tensor> {
        (gradients * activations)?.sum(2)
    }
}

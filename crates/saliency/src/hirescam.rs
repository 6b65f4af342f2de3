use crate::cam::Formula;
use candle_core::Tensor;

/// HiResCAM (Draelos and Carin 2020) at the model's own node, or a named one.
///
/// raw = Σ_k ∂y/∂A_k ⊙ A_k: gradients are not averaged over places, so a place that the logit does not depend on stays
/// empty. Where only a mean and a linear layer follow the node, it equals GradCAM. Scaled as GradCAM's map.
#[derive(Clone, Debug, Default)]
pub struct HiResCam {
    /// `None`: the model's `cam_node`.
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

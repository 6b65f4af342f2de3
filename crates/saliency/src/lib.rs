//! Heatmaps for a class decision. (Page to be completed.)
//!
//! CONTRACT for the rooms above.

use candle_core::Tensor;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::Model;

/// Why a decision could not be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// From the model.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// One image's map.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// At the node's own resolution, before any scaling: `(h, w)`.
    pub raw: Heatmap,
    /// At the input's resolution, in [0, 1]: `(H, W)`.
    pub map: Heatmap,
}

/// A way to ask which pixels spoke for a class.
pub trait Explain: Send + Sync {
    /// Its word in options and records: "gradcam".
    fn id(&self) -> String;

    /// One explanation an image: `x` is the network's input `(B, 3, H, W)`, `classes` one target class an image.
    ///
    /// # Errors
    /// A node that does not exist, a class beyond the head, a value without gradient.
    fn explain(&self, model: &Model, x: &Tensor, classes: &[u32]) -> Result<Vec<Explanation>, ExplainError>;
}

/// GradCAM at the model's own node, or a named one (SPEC 5.1).
#[derive(Clone, Debug, Default)]
pub struct GradCam {
    /// `None`: the model's `cam_node`.
    pub node: Option<String>,
}

use candle_core::Tensor;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::{Layout, Model};

/// Why a decision could not be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// Not one class for each image.
    #[error("{images} images need as many classes, got {classes}")]
    Count {
        /// Images of the batch.
        images: usize,
        /// Classes given.
        classes: usize,
    },
    /// A class that the head does not have.
    #[error("class {class} of a model with {classes} classes (0 to {})", classes.saturating_sub(1))]
    Class {
        /// The class asked for.
        class: u32,
        /// Length of the logits.
        classes: usize,
    },
    /// A node whose value has no rows and columns.
    #[error("node {node:?} has no place in the picture ({layout:?}); choose one with rows and columns")]
    Place {
        /// The node.
        node: String,
        /// How its value is read.
        layout: Layout,
    },
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

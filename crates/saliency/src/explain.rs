use candle_core::Tensor;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::{Layout, Model};
use hard_imagenet_perturbations::NoiseKey;
use std::ops::ControlFlow;

/// Why a decision could not be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The number of classes differs from the number of images.
    #[error("{images} images need as many classes, got {classes}")]
    Count {
        /// Number of images in the batch.
        images: usize,
        /// Number of classes given.
        classes: usize,
    },
    /// The explainer draws random numbers, and the number of keys differs from the number of images.
    #[error("{explainer} draws random numbers: {images} images need as many keys, got {keys}")]
    Keys {
        /// The explainer's word.
        explainer: String,
        /// Number of images in the batch.
        images: usize,
        /// Number of keys given.
        keys: usize,
    },
    /// The head does not have the class.
    #[error("class {class} of a model with {classes} classes (0 to {})", classes.saturating_sub(1))]
    Class {
        /// The class asked for.
        class: u32,
        /// Length of the logits.
        classes: usize,
    },
    /// The node's value has no rows and columns.
    #[error("node {node:?} has no place in the image ({layout:?}); choose one with rows and columns")]
    Place {
        /// The node.
        node: String,
        /// The layout of its value.
        layout: Layout,
    },
    /// The network has no attention between all tokens, which the explainer multiplies.
    #[error("{model}: {reason}; this explainer needs a transformer whose tokens all attend to each other")]
    Attention {
        /// The model's name.
        model: String,
        /// What the network has instead.
        reason: String,
    },
    /// The map and the image differ in size, or there is more than one image.
    #[error("a map of {} × {} needs one image of that size, got the input {input:?}", .map.0, .map.1)]
    Map {
        /// Rows and columns of the map.
        map: (usize, usize),
        /// Shape of the input.
        input: Vec<usize>,
    },
    /// The word names no explainer.
    #[error("unknown explainer {word:?}: {reason}; known are {known}")]
    Word {
        /// The word given.
        word: String,
        /// What is wrong with it.
        reason: &'static str,
        /// The known words.
        known: String,
    },
    /// An explainer that is not built in failed for another reason.
    #[error("{explainer}: {reason}")]
    Failed {
        /// The explainer's word.
        explainer: String,
        /// What went wrong.
        reason: String,
    },
    /// The caller canceled the work.
    #[error("canceled before the end")]
    Canceled,
    /// From the model.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// The map of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The map at the explainer's own resolution (that of a node, for example), before any scaling: `(h, w)`.
    pub raw: Heatmap,
    /// The map at the input's resolution, in [0, 1]: `(H, W)`.
    pub map: Heatmap,
}

/// What an explainer is asked: which pixels of each image spoke for its class?
pub struct ExplainRequest<'a> {
    /// The model whose decision is explained.
    pub model: &'a Model,
    /// The network's input, `(B, 3, H, W)`, normalized.
    pub x: &'a Tensor,
    /// One target class per image.
    pub classes: &'a [u32],
    /// One key per image. An image's random numbers follow from its key, so they depend neither on the other images nor
    /// on the place in the batch. May be empty for an explainer that is not random.
    pub keys: &'a [NoiseKey],
    /// Called with the number of passes of one image through the network that are done, and their total, by explainers
    /// that need many. Returning `Break` cancels the work with [`ExplainError::Canceled`].
    pub progress: &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>,
}

impl ExplainRequest<'_> {
    /// Returns the number of images, and the rows and columns of the input.
    ///
    /// # Errors
    /// Returns [`ExplainError::Count`] if there is not one class per image, and candle's error for an input without
    /// four dimensions.
    pub fn image_size(&self) -> Result<(usize, usize, usize), ExplainError> {
        let (images, _, height, width) = self.x.dims4()?;
        match self.classes.len() {
            classes if classes == images => Ok((images, height, width)),
            classes => Err(ExplainError::Count { images, classes }),
        }
    }

    /// Returns the keys, forked for the use of explainers.
    ///
    /// # Errors
    /// Returns [`ExplainError::Keys`] if there is not one key per image.
    pub fn forked_keys(&self, explainer: &dyn Explain) -> Result<Vec<NoiseKey>, ExplainError> {
        let (images, keys) = (self.x.dim(0)?, self.keys.len());
        if keys != images {
            return Err(ExplainError::Keys { explainer: explainer.id(), images, keys });
        }
        Ok(self.keys.iter().map(|key| key.fork("explain")).collect())
    }

    /// Reports how many passes of one image through the network are done.
    ///
    /// # Errors
    /// Returns [`ExplainError::Canceled`] if the caller cancels.
    pub fn report_progress(&mut self, done: usize, total: usize) -> Result<(), ExplainError> {
        match (self.progress)(done, total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ExplainError::Canceled),
        }
    }
}

/// Explains which pixels spoke for a class.
pub trait Explain: Send + Sync {
    /// Returns the explainer's word in options and records, such as "gradcam" or "gradcam:layer3". The words of
    /// built-in explainers are those that [`parse`](crate::parse) understands.
    fn id(&self) -> String;

    /// Returns the node that was chosen to look from; `None` if it is the model's own node or if no node is needed.
    fn node(&self) -> Option<&str> {
        None
    }

    /// Returns the explainer's name for tables, such as "Grad-CAM". The default is the word. Titles of built-in
    /// explainers are in [`EXPLAINERS`](crate::EXPLAINERS).
    fn title(&self) -> String {
        self.id()
    }

    /// Returns what the explainer does, in one sentence.
    fn sentence(&self) -> String {
        String::new()
    }

    /// Returns the version of what [`explain_request`](Self::explain_request) computes. Change it whenever maps change:
    /// a run that was started under one version is not resumed under another.
    fn version(&self) -> String {
        "1".to_owned()
    }

    /// Returns whether the explainer draws random numbers. Then [`ExplainRequest::keys`] are needed.
    fn is_random(&self) -> bool {
        false
    }

    /// Returns one explanation per image, in the order of the batch. An image's explanation does not depend on the
    /// other images.
    ///
    /// # Errors
    /// Returns an error for a node that does not exist or has no rows and columns, a class that the head does not have,
    /// an operation without gradient, missing keys, and if the caller cancels.
    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError>;

    /// Explains a batch like [`explain_request`](Self::explain_request), without keys and without reporting progress.
    /// `x` is the network's input `(B, 3, H, W)`, normalized, and `classes` has one target class per image.
    ///
    /// # Errors
    /// Returns the errors of [`explain_request`](Self::explain_request).
    fn explain(&self, model: &Model, x: &Tensor, classes: &[u32]) -> Result<Vec<Explanation>, ExplainError> {
        let progress = &mut |_, _| ControlFlow::Continue(());
        self.explain_request(ExplainRequest { model, x, classes, keys: &[], progress })
    }
}

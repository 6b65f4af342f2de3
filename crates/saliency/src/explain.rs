use candle_core::Tensor;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::{Layout, Model};
use hard_imagenet_perturbations::NoiseKey;
use std::ops::ControlFlow;

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
    /// Not one key for each image, and the explainer draws random numbers.
    #[error("{explainer} draws random numbers: {images} images need as many keys, got {keys}")]
    Keys {
        /// The explainer's word.
        explainer: String,
        /// Images of the batch.
        images: usize,
        /// Keys given.
        keys: usize,
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
    /// A network without the attention that the explainer multiplies.
    #[error("{model}: {reason}; this explainer needs a transformer whose tokens all attend to each other")]
    Attention {
        /// Name of the model.
        model: String,
        /// What there is instead.
        reason: String,
    },
    /// A map of another size than the picture that it is about, or more than one picture.
    #[error("a map of {} × {} is for one picture of that size, got the input {input:?}", .map.0, .map.1)]
    Map {
        /// Rows and columns of the map.
        map: (usize, usize),
        /// Shape of the input.
        input: Vec<usize>,
    },
    /// A word that names no explainer.
    #[error("unknown explainer {word:?}: {reason}; known are {known}")]
    Word {
        /// What was given.
        word: String,
        /// What is wrong with it.
        reason: &'static str,
        /// The words there are.
        known: String,
    },
    /// Any other failure of an explainer that is not built in.
    #[error("{explainer}: {reason}")]
    Failed {
        /// The explainer's word.
        explainer: String,
        /// What went wrong.
        reason: String,
    },
    /// Whoever asked wants no answer any more.
    #[error("stopped before the end")]
    Canceled,
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
    /// At the explainer's own resolution (a node's, say), before any scaling: `(h, w)`.
    pub raw: Heatmap,
    /// At the input's resolution, in [0, 1]: `(H, W)`.
    pub map: Heatmap,
}

/// What an explainer is asked: which pixels of each image spoke for its class?
pub struct ExplainRequest<'a> {
    /// Whose decision it is.
    pub model: &'a Model,
    /// The network's input, `(B, 3, H, W)`.
    pub x: &'a Tensor,
    /// One target class an image.
    pub classes: &'a [u32],
    /// One key an image, from which its random numbers follow, so that they depend neither on its neighbours nor on its
    /// place in the batch. May be empty for an explainer that is not random.
    pub keys: &'a [NoiseKey],
    /// Told how many passes of one image through the network are done, and of how many, where there are many. A break
    /// ends the work with [`ExplainError::Canceled`].
    pub progress: &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>,
}

impl ExplainRequest<'_> {
    /// Images, rows and columns of the input.
    ///
    /// # Errors
    /// Not one class for each image; an input without four dimensions.
    pub fn image_size(&self) -> Result<(usize, usize, usize), ExplainError> {
        let (images, _, height, width) = self.x.dims4()?;
        match self.classes.len() {
            classes if classes == images => Ok((images, height, width)),
            classes => Err(ExplainError::Count { images, classes }),
        }
    }

    /// The keys, forked for the explainer's own use.
    ///
    /// # Errors
    /// Not one key for each image.
    pub fn forked_keys(&self, explainer: &dyn Explain) -> Result<Vec<NoiseKey>, ExplainError> {
        let (images, keys) = (self.x.dim(0)?, self.keys.len());
        if keys != images {
            return Err(ExplainError::Keys { explainer: explainer.id(), images, keys });
        }
        Ok(self.keys.iter().map(|key| key.fork("explain")).collect())
    }

    /// Reports progress.
    ///
    /// # Errors
    /// [`ExplainError::Canceled`] when the answer is a break.
    pub fn report_progress(&mut self, passes: usize, of: usize) -> Result<(), ExplainError> {
        match (self.progress)(passes, of) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ExplainError::Canceled),
        }
    }
}

/// A way to ask which pixels spoke for a class.
pub trait Explain: Send + Sync {
    /// Its word in options and records, which [`parse`](crate::parse) understands: "gradcam", "gradcam:layer3".
    fn id(&self) -> String;

    /// The node that it was told to look from; `None` where the model's own is taken, or none is needed.
    fn node(&self) -> Option<&str> {
        None
    }

    /// Returns the explainer's name for tables, such as "Grad-CAM". The default for other than built-in explainers is the
    /// word.
    fn title(&self) -> String {
        let id = self.id();
        crate::registry::find(&id).map_or_else(|| id.clone(), |one| one.title.to_owned())
    }

    /// Returns what the explainer does, in one sentence.
    fn sentence(&self) -> String {
        crate::registry::find(&self.id()).map_or_else(String::new, |one| one.sentence.to_owned())
    }

    /// Returns the version of what [`explain_request`](Self::explain_request) computes. Change it whenever maps change: a run that was
    /// started under one version is not resumed under another.
    fn version(&self) -> String {
        "1".to_owned()
    }

    /// Does it draw random numbers? Then [`ExplainRequest::keys`] are needed.
    fn is_random(&self) -> bool {
        false
    }

    /// One explanation an image, in the order of the batch. An image's explanation does not depend on the others.
    ///
    /// # Errors
    /// A node that does not exist or has no rows and columns, a class beyond the head, a value without gradient, keys
    /// that are missing, a break.
    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError>;

    /// [`explain_request`](Self::explain_request) without keys, and without a word until the end: `x` is the network's input
    /// `(B, 3, H, W)`, `classes` one target class an image.
    ///
    /// # Errors
    /// As [`explain_request`](Self::explain_request).
    fn explain(&self, model: &Model, x: &Tensor, classes: &[u32]) -> Result<Vec<Explanation>, ExplainError> {
        let progress = &mut |_, _| ControlFlow::Continue(());
        self.explain_request(ExplainRequest { model, x, classes, keys: &[], progress })
    }
}

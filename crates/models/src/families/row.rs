use crate::{Architecture, ModelSpec};
use hard_imagenet_images::Preprocessing;

/// A model of the zoo.
pub(crate) struct Row {
    /// timm's name with the tag. Of rows that differ only in the tag, the first is meant where the tag is omitted.
    pub(crate) name: &'static str,
    pub(crate) architecture: &'static dyn Architecture,
    pub(crate) preprocess: Preprocessing,
    /// The number of logits that the published weights give.
    pub(crate) classes: usize,
}

impl Row {
    /// Returns the description of the model with a head of `classes` logits.
    pub(crate) fn spec(&self, classes: usize) -> ModelSpec {
        ModelSpec {
            name: self.name.to_owned(),
            preprocess: self.preprocess,
            classes,
            cam_node: self.architecture.cam_node(),
            feature_node: self.architecture.feature_node(),
            class_names: None,
        }
    }
}

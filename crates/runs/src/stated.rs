//! What perturbations and explainers that are not built in state about themselves.

use hard_imagenet_perturbations::Perturb;
use serde::{Deserialize, Serialize};

/// What `run.json` says about a perturbation that is not built in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerturbationDescription {
    /// The id, which is the condition in the records.
    pub id: String,
    /// The version of the computation. A run is not resumed under another version.
    pub version: String,
    /// A short title for table heads: "object inverted".
    pub title: String,
    /// What happens to the image, in a sentence or two.
    pub sentence: String,
    /// Whether the object's own pixels stay in the image.
    pub keeps_object: bool,
    /// Whether the result depends on the noise key, so that several trials make sense.
    pub is_random: bool,
}

impl PerturbationDescription {
    /// Describes a perturbation by what it states about itself.
    pub fn new(perturb: &dyn Perturb) -> Self {
        Self {
            id: perturb.id(),
            version: perturb.version(),
            title: perturb.title(),
            sentence: perturb.sentence(),
            keeps_object: perturb.keeps_object(),
            is_random: perturb.is_random(),
        }
    }
}

/// What `run.json` says about an explainer that is not built in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainerDescription {
    /// The word in the protocol and the records.
    pub id: String,
    /// The version of the computation. A run is not resumed under another version.
    pub version: String,
    /// A name for tables: "Grad-CAM".
    pub title: String,
    /// What the explainer does, in one sentence.
    pub sentence: String,
}

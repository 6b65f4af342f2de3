use serde::{Deserialize, Serialize};

/// What one model did with one sample under one condition and trial.
///
/// What does not apply is `None`. A sample that could not be evaluated has one record with `error` set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Sample id: "val/n03218198/ILSVRC2012_val_00000538".
    pub sample: String,
    /// The label the prediction is judged against: of the dataset or of ImageNet, by the model's head.
    pub label: u32,
    /// The class by name, for tables.
    pub class: String,
    /// "none", "gray", "noise:linf:0.25:fg", ...
    pub condition: String,
    /// 0 for conditions without randomness.
    pub trial: u32,
    /// Highest logit; `None` if the logits are not numbers.
    pub prediction: Option<u32>,
    /// Is the prediction the label?
    pub correct: Option<bool>,
    /// Softmax of the label, in [0, 1].
    pub confidence: Option<f32>,
    /// Share of the input that is object after the transform, in [0, 1]; on rows of "none".
    pub object_fraction: Option<f32>,
    /// Intersection over union of the binarised saliency map and the mask; on rows of "none".
    pub iou: Option<f32>,
    /// Delta saliency density in [-1, 1]; on rows of "none".
    pub delta_density: Option<f32>,
    /// Why this could not be evaluated.
    pub error: Option<String>,
}

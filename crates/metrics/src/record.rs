use crate::MapScores;
use serde::{Deserialize, Serialize};

/// What one model did with one sample under one condition and trial.
///
/// Fields that do not apply are `None`. A sample that could not be evaluated has a single record with `error` set. The
/// condition `map:WORD` does not stand for an image but for another explainer's map of the unchanged image; such a
/// record has only [`map`](Self::map).
///
/// `Record::default()` is an empty record to fill in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Sample id: "val/n03218198/ILSVRC2012_val_00000538".
    pub sample: String,
    /// The label that the prediction is judged against: the dataset's or ImageNet's, depending on the model's head.
    pub label: u32,
    /// The name of the class, for tables.
    pub class: String,
    /// "none", "gray", "noise:linf:0.25:fg", ...
    pub condition: String,
    /// 0 for conditions without randomness.
    pub trial: u32,
    /// The class with the highest logit; `None` if the logits are NaN.
    pub prediction: Option<u32>,
    /// Whether the prediction is the label.
    pub correct: Option<bool>,
    /// The number of the head's classes before the label, ordered by logit (equal logits by class number). 0 is right;
    /// below 5 counts as right among five.
    pub rank: Option<u32>,
    /// The same among the classes of the dataset only.
    pub rank_within: Option<u32>,
    /// Softmax of the label, in [0, 1].
    pub confidence: Option<f32>,
    /// Softmax of the prediction, in [0, 1].
    pub certainty: Option<f32>,
    /// The share of the input that is object after the transform, in [0, 1]. This field and the next three are set for
    /// "none".
    pub object_fraction: Option<f32>,
    /// The distance of the object's centroid from the image center, in units of half the diagonal, in [0, 1).
    pub eccentricity: Option<f32>,
    /// The number of separate pieces of the object (8-connected components).
    pub components: Option<u32>,
    /// The place of the image in the ranking of its class by spurious cues: 0 is first, 1 is last.
    pub cue_rank: Option<f32>,
    /// How well the saliency map agrees with the mask: for "none" the map of the first explainer, for `map:WORD` that
    /// of another explainer.
    pub map: MapScores,
    /// Why the sample could not be evaluated.
    pub error: Option<String>,
}

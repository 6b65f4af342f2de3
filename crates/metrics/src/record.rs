use crate::MapScores;
use serde::{Deserialize, Serialize};

/// What one model did with one sample under one condition and trial.
///
/// What does not apply is `None`. A sample that could not be evaluated has one record with `error` set. The condition
/// `map:WORD` stands for no picture but for a further explainer's map of the unchanged one: such a record has nothing
/// but [`map`](Self::map).
///
/// `Record::default()` is an empty one, to fill in what is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// How many classes of the head come before the label, by logit (of equal ones by number): 0 is right, less than 5
    /// is right among five.
    pub rank: Option<u32>,
    /// The same among the classes of the dataset alone.
    pub rank_within: Option<u32>,
    /// Softmax of the label, in [0, 1].
    pub confidence: Option<f32>,
    /// Softmax of the prediction, in [0, 1].
    pub certainty: Option<f32>,
    /// Share of the input that is object after the transform, in [0, 1]; this and the next three on rows of "none".
    pub object_fraction: Option<f32>,
    /// How far the object's centroid is from the centre, in units of half the diagonal, in [0, 1).
    pub eccentricity: Option<f32>,
    /// Pieces of the object that do not touch (8-connected components).
    pub components: Option<u32>,
    /// Where the image stands in the ranking of its class by spurious cues, 0 first, 1 last.
    pub cue_rank: Option<f32>,
    /// How well the saliency map agrees with the mask: on rows of "none" the map of the first explainer, on rows of
    /// `map:WORD` that of another.
    pub map: MapScores,
    /// Why this could not be evaluated.
    pub error: Option<String>,
}

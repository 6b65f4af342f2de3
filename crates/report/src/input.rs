use hard_imagenet_metrics::{Record, Scores};

/// A fact of this name says that a run was not finished, in words: "300 of 750 samples". The page warns with it.
pub const INCOMPLETE: &str = "incomplete";

/// All that a report says of one run: one model on one dataset.
#[derive(Clone, Debug)]
pub struct RunInput {
    /// The model's name.
    pub model: String,
    /// The dataset's name.
    pub dataset: String,
    /// The preset's name: "paper" or "strict".
    pub preset: String,
    /// Word of the explainer whose maps are scored on unchanged images, where there is one: "gradcam".
    pub explainer: Option<String>,
    /// What was run, in the order to show it: weights, seed, protocol, version, device, time, ... A fact named
    /// [`INCOMPLETE`] is shown as a warning.
    pub facts: Vec<(String, String)>,
    /// The scores of `records`.
    pub scores: Scores,
    /// What was recorded; the violins need every value.
    pub records: Vec<Record>,
    /// Pictures worth looking at.
    pub gallery: Vec<GalleryCase>,
}

/// One sample worth looking at.
#[derive(Clone, Debug)]
pub struct GalleryCase {
    /// What it is: its class and id.
    pub title: String,
    /// Why it is here: its scores, what was predicted.
    pub caption: String,
    /// Which end it is from.
    pub kind: CaseKind,
    /// Side by side: original, ablated, noisy, heatmap.
    pub pictures: Vec<Picture>,
}

/// Which end of the scale a case is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseKind {
    /// The model looks at the object.
    Best,
    /// The model looks elsewhere.
    Worst,
}

/// A picture and what it shows.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What it shows: "original", "heatmap", ...
    pub label: String,
    /// The picture as the bytes of a PNG or JPEG file.
    pub file: Vec<u8>,
}

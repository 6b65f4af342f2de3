use serde::{Deserialize, Serialize};

/// The pictures of a complete run, as its `gallery.json` lists them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    /// In the order in which they are shown.
    #[serde(rename = "cases")]
    pub exhibits: Vec<Exhibit>,
}

/// One sample that stands for something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exhibit {
    /// What it stands for: "Highest saliency overlap".
    pub title: String,
    /// Which end of the scale it is from.
    pub kind: ExhibitKind,
    /// The facts in a sentence or two.
    pub caption: String,
    /// Sample id.
    pub sample: String,
    /// The class by name.
    pub class: String,
    /// Intersection over union of the saliency map and the mask.
    pub iou: Option<f32>,
    /// The sample in its states, the untouched one first.
    pub panels: Vec<Panel>,
}

/// Which end of the scale a case is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExhibitKind {
    /// The model relies on the object.
    Best,
    /// The model relies on something else.
    Worst,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// Its JPEG, relative to the run folder, with `/` between folders.
    pub file: String,
    /// What it shows: "Object gray".
    pub title: String,
    /// The condition; `None` for the saliency map.
    pub condition: Option<String>,
    /// What the model said of it, by name where the class is one of the dataset's, else "class 7".
    pub prediction: Option<String>,
    /// Whether that was right.
    pub correct: Option<bool>,
    /// Softmax of the label.
    pub confidence: Option<f32>,
}

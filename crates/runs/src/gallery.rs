use serde::{Deserialize, Serialize};

/// The drawn samples of a complete run, as `gallery.json` lists them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    /// The samples in the order in which they are shown.
    #[serde(rename = "cases")]
    pub exhibits: Vec<Exhibit>,
}

/// A sample that is shown as an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exhibit {
    /// What it is an example of: "Highest saliency overlap".
    pub title: String,
    /// The end of the scale that it comes from.
    pub kind: ExhibitKind,
    /// The class, the size of the object and the saliency IoU, for people.
    pub caption: String,
    /// The sample id.
    pub sample: String,
    /// The name of the class.
    pub class: String,
    /// The intersection over union of the saliency map and the mask.
    pub iou: Option<f32>,
    /// The images of the sample, the unchanged one first.
    pub panels: Vec<Panel>,
}

/// The end of the scale that an exhibit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExhibitKind {
    /// The model relies on the object.
    Best,
    /// The model relies on something else.
    Worst,
}

/// One image of an exhibit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// The JPEG file, relative to the run folder, with `/` between folders.
    pub file: String,
    /// What the image shows: "Object gray".
    pub title: String,
    /// The condition; `None` for the saliency map.
    pub condition: Option<String>,
    /// The prediction, by name if the class is one of the dataset's, else as "class 7".
    pub prediction: Option<String>,
    /// Whether the prediction is the label.
    pub correct: Option<bool>,
    /// The softmax of the label.
    pub confidence: Option<f32>,
}

use hard_imagenet_findings::Finding;
use hard_imagenet_metrics::Estimate;

/// What the page of a ranking shows: the features that a model relies on, which of them are spurious, and which images
/// have the strongest spurious cues.
#[derive(Clone, Debug, Default)]
pub struct RankingPage {
    /// The model whose features these are.
    pub model: String,
    /// The dataset whose images were ranked.
    pub dataset: String,
    /// How the ranking was made, as names and values.
    pub facts: Vec<(String, String)>,
    /// What is suspicious about the dataset and the model.
    pub findings: Vec<Finding>,
    /// The classes, the hardest first.
    pub classes: Vec<RankingClass>,
}

/// A class, its features, and both ends of its ranking.
#[derive(Clone, Debug, Default)]
pub struct RankingClass {
    /// The class's name.
    pub name: String,
    /// Whether all of its important features are spurious.
    pub hard: bool,
    /// The important features, the most important first.
    pub features: Vec<RankingFeature>,
    /// The images with the strongest spurious cues, the strongest first.
    pub strongest: Vec<Thumbnail>,
    /// The images with the weakest spurious cues, the weakest last.
    pub weakest: Vec<Thumbnail>,
    /// Accuracy of the model in each tenth of the ranking, the strongest cues first.
    pub deciles: Vec<Option<Estimate>>,
}

/// A feature as evidence for a class.
#[derive(Clone, Debug, Default)]
pub struct RankingFeature {
    /// The feature's number.
    pub feature: u32,
    /// Mean activation × weight.
    pub importance: f64,
    /// How much the feature's maps lie on the object: 1 on it, 0 independent of it.
    pub focus: Option<Estimate>,
    /// What each source says.
    pub verdicts: Vec<SourceVerdict>,
    /// The images that activate the feature most, with the feature's map over them.
    pub images: Vec<Thumbnail>,
}

/// What a source says about a feature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceVerdict {
    /// The source's name.
    pub source: String,
    /// Whether the feature is spurious; `None` if the source leaves it undecided.
    pub spurious: Option<bool>,
}

/// A small image for a page.
#[derive(Clone, Debug, Default)]
pub struct Thumbnail {
    /// The image as JPEG.
    pub jpeg: Vec<u8>,
    /// What the image shows.
    pub title: String,
}

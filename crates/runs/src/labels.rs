use serde::{Deserialize, Serialize};

/// The numbering that a model's classes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelSpace {
    /// Class `i` of the head is class `i` of the dataset.
    Dataset,
    /// The head has ImageNet's 1000 classes.
    Imagenet,
    /// The head has an order of its own. Its classes were matched to the dataset's by name
    /// ([`RunDescription::columns`](crate::RunDescription::columns)).
    Names,
}

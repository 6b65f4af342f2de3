use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the samples of a part looked like when its records were computed: the content of `records/part-00000.inputs.json`.
///
/// A run is resumed only on the same files. Where sizes and times of the files are as they were, nothing is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInputs {
    /// The samples of the part in the order of the dataset.
    pub samples: Vec<SampleInput>,
}

/// What one sample looked like when its records were computed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleInput {
    /// The sample's id.
    pub sample: String,
    /// The SHA-256 of its files' paths, sizes and times, in lower-case hex. `None` if the dataset does not know them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<String>,
    /// The SHA-256 of its decoded image and mask, in lower-case hex. `None` if it could not be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What was noticed about its content, by the names of the fields of the dataset's check. What is false or unknown is absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub noticed: BTreeMap<String, Value>,
}

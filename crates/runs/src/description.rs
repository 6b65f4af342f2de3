use crate::labels::LabelSpace;
use crate::{ExplainerDescription, PerturbationDescription, Protocol, Quirks};
use hard_imagenet_files::sha256_hex;
use hard_imagenet_images::Preprocessing;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The number of the format of run folders. Folders of another format cannot be read.
pub const FORMAT: u32 = 2;

/// The number of samples in one part. Changing it changes the batches, and with them the last bits of scores.
pub const SAMPLES_PER_PART: usize = 16;

/// Everything that determines the records of a run: the content of `run.json`.
///
/// With a sample id and a condition, a record can be computed again from it. Where and how a run was computed (device,
/// threads, batch size, shards) is absent, because it may differ between the parts of one run. It changes records by no
/// more than the rounding of floating-point sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDescription {
    /// The [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// The name of the model: "resnet50.tv_in1k".
    pub model: String,
    /// The SHA-256 of its weights file in lower-case hex.
    pub weights_sha256: String,
    /// The place of that file on the Hugging Face hub, "owner/name@commit", if it came from there. It does not distinguish
    /// runs: the same file from another place belongs to the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_origin: Option<String>,
    /// "f32", "bf16" or "f16".
    pub dtype: String,
    /// The preprocessing that the model expects.
    pub preprocess: Preprocessing,
    /// The dataset.
    pub dataset: DatasetDescription,
    /// The numbering of the labels.
    pub labels: LabelSpace,
    /// The head's class for each class of the dataset, if they were matched by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<u32>>,
    /// The preset, "paper", "strict" or "mixed": [`Quirks::name`].
    pub preset: String,
    /// All switches between the published code and its method.
    pub quirks: Quirks,
    /// The conditions, trials and explainers.
    pub protocol: Protocol,
    /// The seed of the noise.
    pub seed: u64,
    /// The perturbations of the protocol that are not built in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub perturbations: Vec<PerturbationDescription>,
    /// The explainers of the protocol that are not built in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explainers: Vec<ExplainerDescription>,
    /// The number of consecutive samples in one part.
    #[serde(rename = "chunk_size")]
    pub samples_per_part: usize,
}

/// The dataset of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetDescription {
    /// The name: "hard-imagenet".
    pub name: String,
    /// The number of samples.
    pub samples: usize,
    /// The SHA-256 of all sample ids in their order, each followed by a line feed, in lower-case hex.
    pub ids_sha256: String,
    /// Whether its images are generated, so that the labels are right by construction.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
    /// How its files are read, where that was chosen: "mask-threshold" is "128".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl DatasetDescription {
    /// Describes a dataset by its name and its sample ids in their order.
    pub fn new<'a>(name: &str, ids: impl Iterator<Item = &'a str>) -> Self {
        let (mut samples, mut lines) = (0, String::new());
        for id in ids {
            samples += 1;
            lines.extend([id, "\n"]);
        }
        let settings = BTreeMap::new();
        Self { name: name.to_owned(), samples, ids_sha256: sha256_hex(lines.as_bytes()), generated: false, settings }
    }
}

/// The model of a run, in plain values: what [`RunDescription::new`] copies into a description.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelDescription {
    /// The name: "resnet50.tv_in1k".
    pub name: String,
    /// The SHA-256 of its weights file in lower-case hex.
    pub weights_sha256: String,
    /// The place of that file on the Hugging Face hub, "owner/name@commit", if it came from there.
    pub weights_origin: Option<String>,
    /// "f32", "bf16" or "f16".
    pub dtype: String,
    /// The preprocessing that the model expects.
    pub preprocess: Preprocessing,
}

impl RunDescription {
    /// Describes a run in the current [`FORMAT`] with [`SAMPLES_PER_PART`] samples a part. What is not
    /// built in, or was chosen otherwise than usual, is added afterwards.
    pub fn new(
        dataset: DatasetDescription,
        model: ModelDescription,
        labels: LabelSpace,
        quirks: Quirks,
        protocol: &Protocol,
        seed: u64,
    ) -> Self {
        let ModelDescription { name, weights_sha256, weights_origin, dtype, preprocess } = model;
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: name,
            weights_sha256,
            weights_origin,
            dtype,
            preprocess,
            dataset,
            labels,
            columns: None,
            preset: quirks.name().to_owned(),
            quirks,
            protocol: protocol.clone(),
            seed,
            perturbations: Vec::new(),
            explainers: Vec::new(),
            samples_per_part: SAMPLES_PER_PART,
        }
    }

    /// Returns the number of parts of the complete run.
    pub fn parts(&self) -> usize {
        self.dataset.samples.div_ceil(self.samples_per_part.max(1))
    }

    /// Returns the indices of the samples of a part.
    pub fn samples_of(&self, part: usize) -> std::ops::Range<usize> {
        let start = part * self.samples_per_part;
        start..(start + self.samples_per_part).min(self.dataset.samples)
    }

    /// Returns the fields in which another description differs from this one, each as "seed: 0 there, 1 asked for". The
    /// origin of the weights does not count.
    pub fn differences(&self, asked: &Self) -> Vec<String> {
        let mut found = Vec::new();
        // Descriptions hold plain values only, so serializing them cannot fail.
        let value = |description: &Self| {
            let (perturbations, explainers) = (Vec::new(), Vec::new());
            let mut compared = Self { weights_origin: None, perturbations, explainers, ..description.clone() };
            // It follows from the name, and earlier versions did not state it.
            compared.dataset.generated = false;
            let mut value = serde_json::to_value(compared).unwrap_or(Value::Null);
            // Titles and sentences may change; what is computed may not.
            let perturbations = description.perturbations.iter().map(|stated| (&stated.id, &stated.version));
            value["perturbations"] = versions(perturbations);
            let explainers = description.explainers.iter().map(|stated| (&stated.id, &stated.version));
            value["explainers"] = versions(explainers);
            value
        };
        compare("", &value(self), &value(asked), &mut found);
        found
    }
}

/// Returns an object from ids to versions.
fn versions<'a>(stated: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    Value::Object(stated.map(|(id, version)| (id.clone(), Value::String(version.clone()))).collect())
}

fn compare(path: &str, there: &Value, asked: &Value, found: &mut Vec<String>) {
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (there, asked) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&inner(key), &side(a), &side(b), found);
            }
        }
        // Two whole lists of conditions would make the message unreadable.
        (Value::Array(a), Value::Array(b)) if a != b => {
            found.push(format!("{path}: {} entries there, {} asked for, not the same", a.len(), b.len()));
        }
        _ if there != asked => found.push(format!("{path}: {there} there, {asked} asked for")),
        _ => (),
    }
}

use crate::labels::LabelSpace;
use crate::text::sha256_hex;
use crate::{Protocol, Quirks};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_images::Preprocessing;
use hard_imagenet_models::Model;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Number of the run folder's form; another number cannot be read.
pub const FORMAT: u32 = 2;

/// Samples a part. A change of it changes the batches, and with them the last bits of scores.
pub(crate) const CHUNK: usize = 16;

/// What a run is: with a sample id and a condition enough to compute a record again.
///
/// It says nothing of where and how a run was computed (device, threads, batch size, shards), for these may differ
/// between the parts of one run. They change records by no more than the rounding of floating-point sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDescription {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Version of the program that wrote it.
    pub version: String,
    /// The model by name: "resnet50.tv_in1k".
    pub model: String,
    /// Hash of its weights file, lower-case hex.
    pub weights_sha256: String,
    /// Where on the Hugging Face hub that file is, "owner/name@commit", if it came from there. The same file from
    /// elsewhere makes no other run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_origin: Option<String>,
    /// "f32", "bf16" or "f16".
    pub dtype: String,
    /// What the model expects of its input.
    pub preprocess: Preprocessing,
    /// What it was asked about.
    pub dataset: DatasetDescription,
    /// Whose labels predictions are judged against.
    pub labels: LabelSpace,
    /// "paper", "strict" or "mixed": [`Quirks::name`].
    pub preset: String,
    /// Every switch.
    pub quirks: Quirks,
    /// What was asked.
    pub protocol: Protocol,
    /// Seed of the noise.
    pub seed: u64,
    /// Consecutive samples in one part.
    pub chunk_size: usize,
}

/// The samples of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetDescription {
    /// "hard-imagenet".
    pub name: String,
    /// Number of samples.
    pub samples: usize,
    /// Hash of all sample ids in their order, each ended by a line feed; lower-case hex.
    pub ids_sha256: String,
}

impl DatasetDescription {
    fn new(dataset: &dyn Dataset) -> Self {
        let ids: String = (0..dataset.len()).flat_map(|i| [dataset.id(i), "\n"]).collect();
        Self { name: dataset.info().name.clone(), samples: dataset.len(), ids_sha256: sha256_hex(ids.as_bytes()) }
    }
}

impl RunDescription {
    pub(crate) fn new(
        dataset: &dyn Dataset,
        model: &Model,
        labels: LabelSpace,
        quirks: Quirks,
        protocol: &Protocol,
        seed: u64,
    ) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.spec().name.clone(),
            weights_sha256: model.weights_sha256().to_owned(),
            weights_origin: model.weights_origin().map(str::to_owned),
            dtype: model.dtype().as_str().to_owned(),
            preprocess: model.spec().preprocess,
            dataset: DatasetDescription::new(dataset),
            labels,
            preset: quirks.name().to_owned(),
            quirks,
            protocol: protocol.clone(),
            seed,
            chunk_size: CHUNK,
        }
    }

    /// Number of parts of the complete run.
    pub fn parts(&self) -> usize {
        self.dataset.samples.div_ceil(self.chunk_size.max(1))
    }

    /// Indices of the samples of a part.
    pub(crate) fn samples_of(&self, part: usize) -> std::ops::Range<usize> {
        let start = part * self.chunk_size;
        start..(start + self.chunk_size).min(self.dataset.samples)
    }

    /// The fields in which two descriptions differ, each as "seed: 0 there, 1 asked for".
    pub(crate) fn differences(&self, asked: &Self) -> Vec<String> {
        let mut found = Vec::new();
        // Both are plain values, so they always have a form in JSON.
        let value = |description: &Self| {
            let compared = Self { weights_origin: None, ..description.clone() };
            serde_json::to_value(compared).unwrap_or(Value::Null)
        };
        compare("", &value(self), &value(asked), &mut found);
        found
    }
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
        // A whole list of conditions would not be a message that one reads.
        (Value::Array(a), Value::Array(b)) if a != b => {
            found.push(format!("{path}: {} entries there, {} asked for, not the same", a.len(), b.len()));
        }
        _ if there != asked => found.push(format!("{path}: {there} there, {asked} asked for")),
        _ => (),
    }
}

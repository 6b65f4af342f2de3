//! Everything that a training needs to resume, in one file.

use crate::identity::TrainingIdentity;
use crate::{Epoch, SkippedSample, TrainingError};
use candle_core::{Device, Tensor};
use hard_imagenet_files::{read_if_exists, write_whole};
use hard_imagenet_graph::WeightMap;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The checkpoint's name in its folder.
const FILE: &str = "checkpoint.safetensors";

/// Key of the state in the file's metadata.
const STATE_KEY: &str = "training";

/// Prefixes of the tensors' names.
const WEIGHT: &str = "weight/";
const OPTIMIZER: &str = "optimizer/";
const BEST: &str = "best/";

/// A training between two epochs.
pub(crate) struct Checkpoint {
    pub(crate) state: CheckpointState,
    /// The trained weights, and the statistics of batch norms if they are updated.
    pub(crate) weights: WeightMap,
    /// The optimizer's moments.
    pub(crate) optimizer: WeightMap,
    /// The weights of the best epoch; empty without validation.
    pub(crate) best: WeightMap,
}

/// What a checkpoint holds besides tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CheckpointState {
    /// The training that wrote the checkpoint.
    pub(crate) identity: TrainingIdentity,
    /// The epochs that are done.
    pub(crate) epochs: Vec<Epoch>,
    /// Steps that the optimizer has taken.
    pub(crate) steps: usize,
    /// Weights of the groups.
    pub(crate) groups: Vec<f64>,
    /// Samples that could not be read so far.
    #[serde(default)]
    pub(crate) failures: Vec<SkippedSample>,
}

/// Writes the checkpoint of a folder, whole or not at all.
pub(crate) fn write(folder: &Path, checkpoint: &Checkpoint) -> Result<(), TrainingError> {
    let path = folder.join(FILE);
    let fail = |problem: String| TrainingError::Checkpoint { path: path.clone(), problem };
    let json = serde_json::to_string(&checkpoint.state).map_err(|error| fail(error.to_string()))?;
    let metadata = HashMap::from([(STATE_KEY.to_owned(), json)]);
    let purposes = [(WEIGHT, &checkpoint.weights), (OPTIMIZER, &checkpoint.optimizer), (BEST, &checkpoint.best)];
    let prefixed = |(prefix, map): (&str, &WeightMap)| -> Vec<(String, Tensor)> {
        map.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect()
    };
    let mut tensors: Vec<(String, Tensor)> = purposes.into_iter().flat_map(prefixed).collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| fail(error.to_string()))?;
    Ok(write_whole(&path, &bytes)?)
}

/// Reads the checkpoint of a folder; `None` if it has none.
pub(crate) fn read(folder: &Path, device: &Device) -> Result<Option<Checkpoint>, TrainingError> {
    let path = folder.join(FILE);
    let Some(bytes) = read_if_exists(&path)? else { return Ok(None) };
    let fail = |problem: String| TrainingError::Checkpoint { path: path.clone(), problem };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| fail(error.to_string()))?;
    let json = metadata.metadata().as_ref().and_then(|metadata| metadata.get(STATE_KEY));
    let json = json.ok_or_else(|| fail("the file is not a checkpoint of a training".into()))?;
    let state = serde_json::from_str(json).map_err(|error| fail(error.to_string()))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|error| fail(error.to_string()))?;
    let with_prefix = |prefix: &str| -> WeightMap {
        let stripped =
            |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()));
        tensors.iter().filter_map(stripped).collect()
    };
    let (weights, optimizer, best) = (with_prefix(WEIGHT), with_prefix(OPTIMIZER), with_prefix(BEST));
    Ok(Some(Checkpoint { state, weights, optimizer, best }))
}

/// Refuses the checkpoint of another training, and says what differs.
pub(crate) fn require_same_training(
    folder: &Path,
    checkpoint: &TrainingIdentity,
    training: &TrainingIdentity,
) -> Result<(), TrainingError> {
    let differences = training.differences(checkpoint);
    if differences.is_empty() {
        return Ok(());
    }
    let problem = format!("it belongs to another training ({}): choose another folder", differences.join("; "));
    Err(TrainingError::Checkpoint { path: folder.join(FILE), problem })
}

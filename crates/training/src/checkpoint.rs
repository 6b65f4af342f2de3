//! Everything that training needs to go on as if it had never stopped, in one file.

use crate::{Epoch, SkippedSample, TrainingError};
use candle_core::Device;
use hard_imagenet_graph::WeightMap;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The name of the file in its folder.
pub(crate) const FILE: &str = "checkpoint.safetensors";

/// What is kept beside tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Of what this is the training, see [`differences`].
    pub(crate) identity: Vec<(String, String)>,
    /// Epochs done, and how they went.
    pub(crate) epochs: Vec<Epoch>,
    /// Steps of the optimizer.
    pub(crate) steps: usize,
    /// Weights of the groups.
    pub(crate) groups: Vec<f64>,
    /// Pictures that could not be had so far.
    #[serde(default)]
    pub(crate) failures: Vec<SkippedSample>,
}

/// Tensors by purpose: `weight/NAME`, `optimizer/NAME`, `best/NAME`.
pub(crate) fn write(folder: &Path, state: &State, tensors: &WeightMap) -> Result<(), TrainingError> {
    let path = folder.join(FILE);
    let fail = |problem: String| TrainingError::Checkpoint { path: path.clone(), problem };
    let json = serde_json::to_string(state).map_err(|error| fail(error.to_string()))?;
    let metadata = HashMap::from([("training".to_owned(), json)]);
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let bytes = safetensors::serialize(sorted, Some(metadata)).map_err(|error| fail(error.to_string()))?;
    hard_imagenet_files::write_whole(&path, &bytes).map_err(|error| fail(error.source.to_string()))
}

/// The last checkpoint of a folder; `None` if it has none.
pub(crate) fn read(folder: &Path, device: &Device) -> Result<Option<(State, WeightMap)>, TrainingError> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let fail = |problem: String| TrainingError::Checkpoint { path: path.clone(), problem };
    let bytes = std::fs::read(&path).map_err(|error| fail(error.to_string()))?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| fail(error.to_string()))?;
    let json = metadata.metadata().as_ref().and_then(|metadata| metadata.get("training"));
    let json = json.ok_or_else(|| fail("this is no checkpoint of a training".into()))?;
    let state = serde_json::from_str(json).map_err(|error| fail(error.to_string()))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|error| fail(error.to_string()))?;
    Ok(Some((state, tensors)))
}

/// Refuses the checkpoint of another training, and says what differs.
pub(crate) fn check(folder: &Path, was: &[(String, String)], is: &[(String, String)]) -> Result<(), TrainingError> {
    let differing: Vec<String> = is
        .iter()
        .filter(|(key, value)| !was.contains(&(key.clone(), value.clone())))
        .map(|(key, value)| {
            let before = was.iter().find(|(old, _)| old == key).map_or("nothing", |(_, value)| value);
            format!("{key} was {before} and is {value}")
        })
        .collect();
    if differing.is_empty() {
        return Ok(());
    }
    let problem = format!("it belongs to another training ({}): choose another folder", differing.join("; "));
    Err(TrainingError::Checkpoint { path: folder.join(FILE), problem })
}

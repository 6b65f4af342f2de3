//! What identifies a training, so that a checkpoint is only resumed by the training that wrote it.

use crate::network::hash_weights;
use crate::setup::Setup;
use crate::{Groups, TrainingError};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_files::sha256_hex;
use serde::{Deserialize, Serialize};

/// The properties that must be equal for a checkpoint to be resumed, as pairs of a name and a value.
///
/// Checkpoints store this list, so a changed name or value makes older checkpoints unusable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TrainingIdentity(Vec<(String, String)>);

impl TrainingIdentity {
    /// Describes the training of a setup on a dataset.
    pub(crate) fn new(setup: &Setup<'_>, data: &dyn Dataset) -> Result<Self, TrainingError> {
        let recipe = serde_json::to_value(&setup.recipe).map_err(|error| TrainingError::Recipe(error.to_string()))?;
        let mut properties = vec![
            ("the model".to_owned(), setup.network.spec.name.clone()),
            ("its weights' sha256".to_owned(), hash_weights(&setup.network)?),
            ("the memory for features".to_owned(), setup.feature_memory.to_string()),
        ];
        for (key, value) in recipe.as_object().into_iter().flatten() {
            properties.push((key.clone(), value.to_string()));
        }
        properties.push(("the training data".to_owned(), describe_data(data)));
        let validation = setup.validation.map_or_else(|| "none".to_owned(), describe_data);
        properties.push(("the validation data".to_owned(), validation));
        if let Some(groups) = setup.groups.as_ref().filter(|_| setup.recipe.objective.needs_groups()) {
            properties.push(("the sha256 of the groups".to_owned(), hash_groups(groups)));
        }
        Ok(Self(properties))
    }

    /// Returns the properties in which a checkpoint's identity differs from this one, each as "NAME was A and is B".
    pub(crate) fn differences(&self, checkpoint: &Self) -> Vec<String> {
        let differing = self.0.iter().filter(|property| !checkpoint.0.contains(property));
        differing
            .map(|(name, value)| {
                let before = checkpoint.0.iter().find(|(old, _)| old == name).map_or("nothing", |(_, value)| value);
                format!("{name} was {before} and is {value}")
            })
            .collect()
    }
}

/// Returns the number of samples, the dataset's name and the start of a hash over the samples' ids and classes.
fn describe_data(data: &dyn Dataset) -> String {
    let samples: String = (0..data.len()).map(|i| format!("{} {}\n", data.id(i), data.class(i))).collect();
    let hash = &sha256_hex(samples.as_bytes())[..8];
    format!("{} samples of {} ({hash})", data.len(), data.info().name)
}

fn hash_groups(groups: &Groups) -> String {
    let bytes: Vec<u8> = (0..groups.len()).flat_map(|i| groups.group_of(i).to_le_bytes()).collect();
    sha256_hex(&bytes)[..8].to_owned()
}

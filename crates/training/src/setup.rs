use crate::{Groups, Recipe, TrainingError};
use candle_core::Device;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_models::Network;
use std::path::PathBuf;

/// Everything a training is given besides its images.
pub(crate) struct Setup<'a> {
    pub(crate) network: Network,
    pub(crate) recipe: Recipe,
    /// The device of the network's weights.
    pub(crate) device: Device,
    /// The group of each training sample.
    pub(crate) groups: Option<Groups>,
    /// Images on which each epoch is measured.
    pub(crate) validation: Option<&'a dyn Dataset>,
    /// Folder of the checkpoint.
    pub(crate) folder: Option<PathBuf>,
    /// Most bytes that the outputs of the frozen layers may take, for each of the two datasets.
    pub(crate) feature_memory: u64,
}

impl Setup<'_> {
    /// Checks that the recipe makes sense for this setup.
    pub(crate) fn check(&self, data: &dyn Dataset) -> Result<(), TrainingError> {
        self.recipe.check()?;
        let objective = self.recipe.objective;
        if objective.needs_groups() && self.groups.as_ref().is_none_or(|groups| groups.len() != data.len()) {
            return Err(TrainingError::Recipe(format!("{objective} needs the group of each sample")));
        }
        if self.recipe.patience.is_some() && self.validation.is_none() {
            return Err(TrainingError::Recipe("patience needs validation images to measure each epoch on".into()));
        }
        Ok(())
    }
}

/// Returns the column of the head for each class of the data.
pub(crate) fn class_columns(data: &dyn Dataset, classes: usize) -> Result<Vec<u32>, TrainingError> {
    let fail = |reason| TrainingError::Recipe(format!("{reason}; or give it a new head"));
    data.info().columns(classes).map_err(fail)
}

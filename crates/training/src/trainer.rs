use crate::session::Session;
use crate::setup::Setup;
use crate::{Groups, Recipe, TrainingError, TrainingEvent, TrainingOutcome};
use candle_core::Device;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_models::Network;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Finetunes a network by a recipe.
///
/// The order of the images, augmentation and noise are functions of the recipe's seed, the epoch and the sample alone.
pub struct Trainer<'a> {
    setup: Setup<'a>,
}

impl<'a> Trainer<'a> {
    /// Creates a trainer. It computes on the device of the network's weights.
    pub fn new(network: Network, recipe: Recipe) -> Self {
        let device = network.weights.values().next().map_or(Device::Cpu, |weight| weight.device().clone());
        let feature_memory = 4 << 30;
        let setup = Setup { network, recipe, device, groups: None, validation: None, folder: None, feature_memory };
        Self { setup }
    }

    /// Sets the group of each training sample, for objectives that need groups.
    pub fn groups(mut self, groups: Groups) -> Self {
        self.setup.groups = Some(groups);
        self
    }

    /// Sets the images on which each epoch is measured.
    pub fn validation(mut self, data: &'a dyn Dataset) -> Self {
        self.setup.validation = Some(data);
        self
    }

    /// Sets the folder of the checkpoint, which is written after every epoch.
    ///
    /// If the folder holds a checkpoint of the same training, the training resumes from it. The resulting weights are
    /// the same as without an interruption, bit for bit on the CPU.
    pub fn checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.setup.folder = Some(folder.into());
        self
    }

    /// Sets how many bytes the outputs of the frozen layers may take, for the training images and for the validation
    /// images each (4 GiB by default). If they need more, they are computed again in every epoch.
    pub fn feature_memory(mut self, bytes: u64) -> Self {
        self.setup.feature_memory = bytes;
        self
    }

    /// Trains and returns the network.
    ///
    /// `listener` is called after each batch of frozen features, each step and each epoch. Returning
    /// [`ControlFlow::Break`] cancels the training; the epochs before it are in the checkpoint. Samples that cannot be
    /// read are skipped and listed in the outcome.
    ///
    /// # Errors
    /// Returns [`TrainingError::Recipe`] for a recipe that does not fit the network or the data,
    /// [`TrainingError::Diverged`] for a loss that is not finite, [`TrainingError::Checkpoint`] for the checkpoint of
    /// another training, and [`TrainingError::Canceled`] if `listener` breaks. Errors of the network are passed on.
    pub fn train(
        self,
        data: &dyn Dataset,
        mut listener: impl FnMut(&TrainingEvent<'_>) -> ControlFlow<()>,
    ) -> Result<TrainingOutcome, TrainingError> {
        self.setup.check(data)?;
        let mut session = Session::new(self.setup, data)?;
        session.resume()?;
        let caches = session.cache_features(&mut listener)?;
        while !session.is_finished() {
            session.run_epoch(&caches, &mut listener)?;
        }
        session.finish()
    }
}

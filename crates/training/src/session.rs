//! The state of a running training, and its stages: resume, cache frozen features, run epochs, keep the best weights.

use crate::batch::{Loader, Phase, SkippedSample};
use crate::checkpoint::{self, Checkpoint, CheckpointState};
use crate::early_stopping::{best_epoch, is_out_of_patience};
use crate::feature_cache::FeatureCache;
use crate::groups::shuffle;
use crate::identity::TrainingIdentity;
use crate::input::NetworkInput;
use crate::network::{frozen_until, hash_weights, learning_weights, make_variables, running_statistics};
use crate::setup::{Setup, class_columns};
use crate::step::{EpochTotals, Step};
use crate::validation::measure_accuracy;
use crate::{BatchNormMode, Epoch, Groups, Optimizer, TrainingError, TrainingEvent, TrainingOutcome};
use candle_core::{Tensor, Var};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_graph::{Cut, WeightMap};
use hard_imagenet_perturbations::NoiseKey;
use std::ops::ControlFlow;

/// Receives the events of a training, and cancels it by returning `Break`.
type Listener<'l> = dyn FnMut(&TrainingEvent<'_>) -> ControlFlow<()> + 'l;

/// A training between its start and its end.
pub(crate) struct Session<'a> {
    setup: Setup<'a>,
    data: &'a dyn Dataset,
    /// The head's column of each class of the training data.
    columns: Vec<u32>,
    /// The weights that learn, by name.
    variables: Vec<(String, Var)>,
    optimizer: Optimizer,
    /// Weights of the groups, for group DRO.
    group_weights: Vec<f64>,
    epochs: Vec<Epoch>,
    skipped: Vec<SkippedSample>,
    /// The weights of the best epoch so far.
    best: Option<WeightMap>,
    identity: TrainingIdentity,
}

/// The outputs of the frozen layers for both datasets, where they are worth keeping.
pub(crate) struct FeatureCaches {
    training: Option<FeatureCache>,
    validation: Option<FeatureCache>,
}

impl<'a> Session<'a> {
    /// Prepares the first step.
    pub(crate) fn new(mut setup: Setup<'a>, data: &'a dyn Dataset) -> Result<Self, TrainingError> {
        let columns = class_columns(data, setup.network.spec.classes)?;
        let names = learning_weights(&setup.network, &setup.recipe.trainable)?;
        let variables = make_variables(&mut setup.network, &names)?;
        let optimizer = Optimizer::new(setup.recipe.rule, variables.clone())?;
        let group_weights = vec![1.0; setup.groups.as_ref().map_or(0, Groups::count)];
        let identity = TrainingIdentity::new(&setup, data)?;
        let (epochs, skipped) = (Vec::new(), Vec::new());
        Ok(Self { setup, data, columns, variables, optimizer, group_weights, epochs, skipped, best: None, identity })
    }

    /// Continues from the checkpoint in the folder, if there is one.
    pub(crate) fn resume(&mut self) -> Result<(), TrainingError> {
        let Some(folder) = &self.setup.folder else { return Ok(()) };
        let Some(Checkpoint { state, weights, optimizer, best }) = checkpoint::read(folder, &self.setup.device)? else {
            return Ok(());
        };
        checkpoint::require_same_training(folder, &state.identity, &self.identity)?;
        for (name, variable) in &self.variables {
            let stored = weights.get(name);
            let stored = stored.ok_or_else(|| TrainingError::Recipe(format!("the checkpoint lacks {name}")))?;
            variable.set(stored)?;
        }
        // What is stored besides the variables are the statistics of batch norms.
        let variables = &self.variables;
        let statistics = weights.into_iter().filter(|(name, _)| !variables.iter().any(|(other, _)| other == name));
        self.setup.network.weights.extend(statistics);
        self.optimizer.restore(state.steps, &optimizer)?;
        self.group_weights = state.groups;
        self.epochs = state.epochs;
        self.skipped = state.failures;
        self.best = Some(best).filter(|best| !best.is_empty());
        Ok(())
    }

    /// Returns whether all epochs are done or no better one is expected.
    pub(crate) fn is_finished(&self) -> bool {
        let recipe = &self.setup.recipe;
        self.epochs.len() >= recipe.epochs || is_out_of_patience(&self.epochs, recipe.patience)
    }

    /// Runs the images through the frozen layers once, where the outputs are the same in every epoch.
    pub(crate) fn cache_features(&mut self, listener: &mut Listener<'_>) -> Result<FeatureCaches, TrainingError> {
        let none = FeatureCaches { training: None, validation: None };
        let Some(node) = frozen_until(&self.setup.network, &self.setup.recipe.trainable) else { return Ok(none) };
        let cut = Cut::at(&self.setup.network.graph, &node)?;
        let recipe = &self.setup.recipe;
        // Updated statistics change the layers before the ones that learn.
        if recipe.batch_norms == BatchNormMode::Followed || self.epochs.len() >= recipe.epochs {
            return Ok(none);
        }
        let same_every_epoch =
            recipe.batch_norms == BatchNormMode::Frozen && !recipe.augment && !recipe.objective.needs_images();
        let total = self.data.len() + self.setup.validation.map_or(0, |data| data.len());
        let mut cache = |data: &dyn Dataset, before: usize| {
            let progress = &mut |done| listener(&TrainingEvent::Features { done: before + done, total });
            let loader = Loader::new(&self.setup.recipe, &self.setup.network.spec.preprocess, &self.setup.device);
            FeatureCache::compute(
                &self.setup.network,
                &cut,
                &loader,
                data,
                self.setup.feature_memory,
                &mut self.skipped,
                progress,
            )
        };
        let training = if same_every_epoch { cache(self.data, 0)? } else { None };
        let before = if training.is_some() { self.data.len() } else { 0 };
        let validation = match self.setup.validation {
            Some(data) => cache(data, before)?,
            None => None,
        };
        Ok(FeatureCaches { training, validation })
    }

    /// Takes the steps of one epoch, measures it and writes its checkpoint.
    pub(crate) fn run_epoch(
        &mut self,
        caches: &FeatureCaches,
        listener: &mut Listener<'_>,
    ) -> Result<(), TrainingError> {
        let epoch = self.epochs.len();
        let batch_size = self.setup.recipe.batch_size;
        let steps_per_epoch = self.data.len().div_ceil(batch_size);
        let total = steps_per_epoch * self.setup.recipe.epochs;
        let mut totals = EpochTotals::default();
        for (step, samples) in self.order(epoch).chunks(batch_size).enumerate() {
            let (cache, phase) = (caches.training.as_ref(), Phase::Training { epoch, step });
            let input = NetworkInput::load(&self.setup, cache, self.data, samples, phase, &mut self.skipped)?;
            // None of the batch's samples can be read.
            let Some(input) = input else { continue };
            let number = epoch * steps_per_epoch + step;
            let loss = self.take_step(&input, number, total, &mut totals)?;
            if listener(&TrainingEvent::Step { done: number + 1, total, loss }).is_break() {
                return Err(TrainingError::Canceled);
            }
        }
        let validation = match self.setup.validation {
            Some(data) => Some(measure_accuracy(&self.setup, data, caches.validation.as_ref())?),
            None => None,
        };
        self.epochs.push(totals.into_epoch(epoch + 1, validation));
        if validation.is_some() && best_epoch(&self.epochs) == Some(epoch) {
            self.best = Some(self.trained_weights()?);
        }
        self.write_checkpoint()?;
        if listener(&TrainingEvent::Epoch(&self.epochs[epoch])).is_break() {
            return Err(TrainingError::Canceled);
        }
        Ok(())
    }

    /// Returns the network with the best weights, or with the last ones if no epoch was measured.
    pub(crate) fn finish(mut self) -> Result<TrainingOutcome, TrainingError> {
        let weights = match self.best.take() {
            Some(best) => best,
            None => self.trained_weights()?,
        };
        let mut network = self.setup.network;
        network.weights.extend(weights);
        network.weights_sha256 = hash_weights(&network)?;
        network.weights_origin = None;
        Ok(TrainingOutcome { network, epochs: self.epochs, skipped: self.skipped })
    }

    /// Returns the order of the samples in an epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let key = NoiseKey::new(self.setup.recipe.seed, "order", epoch as u32);
        let mut order = match &self.setup.groups {
            Some(groups) if self.setup.recipe.objective.needs_groups() => groups.draw_balanced(key.fork("groups")),
            _ => (0..self.data.len()).collect(),
        };
        shuffle(&mut order, key);
        order
    }

    /// Takes one step and returns the loss before it.
    fn take_step(
        &mut self,
        input: &NetworkInput<'_>,
        number: usize,
        total: usize,
        totals: &mut EpochTotals,
    ) -> Result<f64, TrainingError> {
        let recipe = &self.setup.recipe;
        let rate = recipe.learning_rate * recipe.schedule.factor(number, total, recipe.warm_up);
        let labels: Vec<u32> = input.samples().iter().map(|&i| self.columns[self.data.class(i)]).collect();
        let labels = Tensor::new(labels, &self.setup.device)?;
        let step = Step { network: &self.setup.network, recipe, groups: self.setup.groups.as_ref(), rate };
        let result = step.run(input, &labels, &mut self.optimizer, &mut self.group_weights)?;
        totals.add(&result);
        if self.setup.recipe.batch_norms == BatchNormMode::Followed {
            self.setup.network.weights.extend(result.statistics);
        }
        match result.loss.is_finite() {
            true => Ok(result.loss),
            false => Err(TrainingError::Diverged { step: number + 1, loss: result.loss, rate }),
        }
    }

    /// Returns copies of the weights that learn, and of the statistics of batch norms if they are updated.
    fn trained_weights(&self) -> Result<WeightMap, TrainingError> {
        let network = &self.setup.network;
        let updated = self.setup.recipe.batch_norms == BatchNormMode::Followed;
        let statistics = running_statistics(network);
        let is_trained = |name: &String| {
            self.variables.iter().any(|(other, _)| other == name) || (updated && statistics.contains(name))
        };
        let trained = network.weights.iter().filter(|(name, _)| is_trained(name));
        // The variables' own memory changes with the next step, so it is copied.
        let copies = trained.map(|(name, weight)| Ok((name.clone(), weight.detach().copy()?)));
        Ok(copies.collect::<candle_core::Result<_>>()?)
    }

    fn write_checkpoint(&self) -> Result<(), TrainingError> {
        let Some(folder) = &self.setup.folder else { return Ok(()) };
        let (steps, optimizer) = self.optimizer.state();
        let state = CheckpointState {
            identity: self.identity.clone(),
            epochs: self.epochs.clone(),
            steps,
            groups: self.group_weights.clone(),
            failures: self.skipped.clone(),
        };
        let best = self.best.clone().unwrap_or_default();
        checkpoint::write(folder, &Checkpoint { state, weights: self.trained_weights()?, optimizer, best })
    }
}

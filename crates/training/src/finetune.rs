use crate::batch::{Batch, Loader, SkippedSample, When};
use crate::checkpoint::{self, State};
use crate::features::Kept;
use crate::groups::shuffle;
use crate::loss::cross_entropy;
use crate::network::{frozen_until, hash_weights, hex, learning_weights, make_variables, running_statistics};
use crate::outside::{grad_cam_penalty, input_gradient_penalty};
use crate::{BatchNormMode, Groups, Objective, Optimizer, Recipe, TrainingError};
use candle_core::{D, DType, Device, Tensor, Var};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_graph::{Cut, CutValues, RunningStatistics, WeightMap, run, run_training};
use hard_imagenet_kernels::gradients;
use hard_imagenet_models::Network;
use hard_imagenet_perturbations::NoiseKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How an epoch went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub number: usize,
    /// Mean cross entropy of the pictures as they were seen, each before its step.
    pub loss: f64,
    /// Mean penalty, before λ, of the objectives that have one.
    pub penalty: Option<f64>,
    /// Share of them that were right.
    pub accuracy: f64,
    /// Share right of the validation pictures, after the epoch.
    pub validation: Option<f64>,
}

/// What happens in between.
#[derive(Clone, Copy, Debug)]
pub enum TrainingEvent<'e> {
    /// So many pictures went through the frozen part, of how many.
    Features {
        /// Images done.
        done: usize,
        /// Images in total.
        total: usize,
    },
    /// So many steps are done, of how many, with the loss of the last.
    Step {
        /// Steps done.
        done: usize,
        /// Steps in total.
        total: usize,
        /// Loss of the last step.
        loss: f64,
    },
    /// An epoch is over, and its checkpoint written.
    Epoch(&'e Epoch),
}

/// A network after training.
#[derive(Clone, Debug)]
pub struct TrainingOutcome {
    /// With the weights of the best epoch by validation accuracy, the first of equals; of the last one without validation.
    pub network: Network,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// Pictures that could not be had, and were left out.
    pub failures: Vec<SkippedSample>,
}

/// A training to be run: a network, a recipe, and what there is beside the pictures to learn from.
pub struct Trainer<'a> {
    network: Network,
    recipe: Recipe,
    device: Device,
    groups: Option<Groups>,
    validation: Option<&'a dyn Dataset>,
    folder: Option<PathBuf>,
    memory: u64,
}

impl<'a> Trainer<'a> {
    /// Of a network by a recipe; the network's weights say on which device.
    pub fn new(network: Network, recipe: Recipe) -> Self {
        let device = network.weights.values().next().map_or(Device::Cpu, |weight| weight.device().clone());
        Self { network, recipe, device, groups: None, validation: None, folder: None, memory: 4 << 30 }
    }

    /// The group of each training sample, for objectives that ask for them.
    pub fn groups(self, groups: Groups) -> Self {
        Self { groups: Some(groups), ..self }
    }

    /// Pictures to measure each epoch on.
    pub fn validation(self, data: &'a dyn Dataset) -> Self {
        Self { validation: Some(data), ..self }
    }

    /// Where to keep a checkpoint after every epoch, and to go on from the one that is there: the same weights come out,
    /// bit for bit on the CPU, as if it had never stopped.
    pub fn checkpoints(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// How many bytes the features of a frozen part may take, of the training pictures and of the validation pictures each
    /// (4 GiB by default); where they need more they are computed anew in every epoch.
    pub fn feature_memory(self, bytes: u64) -> Self {
        Self { memory: bytes, ..self }
    }

    /// Trains. Order, augmentation and noise are functions of the recipe's seed, the epoch and the sample alone.
    ///
    /// # Errors
    /// A recipe that makes no sense here, a loss that runs away, a checkpoint of another training; and
    /// [`TrainingError::Canceled`] if `listen` breaks off. A picture that cannot be had is left out.
    pub fn run(
        mut self,
        data: &dyn Dataset,
        mut listen: impl FnMut(TrainingEvent<'_>) -> ControlFlow<()>,
    ) -> Result<TrainingOutcome, TrainingError> {
        self.recipe.check()?;
        let recipe = self.recipe.clone();
        if recipe.objective.needs_groups() && self.groups.as_ref().is_none_or(|groups| groups.len() != data.len()) {
            return Err(TrainingError::Recipe(format!("{} needs the group of each sample", recipe.objective)));
        }
        if recipe.patience.is_some() && self.validation.is_none() {
            return Err(TrainingError::Recipe("patience needs pictures to measure each epoch on".into()));
        }
        let columns = columns(data, self.network.spec.classes)?;
        let names = learning_weights(&self.network, &recipe.trainable)?;
        let variables = make_variables(&mut self.network, &names)?;
        let mut optimizer = Optimizer::new(recipe.rule, variables.clone())?;
        let mut group_weights = vec![1.0; self.groups.as_ref().map_or(0, Groups::count)];
        let (mut epochs, mut failures): (Vec<Epoch>, Vec<SkippedSample>) = (Vec::new(), Vec::new());
        let mut best: Option<WeightMap> = None;
        let identity = self.identity(data)?;
        if let Some(folder) = &self.folder
            && let Some((state, tensors)) = checkpoint::read(folder, &self.device)?
        {
            checkpoint::check(folder, &state.identity, &identity)?;
            let named = |purpose: &str| -> WeightMap {
                let own =
                    |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(purpose)?.to_owned(), tensor.clone()));
                tensors.iter().filter_map(own).collect()
            };
            let weights = named("weight/");
            for (name, variable) in &variables {
                let kept =
                    weights.get(name).ok_or_else(|| TrainingError::Recipe(format!("the checkpoint lacks {name}")))?;
                variable.set(kept)?;
            }
            self.network.weights.extend(weights.into_iter().filter(|(name, _)| !names.contains(name)));
            optimizer.restore(state.steps, &named("optimizer/"))?;
            (group_weights, epochs, failures) = (state.groups, state.epochs, state.failures);
            best = Some(named("best/")).filter(|best| !best.is_empty());
        }

        let frozen = self.frozen(&recipe)?;
        // Statistics that are followed change what lies before the part that learns.
        let still = frozen.as_ref().filter(|_| recipe.batch_norms != BatchNormMode::Followed);
        let (n, shown) = (data.len(), data.len() + self.validation.map_or(0, |data| data.len()));
        let kept = match still {
            Some(cut) if cacheable(&recipe) && epochs.len() < recipe.epochs => {
                self.features(cut, data, &mut failures, &mut |done| {
                    listen(TrainingEvent::Features { done, total: shown })
                })?
            }
            _ => None,
        };
        let kept_validation = match (still, self.validation) {
            (Some(cut), Some(validation)) if epochs.len() < recipe.epochs => {
                let before = if kept.is_some() { n } else { 0 };
                let tick = &mut |done| listen(TrainingEvent::Features { done: before + done, total: shown });
                self.features(cut, validation, &mut failures, tick)?
            }
            _ => None,
        };

        let per_epoch = data.len().div_ceil(recipe.batch_size);
        let steps = per_epoch * recipe.epochs;
        while epochs.len() < recipe.epochs && !out_of_patience(&epochs, recipe.patience) {
            let epoch = epochs.len();
            let mut sums = Sums::default();
            for (step, samples) in self.order(data.len(), epoch).chunks(recipe.batch_size).enumerate() {
                let at = epoch * per_epoch + step;
                let rate = recipe.learning_rate * recipe.schedule.factor(at, steps, recipe.warm_up);
                let given = match &kept {
                    Some(kept) => {
                        kept.some(samples)?.map(|(samples, value)| Given { samples, value: Some(value), batch: None })
                    }
                    None => {
                        let loader = Loader::new(&recipe, &self.network.spec.preprocess, &self.device);
                        let batch = loader.batch(data, samples, When::Training { epoch, step }, &mut failures)?;
                        batch.map(|batch| Given { samples: batch.samples.clone(), value: None, batch: Some(batch) })
                    }
                };
                let Some(given) = given else { continue };
                let labels: Vec<u32> = given.samples.iter().map(|&i| columns[data.class(i)]).collect();
                let labels = Tensor::new(labels, &self.device)?;
                let loss =
                    self.step(&given, &labels, frozen.as_ref(), &mut optimizer, rate, &mut group_weights, &mut sums)?;
                if !loss.is_finite() {
                    return Err(TrainingError::Diverged { step: at + 1, loss, rate });
                }
                if listen(TrainingEvent::Step { done: at + 1, total: steps, loss }).is_break() {
                    return Err(TrainingError::Canceled);
                }
            }
            let validation = match (self.validation, &kept_validation) {
                (None, _) => None,
                (Some(data), kept) => Some(self.accuracy(data, kept.as_ref().zip(frozen.as_ref()))?),
            };
            let n = sums.pictures.max(1) as f64;
            let penalty = sums.penalty.map(|penalty| penalty / n);
            epochs.push(Epoch {
                number: epoch + 1,
                loss: sums.loss / n,
                penalty,
                accuracy: sums.right / n,
                validation,
            });
            if validation.is_some() && best_epoch(&epochs) == Some(epoch) {
                best = Some(self.learnt(&names)?);
            }
            let done = (&epochs[..], &failures[..], &group_weights[..]);
            self.keep(&identity, done, &optimizer, best.as_ref(), &names)?;
            if listen(TrainingEvent::Epoch(&epochs[epoch])).is_break() {
                return Err(TrainingError::Canceled);
            }
        }
        let last = best.map_or_else(|| self.learnt(&names), Ok)?;
        self.network.weights.extend(last);
        self.network.weights_sha256 = hash_weights(&self.network)?;
        self.network.weights_origin = None;
        Ok(TrainingOutcome { network: self.network, epochs, failures })
    }

    /// One step; the loss before it.
    #[allow(clippy::too_many_arguments, reason = "all of a step's state, named")]
    fn step(
        &mut self,
        given: &Given,
        labels: &Tensor,
        frozen: Option<&Cut>,
        optimizer: &mut Optimizer,
        rate: f64,
        group_weights: &mut [f64],
        sums: &mut Sums,
    ) -> Result<f64, TrainingError> {
        let recipe = self.recipe.clone();
        let variables: Vec<Var> = optimizer.variables().cloned().collect();
        let (logits, statistics) = self.logits(given, frozen)?;
        let each = cross_entropy(&logits, labels, recipe.label_smoothing)?;
        let loss = match (recipe.objective, &self.groups) {
            (Objective::GroupDro(eta), Some(groups)) => {
                let of: Vec<usize> = given.samples.iter().map(|&i| groups.group_of(i) as usize).collect();
                worst_groups(&each, &of, group_weights, eta)?
            }
            _ => each.mean_all()?,
        };
        let mut gradients = gradients(&loss, &variables)?;
        let penalty = match (recipe.objective, &given.batch) {
            (Objective::InputGradient(lambda), Some(batch)) => {
                let outside = batch.object.affine(-1.0, 1.0)?;
                let Network { graph, weights, .. } = &self.network;
                Some((lambda, input_gradient_penalty(graph, weights, &variables, &batch.x, &outside, labels)?))
            }
            (Objective::GradCam(lambda), Some(batch)) => {
                let Network { graph, weights, spec, .. } = &self.network;
                let node = &spec.cam_node;
                Some((lambda, grad_cam_penalty(graph, weights, &variables, node, &batch.x, &batch.object, labels)?))
            }
            _ => None,
        };
        let n = given.samples.len() as f64;
        if let Some((lambda, penalty)) = penalty {
            for (gradient, more) in gradients.iter_mut().zip(&penalty.gradients) {
                *gradient = (&*gradient + (more * lambda)?)?;
            }
            *sums.penalty.get_or_insert(0.0) += n * penalty.value;
        }
        optimizer.step(&gradients, rate)?;
        if recipe.objective == Objective::PublishedSaliency {
            let zeros = gradients.iter().map(Tensor::zeros_like).collect::<candle_core::Result<Vec<_>>>()?;
            optimizer.step(&zeros, rate)?;
        }
        if recipe.batch_norms == BatchNormMode::Followed {
            self.network.weights.extend(statistics);
        }
        let right = logits.argmax(D::Minus1)?.eq(labels)?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
        let mean = f64::from(each.mean_all()?.to_scalar::<f32>()?);
        sums.loss += n * mean;
        sums.right += f64::from(right);
        sums.pictures += given.samples.len();
        Ok(mean)
    }

    fn logits(&self, given: &Given, frozen: Option<&Cut>) -> Result<(Tensor, RunningStatistics), TrainingError> {
        let Network { graph, weights, .. } = &self.network;
        let halved: WeightMap;
        let (weights, dtype) = if self.recipe.bf16 {
            let half = |(name, weight): (&String, &Tensor)| Ok((name.clone(), weight.to_dtype(DType::BF16)?));
            halved = weights.iter().map(half).collect::<candle_core::Result<_>>()?;
            (&halved, DType::BF16)
        } else {
            (weights, DType::F32)
        };
        let (logits, statistics) = match (&given.value, &given.batch, frozen) {
            (Some(value), _, Some(cut)) => {
                let carried = value.carried.iter().map(|t| t.to_dtype(dtype)).collect::<candle_core::Result<_>>()?;
                (cut.head(graph, weights, &CutValues { at: value.at.to_dtype(dtype)?, carried })?, Vec::new())
            }
            (_, Some(batch), _) if self.recipe.batch_norms == BatchNormMode::Frozen => {
                (run(graph, weights, &batch.x.to_dtype(dtype)?)?, Vec::new())
            }
            (_, Some(batch), _) => run_training(graph, weights, &batch.x.to_dtype(dtype)?, 0.1)?,
            _ => return Err(TrainingError::Recipe("a step without pictures".into())),
        };
        Ok((logits.to_dtype(DType::F32)?, statistics))
    }

    /// Where the frozen part ends.
    fn frozen(&self, recipe: &Recipe) -> Result<Option<Cut>, TrainingError> {
        let node = frozen_until(&self.network, &recipe.trainable);
        Ok(node.map(|node| Cut::at(&self.network.graph, &node)).transpose()?)
    }

    /// The frozen part's values for samples; `None` if they take more memory than is given to them.
    fn features(
        &self,
        cut: &Cut,
        data: &dyn Dataset,
        failures: &mut Vec<SkippedSample>,
        tick: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Option<Kept>, TrainingError> {
        let loader = Loader::new(&self.recipe, &self.network.spec.preprocess, &self.device);
        Kept::new(&self.network, cut, &loader, data, self.memory, failures, tick)
    }

    /// Share of a dataset's pictures that are right, as the model is used.
    fn accuracy(&self, data: &dyn Dataset, kept: Option<(&Kept, &Cut)>) -> Result<f64, TrainingError> {
        let Network { graph, weights, spec, .. } = &self.network;
        let columns = columns(data, spec.classes)?;
        let weights: WeightMap = weights.iter().map(|(name, weight)| (name.clone(), weight.detach())).collect();
        let loader = Loader::new(&self.recipe, &spec.preprocess, &self.device);
        let (mut right, mut seen) = (0, 0);
        let all: Vec<usize> = (0..data.len()).collect();
        for samples in all.chunks(self.recipe.batch_size) {
            let (samples, logits) = match kept {
                Some((kept, cut)) => match kept.some(samples)? {
                    Some((samples, value)) => (samples, cut.head(graph, &weights, &value)?),
                    None => continue,
                },
                None => match loader.batch(data, samples, When::Validation, &mut Vec::new())? {
                    Some(batch) => (batch.samples, run(graph, &weights, &batch.x)?),
                    None => continue,
                },
            };
            let predictions = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
            right += samples.iter().zip(predictions).filter(|&(&i, p)| columns[data.class(i)] == p).count();
            seen += samples.len();
        }
        Ok(right as f64 / seen.max(1) as f64)
    }

    /// The order of an epoch.
    fn order(&self, samples: usize, epoch: usize) -> Vec<usize> {
        let key = NoiseKey::new(self.recipe.seed, "order", epoch as u32);
        let mut order = match &self.groups {
            Some(groups) if self.recipe.objective.needs_groups() => groups.balanced(key.fork("groups")),
            _ => (0..samples).collect(),
        };
        shuffle(&mut order, key);
        order
    }

    /// What learns, as it is now; running statistics with it where they are followed.
    fn learnt(&self, names: &[String]) -> Result<WeightMap, TrainingError> {
        let followed = self.recipe.batch_norms == BatchNormMode::Followed;
        let statistics = running_statistics(&self.network);
        let own = |name: &String| names.contains(name) || (followed && statistics.contains(name));
        let kept = self.network.weights.iter().filter(|(name, _)| own(name));
        // A copy: the variable's own memory changes with the next step.
        Ok(kept
            .map(|(name, weight)| Ok((name.clone(), weight.detach().copy()?)))
            .collect::<candle_core::Result<_>>()?)
    }

    fn keep(
        &self,
        identity: &[(String, String)],
        (epochs, failures, groups): (&[Epoch], &[SkippedSample], &[f64]),
        optimizer: &Optimizer,
        best: Option<&WeightMap>,
        names: &[String],
    ) -> Result<(), TrainingError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let (steps, moments) = optimizer.state();
        let state = State {
            identity: identity.to_vec(),
            epochs: epochs.to_vec(),
            steps,
            groups: groups.to_vec(),
            failures: failures.to_vec(),
        };
        let mut tensors = WeightMap::new();
        for (purpose, map) in [("weight/", self.learnt(names)?), ("optimizer/", moments)] {
            tensors.extend(map.into_iter().map(|(name, tensor)| (format!("{purpose}{name}"), tensor)));
        }
        for (name, tensor) in best.into_iter().flatten() {
            tensors.insert(format!("best/{name}"), tensor.clone());
        }
        checkpoint::write(folder, &state, &tensors)
    }

    /// What must be the same for a checkpoint to be gone on from.
    fn identity(&self, data: &dyn Dataset) -> Result<Vec<(String, String)>, TrainingError> {
        let recipe = serde_json::to_value(&self.recipe).map_err(|error| TrainingError::Recipe(error.to_string()))?;
        let mut identity = vec![
            ("the model".to_owned(), self.network.spec.name.clone()),
            ("its weights' sha256".to_owned(), hash_weights(&self.network)?),
            ("the memory for features".to_owned(), self.memory.to_string()),
        ];
        for (key, value) in recipe.as_object().into_iter().flatten() {
            identity.push((key.clone(), value.to_string()));
        }
        for (what, data) in [("training", Some(data)), ("validation", self.validation)] {
            let mut hash = Sha256::new();
            let of = data.map_or_else(
                || "none".to_owned(),
                |data| {
                    (0..data.len()).for_each(|i| hash.update(format!("{} {}\n", data.id(i), data.class(i))));
                    let hash = hex(&hash.finalize()[..4]);
                    format!("{} samples of {} ({hash})", data.len(), data.info().name)
                },
            );
            identity.push((format!("the {what} data"), of));
        }
        if let Some(groups) = self.groups.as_ref().filter(|_| self.recipe.objective.needs_groups()) {
            let bytes: Vec<u8> = (0..groups.len()).flat_map(|i| groups.group_of(i).to_le_bytes()).collect();
            identity.push(("the sha256 of the groups".to_owned(), hex(&Sha256::digest(bytes)[..4])));
        }
        Ok(identity)
    }
}

/// What a step is made from: features, or pictures.
struct Given {
    samples: Vec<usize>,
    value: Option<CutValues>,
    batch: Option<Batch>,
}

#[derive(Default)]
struct Sums {
    loss: f64,
    right: f64,
    penalty: Option<f64>,
    pictures: usize,
}

/// Do frozen weights give the same for a picture in every epoch?
fn cacheable(recipe: &Recipe) -> bool {
    recipe.batch_norms == BatchNormMode::Frozen && !recipe.augment && !recipe.objective.needs_pictures()
}

/// The head's column of each class of the data.
fn columns(data: &dyn Dataset, classes: usize) -> Result<Vec<u32>, TrainingError> {
    let wrong = |why| TrainingError::Recipe(format!("{why}; or give it a new head"));
    data.info().columns(classes).map_err(wrong)
}

/// The loss of the groups, each by its weight, after the weights have grown with the losses (Sagawa et al. 2020,
/// algorithm 1). Groups without a picture in the batch keep their weight.
fn worst_groups(each: &Tensor, of: &[usize], weights: &mut [f64], eta: f64) -> Result<Tensor, TrainingError> {
    let losses = each.to_vec1::<f32>()?;
    let mut counts = vec![0usize; weights.len()];
    let mut sums = vec![0.0; weights.len()];
    for (&group, &loss) in of.iter().zip(&losses) {
        counts[group] += 1;
        sums[group] += f64::from(loss);
    }
    for (group, weight) in weights.iter_mut().enumerate().filter(|(group, _)| counts[*group] > 0) {
        *weight *= (eta * sums[group] / counts[group] as f64).exp();
    }
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    let shares: Vec<f32> = of.iter().map(|&group| (weights[group] / counts[group] as f64) as f32).collect();
    Ok((each * Tensor::new(shares, each.device())?)?.sum_all()?)
}

/// The epoch (from 0) of the best validation accuracy, the first of equals.
fn best_epoch(epochs: &[Epoch]) -> Option<usize> {
    let accuracy = |epoch: &Epoch| epoch.validation.unwrap_or(f64::NEG_INFINITY);
    let best = epochs.iter().map(accuracy).fold(f64::NEG_INFINITY, f64::max);
    epochs.iter().position(|epoch| accuracy(epoch) == best)
}

fn out_of_patience(epochs: &[Epoch], patience: Option<usize>) -> bool {
    match (patience, best_epoch(epochs)) {
        (Some(patience), Some(best)) if epochs[best].validation.is_some() => epochs.len() - 1 - best >= patience.max(1),
        _ => false,
    }
}

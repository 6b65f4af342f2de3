//! One step: forward, loss, gradients, penalty, optimizer.

use crate::feature_cache::CachedFeatures;
use crate::group_loss::worst_group_loss;
use crate::input::NetworkInput;
use crate::loss::cross_entropy;
use crate::penalty::{Penalty, grad_cam_penalty, input_gradient_penalty};
use crate::{BatchNormMode, Epoch, Groups, Objective, Optimizer, Recipe, TrainingError};
use candle_core::{D, DType, Tensor, Var};
use hard_imagenet_graph::{CutValues, RunningStatistics, WeightMap, run, run_training};
use hard_imagenet_kernels::gradients;
use hard_imagenet_models::Network;

/// Share of the batch's statistics in the updated statistics of batch norms, as torch's default.
const STATISTICS_MOMENTUM: f64 = 0.1;

/// A step that is about to be taken.
pub(crate) struct Step<'s> {
    pub(crate) network: &'s Network,
    pub(crate) recipe: &'s Recipe,
    pub(crate) groups: Option<&'s Groups>,
    /// Learning rate.
    pub(crate) rate: f64,
}

/// What a step was like before it changed the weights.
pub(crate) struct StepResult {
    samples: usize,
    /// Mean cross entropy.
    pub(crate) loss: f64,
    correct: f64,
    /// Mean penalty before λ.
    penalty: Option<f64>,
    /// The batch norms' statistics after the batch.
    pub(crate) statistics: RunningStatistics,
}

/// Sums over the steps of an epoch.
#[derive(Default)]
pub(crate) struct EpochTotals {
    samples: usize,
    loss: f64,
    correct: f64,
    penalty: Option<f64>,
}

impl EpochTotals {
    pub(crate) fn add(&mut self, step: &StepResult) {
        let n = step.samples as f64;
        self.samples += step.samples;
        self.loss += n * step.loss;
        self.correct += step.correct;
        if let Some(penalty) = step.penalty {
            *self.penalty.get_or_insert(0.0) += n * penalty;
        }
    }

    /// Returns the means over the samples.
    pub(crate) fn into_epoch(self, number: usize, validation: Option<f64>) -> Epoch {
        let n = self.samples.max(1) as f64;
        let penalty = self.penalty.map(|penalty| penalty / n);
        Epoch { number, loss: self.loss / n, penalty, accuracy: self.correct / n, validation }
    }
}

impl Step<'_> {
    /// Takes the step. `labels` `(B)` u32 are columns of the head.
    pub(crate) fn run(
        &self,
        input: &NetworkInput<'_>,
        labels: &Tensor,
        optimizer: &mut Optimizer,
        group_weights: &mut [f64],
    ) -> Result<StepResult, TrainingError> {
        let variables: Vec<Var> = optimizer.variables().cloned().collect();
        let (logits, statistics) = self.forward(input)?;
        let losses = cross_entropy(&logits, labels, self.recipe.label_smoothing)?;
        let loss = self.objective_loss(&losses, input.samples(), group_weights)?;
        let mut gradients = gradients(&loss, &variables)?;
        let mut penalty_value = None;
        if let Some((lambda, penalty)) = self.penalty(input, labels, &variables)? {
            for (gradient, more) in gradients.iter_mut().zip(&penalty.gradients) {
                *gradient = (&*gradient + (more * lambda)?)?;
            }
            penalty_value = Some(penalty.value);
        }
        optimizer.step(&gradients, self.rate)?;
        if self.recipe.objective == Objective::PublishedSaliency {
            // The published penalty has no gradient, yet the published code takes an optimizer step for it.
            let zeros = gradients.iter().map(Tensor::zeros_like).collect::<candle_core::Result<Vec<_>>>()?;
            optimizer.step(&zeros, self.rate)?;
        }
        let correct = logits.argmax(D::Minus1)?.eq(labels)?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
        Ok(StepResult {
            samples: input.samples().len(),
            loss: f64::from(losses.mean_all()?.to_scalar::<f32>()?),
            correct: f64::from(correct),
            penalty: penalty_value,
            statistics,
        })
    }

    /// Returns the logits `(B, K)` f32 and the batch norms' statistics after the batch.
    fn forward(&self, input: &NetworkInput<'_>) -> Result<(Tensor, RunningStatistics), TrainingError> {
        let Network { graph, weights, .. } = self.network;
        let half_weights: WeightMap;
        let (weights, dtype) = if self.recipe.bf16 {
            let half = |(name, weight): (&String, &Tensor)| Ok((name.clone(), weight.to_dtype(DType::BF16)?));
            half_weights = weights.iter().map(half).collect::<candle_core::Result<_>>()?;
            (&half_weights, DType::BF16)
        } else {
            (weights, DType::F32)
        };
        let (logits, statistics) = match input {
            NetworkInput::Features(features) => {
                let CachedFeatures { value, cut, .. } = features;
                let carried = value.carried.iter().map(|t| t.to_dtype(dtype)).collect::<candle_core::Result<_>>()?;
                (cut.head(graph, weights, &CutValues { at: value.at.to_dtype(dtype)?, carried })?, Vec::new())
            }
            NetworkInput::Images(batch) if self.recipe.batch_norms == BatchNormMode::Frozen => {
                (run(graph, weights, &batch.x.to_dtype(dtype)?)?, Vec::new())
            }
            NetworkInput::Images(batch) => {
                run_training(graph, weights, &batch.x.to_dtype(dtype)?, STATISTICS_MOMENTUM)?
            }
        };
        Ok((logits.to_dtype(DType::F32)?, statistics))
    }

    /// Combines the samples' losses `(B)` as the objective says. Group DRO also updates the weights of the groups.
    fn objective_loss(
        &self,
        losses: &Tensor,
        samples: &[usize],
        group_weights: &mut [f64],
    ) -> Result<Tensor, TrainingError> {
        match (self.recipe.objective, self.groups) {
            (Objective::GroupDro(eta), Some(groups)) => {
                let groups: Vec<usize> = samples.iter().map(|&i| groups.group_of(i) as usize).collect();
                worst_group_loss(losses, &groups, group_weights, eta)
            }
            _ => Ok(losses.mean_all()?),
        }
    }

    /// Returns the objective's λ and penalty, if it has one.
    fn penalty(
        &self,
        input: &NetworkInput<'_>,
        labels: &Tensor,
        variables: &[Var],
    ) -> Result<Option<(f64, Penalty)>, TrainingError> {
        let NetworkInput::Images(batch) = input else { return Ok(None) };
        let Network { graph, weights, spec, .. } = self.network;
        Ok(match self.recipe.objective {
            Objective::InputGradient(lambda) => {
                let outside = batch.object.affine(-1.0, 1.0)?;
                Some((lambda, input_gradient_penalty(graph, weights, variables, &batch.x, &outside, labels)?))
            }
            Objective::GradCam(lambda) => {
                let node = &spec.cam_node;
                Some((lambda, grad_cam_penalty(graph, weights, variables, node, &batch.x, &batch.object, labels)?))
            }
            _ => None,
        })
    }
}

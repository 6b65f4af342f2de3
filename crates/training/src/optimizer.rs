//! How a gradient moves a weight, step for step as in torch, with a state that can be kept.

use crate::TrainingError;
use candle_core::{Tensor, Var};
use hard_imagenet_graph::WeightMap;
use serde::{Deserialize, Serialize};

/// A rule of descent. Decay is a share of the weight that is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum UpdateRule {
    /// Kingma and Ba 2015, β of 0.9 and 0.999, ε of 1e-8; decay is added to the gradient (torch's `Adam`).
    Adam {
        /// λ of `g + λ w`.
        decay: f64,
    },
    /// Loshchilov and Hutter 2019: the decay is taken off the weight itself (torch's `AdamW`).
    AdamW {
        /// λ of `w (1 − rate λ)`.
        decay: f64,
    },
    /// With momentum (torch's `SGD`); decay is added to the gradient.
    Sgd {
        /// μ of `b ← μ b + g`.
        momentum: f64,
        /// λ of `g + λ w`.
        decay: f64,
    },
}

const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// A rule and what it remembers of each weight.
#[derive(Debug)]
pub struct Optimizer {
    rule: UpdateRule,
    variables: Vec<(String, Var)>,
    /// First and second moment, or the momentum's buffer, of each weight.
    moments: Vec<Vec<Tensor>>,
    steps: usize,
}

impl Optimizer {
    /// For variables with names, which are those of the state.
    ///
    /// # Errors
    /// From candle.
    pub fn new(rule: UpdateRule, variables: Vec<(String, Var)>) -> Result<Self, TrainingError> {
        let zeros = |variable: &Var| variable.as_tensor().zeros_like();
        let moments = variables
            .iter()
            .map(|(_, variable)| match rule {
                UpdateRule::Sgd { .. } => Ok(vec![zeros(variable)?]),
                _ => Ok(vec![zeros(variable)?, zeros(variable)?]),
            })
            .collect::<Result<_, TrainingError>>()?;
        Ok(Self { rule, variables, moments, steps: 0 })
    }

    /// The variables.
    pub fn variables(&self) -> impl Iterator<Item = &Var> {
        self.variables.iter().map(|(_, variable)| variable)
    }

    /// Moves each variable by its gradient, in the order of [`variables`](Self::variables).
    ///
    /// # Errors
    /// From candle, for gradients of other shapes.
    pub fn step(&mut self, gradients: &[Tensor], rate: f64) -> Result<(), TrainingError> {
        self.steps += 1;
        let time = self.steps as i32;
        for (((_, variable), moments), gradient) in self.variables.iter().zip(&mut self.moments).zip(gradients) {
            let (weight, gradient) = (variable.as_detached_tensor(), gradient.detach());
            let decayed = |decay: f64| if decay == 0.0 { Ok(gradient.clone()) } else { &gradient + (&weight * decay)? };
            let moved = match self.rule {
                UpdateRule::Sgd { momentum, decay } => {
                    moments[0] = ((&moments[0] * momentum)? + decayed(decay)?)?;
                    (weight - (&moments[0] * rate)?)?
                }
                UpdateRule::Adam { decay } => {
                    let step = adam(moments, &decayed(decay)?, time)?;
                    (weight - (step * rate)?)?
                }
                UpdateRule::AdamW { decay } => {
                    let step = adam(moments, &gradient, time)?;
                    ((weight * (1.0 - rate * decay))? - (step * rate)?)?
                }
            };
            variable.set(&moved)?;
        }
        Ok(())
    }

    /// What it remembers, by the names of the variables; [`restore`](Self::restore) takes it back.
    pub fn state(&self) -> (usize, WeightMap) {
        let named = |((name, _), moments): (&(String, Var), &Vec<Tensor>)| {
            moments.iter().enumerate().map(|(i, m)| (format!("{name}#{i}"), m.clone())).collect::<Vec<_>>()
        };
        (self.steps, self.variables.iter().zip(&self.moments).flat_map(named).collect())
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`] for the state of other variables.
    pub fn restore(&mut self, steps: usize, state: &WeightMap) -> Result<(), TrainingError> {
        for ((name, variable), moments) in self.variables.iter().zip(&mut self.moments) {
            for (i, moment) in moments.iter_mut().enumerate() {
                let kept = state.get(&format!("{name}#{i}")).filter(|kept| kept.dims() == variable.dims());
                let kept =
                    kept.ok_or_else(|| TrainingError::Recipe(format!("no state of the optimizer for {name}")))?;
                *moment = kept.to_device(variable.device())?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

/// Moves the moments and gives the step: first over the root of the second, each without its bias towards zero.
fn adam(moments: &mut [Tensor], gradient: &Tensor, time: i32) -> candle_core::Result<Tensor> {
    moments[0] = ((&moments[0] * BETAS.0)? + (gradient * (1.0 - BETAS.0))?)?;
    moments[1] = ((&moments[1] * BETAS.1)? + (gradient.sqr()? * (1.0 - BETAS.1))?)?;
    let (first, second) = (1.0 - BETAS.0.powi(time), 1.0 - BETAS.1.powi(time));
    let root = ((moments[1].sqrt()? * second.sqrt().recip())? + EPSILON)?;
    (&moments[0] * first.recip())? / root
}

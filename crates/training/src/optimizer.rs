//! How a gradient changes the weights, step for step as in torch, with a state that can be stored.

use crate::TrainingError;
use candle_core::{Tensor, Var};
use hard_imagenet_graph::WeightMap;
use serde::{Deserialize, Serialize};

/// How an optimizer turns gradients into changes of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum UpdateRule {
    /// Adam (Kingma and Ba 2015) with β of 0.9 and 0.999 and ε of 1e-8. Weight decay is added to the gradient, as in
    /// torch's `Adam`.
    Adam {
        /// Weight decay λ: the gradient becomes `g + λ w`.
        decay: f64,
    },
    /// AdamW (Loshchilov and Hutter 2019). Weight decay is subtracted from the weight itself, as in torch's `AdamW`.
    AdamW {
        /// Weight decay λ: the weight becomes `w (1 − rate λ)` before the step.
        decay: f64,
    },
    /// Gradient descent with momentum. Weight decay is added to the gradient, as in torch's `SGD`.
    Sgd {
        /// Momentum μ of `b ← μ b + g`.
        momentum: f64,
        /// Weight decay λ: the gradient becomes `g + λ w`.
        decay: f64,
    },
}

const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// An update rule and its state for each weight.
#[derive(Debug)]
pub struct Optimizer {
    rule: UpdateRule,
    variables: Vec<(String, Var)>,
    /// First and second moments of each weight's gradient, or its momentum buffer.
    moments: Vec<Vec<Tensor>>,
    steps: usize,
}

impl Optimizer {
    /// Creates an optimizer for variables. Their names identify them in the state.
    ///
    /// # Errors
    /// Returns candle's error if the state cannot be allocated.
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

    /// Returns the variables in the order in which they were given.
    pub fn variables(&self) -> impl Iterator<Item = &Var> {
        self.variables.iter().map(|(_, variable)| variable)
    }

    /// Changes each variable by its gradient. Gradients are in the order of [`variables`](Self::variables) and have the
    /// variables' shapes; `rate` is the learning rate.
    ///
    /// # Errors
    /// Returns candle's error for gradients of other shapes.
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

    /// Returns the number of steps taken and the state tensors by name. [`restore`](Self::restore) takes both.
    pub fn state(&self) -> (usize, WeightMap) {
        let named = |((name, _), moments): (&(String, Var), &Vec<Tensor>)| {
            moments.iter().enumerate().map(|(i, m)| (format!("{name}#{i}"), m.clone())).collect::<Vec<_>>()
        };
        (self.steps, self.variables.iter().zip(&self.moments).flat_map(named).collect())
    }

    /// Restores a state that [`state`](Self::state) returned.
    ///
    /// # Errors
    /// Returns [`TrainingError::Recipe`] for the state of other variables.
    pub fn restore(&mut self, steps: usize, state: &WeightMap) -> Result<(), TrainingError> {
        for ((name, variable), moments) in self.variables.iter().zip(&mut self.moments) {
            for (i, moment) in moments.iter_mut().enumerate() {
                let stored = state.get(&format!("{name}#{i}")).filter(|stored| stored.dims() == variable.dims());
                let stored = stored
                    .ok_or_else(|| TrainingError::Recipe(format!("the optimizer's state has nothing for {name}")))?;
                *moment = stored.to_device(variable.device())?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

/// Updates the moments and returns the step: the first moment divided by the root of the second, each corrected for its
/// bias towards zero.
fn adam(moments: &mut [Tensor], gradient: &Tensor, time: i32) -> candle_core::Result<Tensor> {
    moments[0] = ((&moments[0] * BETAS.0)? + (gradient * (1.0 - BETAS.0))?)?;
    moments[1] = ((&moments[1] * BETAS.1)? + (gradient.sqr()? * (1.0 - BETAS.1))?)?;
    let (first, second) = (1.0 - BETAS.0.powi(time), 1.0 - BETAS.1.powi(time));
    let root = ((moments[1].sqrt()? * second.sqrt().recip())? + EPSILON)?;
    (&moments[0] * first.recip())? / root
}

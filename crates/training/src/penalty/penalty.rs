use crate::TrainingError;
use candle_core::{Tensor, Var};
use hard_imagenet_graph::{Dual, WeightMap};

/// The value of a penalty and its gradient.
#[derive(Clone, Debug)]
pub struct Penalty {
    /// Mean over the batch.
    pub value: f64,
    /// The gradient with respect to each variable, in the variable's shape. It is zero if the penalty does not depend
    /// on the variable.
    pub gradients: Vec<Tensor>,
}

/// Returns the weights without the record that gradients need.
pub(super) fn detach_weights(weights: &WeightMap) -> WeightMap {
    weights.iter().map(|(name, weight)| (name.clone(), weight.detach())).collect()
}

/// Returns the one value of a graph with one output.
pub(super) fn single_output(mut values: Vec<Dual>) -> Result<Dual, TrainingError> {
    values.pop().ok_or_else(|| TrainingError::Recipe("the graph has no output".into()))
}

pub(super) fn zero_gradients(variables: &[Var]) -> Result<Vec<Tensor>, TrainingError> {
    Ok(variables.iter().map(|variable| variable.as_tensor().zeros_like()).collect::<candle_core::Result<_>>()?)
}

/// Returns the gradients of a scalar, with zeros for variables that it does not depend on.
pub(super) fn gradients_or_zeros(value: &Tensor, variables: &[Var]) -> Result<Vec<Tensor>, TrainingError> {
    let store = value.backward()?;
    let gradient = |variable: &Var| match store.get(variable) {
        Some(gradient) => Ok(gradient.clone()),
        None => variable.as_tensor().zeros_like(),
    };
    Ok(variables.iter().map(gradient).collect::<candle_core::Result<_>>()?)
}

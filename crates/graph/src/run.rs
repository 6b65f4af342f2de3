//! The reference executor: evaluates a graph node by node, in candle tensors. It defines what a graph means.

use crate::ops::{Op, batch_norm_training};
use crate::{Graph, GraphError, Node, NodeId};
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;

/// Weights by name. Gradients reach the variables among them; all others are frozen.
pub type WeightMap = HashMap<String, Tensor>;

/// The running statistics after a batch, by name (`bn1.running_mean`, ..). `weights.extend(statistics)` puts them into the
/// weights.
pub type RunningStatistics = Vec<(String, Tensor)>;

/// Evaluates the graph on the images `x` `(B, C, H, W)` and returns the value of the output node.
///
/// `x` and the weights must be on one device and of one dtype, which are those of the result. Batch norms use their running
/// statistics. Gradients flow to `x` and to the variables among the weights.
///
/// # Errors
/// Returns an error if a weight is missing or the operation of a node fails. The message names the node.
pub fn run(graph: &Graph, weights: &WeightMap, x: &Tensor) -> Result<Tensor, GraphError> {
    take_output(run_from(graph, weights, &[(graph.input, x.clone())], &[graph.output])?)
}

/// Evaluates the graph as in training: batch norms use the batch's own statistics. Returns the output and the running
/// statistics, moved towards the batch's by `momentum` (torch's default is 0.1).
///
/// Otherwise it does the same as [`run`], with the same shapes.
///
/// # Errors
/// Returns an error in the cases of [`run`].
pub fn run_training(
    graph: &Graph,
    weights: &WeightMap,
    x: &Tensor,
    momentum: f64,
) -> Result<(Tensor, RunningStatistics), GraphError> {
    let mut statistics = Vec::new();
    let fed = [(graph.input, x.clone())];
    let outputs = execute(graph, weights, &fed, &[graph.output], &mut |node, inputs, weights| {
        let Op::BatchNorm { eps, .. } = node.op else { return node.op.value(inputs, weights) };
        let (y, batch) = batch_norm_training(inputs[0], weights, eps)?;
        for (i, new) in [(2, batch.mean), (3, batch.unbiased_variance)] {
            let moved = ((weights[i].detach() * (1.0 - momentum))? + (new * momentum)?)?;
            statistics.push((node.weights[i].clone(), moved));
        }
        Ok(y)
    })?;
    Ok((take_output(outputs)?, statistics))
}

/// Returns the values of the `wanted` nodes, given those of the `fed` nodes. A value has the shape that [`Graph::shapes`] gives
/// for its node.
///
/// Only the nodes between the two are computed. So this continues a run from the middle, and it reads several nodes at once.
///
/// # Errors
/// Returns an error in the cases of [`run`], and if a wanted node needs the input but the input is not fed.
pub fn run_from(
    graph: &Graph,
    weights: &WeightMap,
    fed: &[(NodeId, Tensor)],
    wanted: &[NodeId],
) -> Result<Vec<Tensor>, GraphError> {
    execute(graph, weights, fed, wanted, &mut |node, inputs, weights| node.op.value(inputs, weights))
}

/// Computes a node's value from the values of its inputs and its weights.
pub(crate) type Evaluate<'a> = dyn FnMut(&Node, &[&Tensor], &[&Tensor]) -> candle_core::Result<Tensor> + 'a;

/// Evaluates the nodes between the fed and the wanted ones.
pub(crate) fn execute(
    graph: &Graph,
    weights: &WeightMap,
    fed: &[(NodeId, Tensor)],
    wanted: &[NodeId],
    evaluate: &mut Evaluate<'_>,
) -> Result<Vec<Tensor>, GraphError> {
    let mut values: Vec<Option<Tensor>> = vec![None; graph.nodes.len()];
    for (id, value) in fed {
        values[id.0] = Some(value.clone());
    }
    let mut uses = count_uses(graph, &values, wanted);
    for (i, node) in graph.nodes.iter().enumerate() {
        if uses[i] == 0 || values[i].is_some() {
            continue;
        }
        let fail = |source| GraphError::Node { node: node.name.clone(), source };
        if let Op::Constant(constant) = &node.op
            && !weights.contains_key(&node.name)
        {
            let like = fed.first().map_or((Device::Cpu, DType::F32), |(_, x)| (x.device().clone(), x.dtype()));
            values[i] = Some(constant.tensor(&like.0, like.1).map_err(fail)?);
            continue;
        }
        let inputs = node
            .inputs
            .iter()
            .map(|id| values[id.0].as_ref().ok_or_else(|| fail(missing_input())))
            .collect::<Result<Vec<_>, _>>()?;
        let value = evaluate(node, &inputs, &find_weights(node, weights)?).map_err(fail)?;
        values[i] = Some(value);
        // Drop each value after its last use, so that memory holds no more than what is still needed.
        for input in &node.inputs {
            uses[input.0] -= 1;
            if uses[input.0] == 0 {
                values[input.0] = None;
            }
        }
    }
    let take = |id: &NodeId| values[id.0].clone().ok_or_else(|| not_computed(graph, *id));
    wanted.iter().map(take).collect()
}

/// Returns how often each value will be used. A node without uses need not be computed.
fn count_uses(graph: &Graph, values: &[Option<Tensor>], wanted: &[NodeId]) -> Vec<usize> {
    let mut uses = vec![0usize; graph.nodes.len()];
    for id in wanted {
        uses[id.0] += 1;
    }
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        if uses[i] > 0 && values[i].is_none() {
            node.inputs.iter().for_each(|input| uses[input.0] += 1);
        }
    }
    uses
}

/// Returns the weights of a node, in its order.
pub(crate) fn find_weights<'a>(node: &Node, weights: &'a WeightMap) -> Result<Vec<&'a Tensor>, GraphError> {
    let find = |name: &String| {
        let missing = || GraphError::MissingWeight { node: node.name.clone(), weight: name.clone() };
        weights.get(name).ok_or_else(missing)
    };
    node.weights.iter().map(find).collect()
}

pub(crate) fn missing_input() -> candle_core::Error {
    candle_core::Error::Msg("an input has no value".into())
}

/// The error for a wanted node that was not reached.
pub(crate) fn not_computed(graph: &Graph, id: NodeId) -> GraphError {
    let source = candle_core::Error::Msg("its value was not computed".into());
    GraphError::Node { node: graph.nodes[id.0].name.clone(), source }
}

fn take_output(mut outputs: Vec<Tensor>) -> Result<Tensor, GraphError> {
    outputs.pop().ok_or_else(|| GraphError::Tensor(candle_core::Error::Msg("no output".into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{images, tiny_residual, weights_of};
    use candle_core::{DType, Var};

    #[test]
    fn values_of_several_nodes_at_once() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), images(2));
        let wanted = [graph.output(), graph.find("block.relu")?, graph.input()];
        let values = run_from(&graph, &weights, &[(graph.input(), x.clone())], &wanted)?;
        assert_eq!(values[0].to_vec2::<f32>()?, run(&graph, &weights, &x)?.to_vec2::<f32>()?);
        assert_eq!(values[1].dims(), [2, 4, 4, 4]);
        assert_eq!(values[2].id(), x.id());
        Ok(())
    }

    #[test]
    fn shapes_are_those_of_the_values() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let x = images(2);
        let all: Vec<NodeId> = (0..graph.nodes().len()).map(NodeId).collect();
        let values = run_from(&graph, &weights_of(&graph), &[(graph.input(), x.clone())], &all)?;
        for ((value, shape), node) in values.iter().zip(graph.shapes(x.dims())?).zip(graph.nodes()) {
            assert_eq!(value.dims(), shape, "{}", node.name);
        }
        Ok(())
    }

    #[test]
    fn halves_are_close_to_f32() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let weights = weights_of(&graph);
        let want = run(&graph, &weights, &images(2))?;
        let halves = weights
            .iter()
            .map(|(k, v)| Ok((k.clone(), v.to_dtype(DType::BF16)?)))
            .collect::<Result<_, GraphError>>()?;
        let got = run(&graph, &halves, &images(2).to_dtype(DType::BF16)?)?;
        assert_eq!(got.dtype(), DType::BF16);
        let error = (got.to_dtype(DType::F32)? - &want)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 0.05 * want.abs()?.max_all()?.to_scalar::<f32>()?, "{error}");
        Ok(())
    }

    #[test]
    fn missing_weights_are_named() {
        let graph = tiny_residual();
        let mut weights = weights_of(&graph);
        weights.remove("block.conv.weight");
        let error = run(&graph, &weights, &images(1)).unwrap_err();
        assert!(error.to_string().contains("\"block.conv\" needs the weight \"block.conv.weight\""), "{error}");
    }

    #[test]
    fn training_reaches_every_variable_and_moves_the_statistics() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let mut weights = weights_of(&graph);
        let mut variables = Vec::new();
        for (name, value) in &mut weights {
            if !name.contains("running") {
                let variable = Var::from_tensor(value)?;
                *value = variable.as_tensor().clone();
                variables.push((name.clone(), variable));
            }
        }
        let (y, statistics) = run_training(&graph, &weights, &images(4), 0.1)?;
        let gradients = y.sqr()?.sum_all()?.backward()?;
        for (name, variable) in &variables {
            let gradient = gradients.get(variable).unwrap_or_else(|| panic!("{name} has no gradient"));
            assert!(gradient.abs()?.max_all()?.to_scalar::<f32>()? > 0.0, "{name}");
        }
        let names: Vec<&str> = statistics.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bn.running_mean", "bn.running_var", "block.bn.running_mean", "block.bn.running_var"]);

        // After many steps on one batch the running statistics equal the batch's. Evaluation then equals training except for
        // the divisor of the variance, which is n - 1 = 63 instead of n = 64.
        for _ in 0..200 {
            let (_, statistics) = run_training(&graph, &weights, &images(4), 0.1)?;
            weights.extend(statistics);
        }
        let error = (run(&graph, &weights, &images(4))? - &y)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 0.03 * y.abs()?.max_all()?.to_scalar::<f32>()?, "{error}");
        Ok(())
    }
}

//! The reference executor: node by node, in candle tensors.

use crate::ops::{Activation, Op, batch_norm_training};
use crate::{Graph, GraphError, Node, NodeId};
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;

/// Weights by name. Variables among them are differentiated, the rest is frozen.
pub type WeightMap = HashMap<String, Tensor>;

/// New running statistics after a batch, by name (`bn1.running_mean`, ..), to be put into the weights:
/// `weights.extend(statistics)`.
pub type RunningStatistics = Vec<(String, Tensor)>;

/// Evaluates the graph: `x` `(B, C, H, W)` to the output, on the device and in the dtype of weights and input.
/// Batch norms use running statistics.
///
/// # Errors
/// A weight that is missing, or a node whose operation fails (the message names it).
pub fn run(graph: &Graph, weights: &WeightMap, x: &Tensor) -> Result<Tensor, GraphError> {
    one(run_from(graph, weights, &[(graph.input, x.clone())], &[graph.output])?)
}

/// [`run`] as in training: batch norms use the batch's own statistics, and the running ones, moved by `momentum`
/// (torch's default is 0.1) towards the batch's, come back beside the output.
///
/// # Errors
/// As [`run`].
pub fn run_training(
    graph: &Graph,
    weights: &WeightMap,
    x: &Tensor,
    momentum: f64,
) -> Result<(Tensor, RunningStatistics), GraphError> {
    let mut statistics = Vec::new();
    let feeds = [(graph.input, x.clone())];
    let outputs = execute(graph, weights, &feeds, &[graph.output], &mut |node, then, inputs, weights| {
        if then.is_some() {
            return Ok(None);
        }
        let Op::BatchNorm { eps, .. } = node.op else { return node.op.value(inputs, weights).map(Some) };
        let (y, batch) = batch_norm_training(inputs[0], weights, eps)?;
        for (i, new) in [(2, batch.mean), (3, batch.unbiased_variance)] {
            let moved = ((weights[i].detach() * (1.0 - momentum))? + (new * momentum)?)?;
            statistics.push((node.weights[i].clone(), moved));
        }
        Ok(Some(y))
    })?;
    Ok((one(outputs)?, statistics))
}

/// The values of the `wanted` nodes, given those of the `fed` ones. Only what lies between is computed, so this
/// continues a run from the middle, or looks at several nodes at once.
///
/// # Errors
/// As [`run`]; and when a wanted node needs the input, which is not fed.
pub fn run_from(
    graph: &Graph,
    weights: &WeightMap,
    fed: &[(NodeId, Tensor)],
    wanted: &[NodeId],
) -> Result<Vec<Tensor>, GraphError> {
    let evaluate: &mut Evaluate<'_> = &mut |node, then, inputs, weights| match then {
        Some(then) => node.op.activated(then, inputs, weights),
        None => node.op.value(inputs, weights).map(Some),
    };
    execute(graph, weights, fed, wanted, evaluate)
}

/// Gives a node's value for the values of its inputs and its weights; or, if asked, that of an activation of it, unless
/// both cannot be had at once.
pub(crate) type Evaluate<'a> =
    dyn FnMut(&Node, Option<Activation>, &[&Tensor], &[&Tensor]) -> candle_core::Result<Option<Tensor>> + 'a;

/// Where nobody but an activation takes a node's value, the activation's is computed with it, and the node's own never is.
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
    // How often each value will still be taken; 0: it is not needed.
    let mut uses = vec![0usize; graph.nodes.len()];
    for id in wanted {
        uses[id.0] += 1;
    }
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        if uses[i] > 0 && values[i].is_none() {
            node.inputs.iter().for_each(|input| uses[input.0] += 1);
        }
    }
    // An activation that needs a value, the last of them.
    let mut activation = vec![None; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate().filter(|(i, _)| uses[*i] > 0 && values[*i].is_none()) {
        if let Op::Activation(then) = node.op {
            activation[node.inputs[0].0] = Some((i, then));
        }
    }
    for (i, node) in graph.nodes.iter().enumerate() {
        if uses[i] == 0 || values[i].is_some() {
            continue;
        }
        let at = |source| GraphError::Node { node: node.name.clone(), source };
        let inputs = node
            .inputs
            .iter()
            .map(|id| values[id.0].as_ref().ok_or_else(|| at(candle_core::Error::Msg("an input has no value".into()))))
            .collect::<Result<Vec<_>, _>>()?;
        if let Op::Constant(constant) = &node.op
            && !weights.contains_key(&node.name)
        {
            let like = fed.first().map_or((Device::Cpu, DType::F32), |(_, x)| (x.device().clone(), x.dtype()));
            values[i] = Some(constant.tensor(&like.0, like.1).map_err(at)?);
            continue;
        }
        let own = node
            .weights
            .iter()
            .map(|name| {
                let missing = || GraphError::MissingWeight { node: node.name.clone(), weight: name.clone() };
                weights.get(name).ok_or_else(missing)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut evaluate = |then| evaluate(node, then, &inputs, &own).map_err(at);
        let both = match activation[i].filter(|_| uses[i] == 1) {
            Some((place, then)) => evaluate(Some(then))?.map(|value| (place, value)),
            None => None,
        };
        let (place, value) = match both {
            Some((place, value)) => (place, Some(value)),
            None => (i, evaluate(None)?),
        };
        values[place] = value;
        // A value goes after its last use, so that memory holds what is alive and no more.
        for input in &node.inputs {
            uses[input.0] -= 1;
            if uses[input.0] == 0 {
                values[input.0] = None;
            }
        }
    }
    wanted
        .iter()
        .map(|id| {
            let name = &graph.nodes[id.0].name;
            let absent = || GraphError::Node {
                node: name.clone(),
                source: candle_core::Error::Msg("its value was not computed".into()),
            };
            values[id.0].clone().ok_or_else(absent)
        })
        .collect()
}

fn one(mut outputs: Vec<Tensor>) -> Result<Tensor, GraphError> {
    outputs.pop().ok_or_else(|| GraphError::Tensor(candle_core::Error::Msg("no output".into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{picture, tiny_residual, weights_of};
    use crate::{Conv2d, GraphBuilder};
    use candle_core::{DType, Var};

    #[test]
    fn values_of_several_nodes_at_once() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), picture(2));
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
        let x = picture(2);
        let all: Vec<NodeId> = (0..graph.nodes().len()).map(NodeId).collect();
        let values = run_from(&graph, &weights_of(&graph), &[(graph.input(), x.clone())], &all)?;
        for ((value, shape), node) in values.iter().zip(graph.shapes(x.dims())?).zip(graph.nodes()) {
            assert_eq!(value.dims(), shape, "{}", node.name);
        }
        Ok(())
    }

    /// What is computed together with its activation, and where that may not be.
    #[test]
    fn two_nodes_at_once_give_what_they_give_apart() -> Result<(), GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let conv = Conv2d { padding: 1, bias: true, ..Conv2d::new(3, 4, 3) };
        let a = g.conv2d("a", x, conv);
        let b = g.activation("b", a, Activation::Relu);
        let c = g.conv2d("c", b, Conv2d { groups: 4, padding: 1, ..Conv2d::new(4, 4, 3) });
        let d = g.activation("d", c, Activation::Silu);
        let e = g.add("e", d, b);
        let f = g.activation("f", e, Activation::Gelu);
        // Taken twice: its own value is needed.
        let h = g.conv2d("h", f, Conv2d { ..Conv2d::new(4, 4, 1) });
        let i = g.activation("i", h, Activation::Sigmoid);
        let j = g.mul("j", h, i);
        let k = g.global_average_pool("k", j);
        let l = g.linear("l", k, 4, 6, true);
        let m = g.activation("m", l, Activation::Tanh);
        let graph = g.finish(m)?;
        let (weights, x) = (weights_of(&graph), picture(3));
        let feeds = [(graph.input(), x.clone())];
        let all: Vec<NodeId> = (0..graph.nodes().len()).map(NodeId).collect();
        let bits = |t: &Tensor| -> Vec<u32> {
            t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
        };
        // All are wanted, so none is computed with another.
        let apart = run_from(&graph, &weights, &feeds, &all)?;
        assert_eq!(bits(&run(&graph, &weights, &x)?), bits(apart.last().unwrap()));
        for (node, value) in all.iter().zip(&apart).skip(1) {
            let alone = run_from(&graph, &weights, &feeds, &[*node])?;
            assert_eq!(bits(&alone[0]), bits(value), "{}", graph.node(*node).name);
        }
        // Gradients are those of the operations, which have to be recorded.
        let variable = Var::from_tensor(&x)?;
        let y = run(&graph, &weights, variable.as_tensor())?;
        assert_eq!(bits(&y), bits(apart.last().unwrap()));
        assert!(y.sum_all()?.backward()?.get(variable.as_tensor()).is_some());
        Ok(())
    }

    #[test]
    fn halves() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let weights = weights_of(&graph);
        let want = run(&graph, &weights, &picture(2))?;
        let halves = weights
            .iter()
            .map(|(k, v)| Ok((k.clone(), v.to_dtype(DType::BF16)?)))
            .collect::<Result<_, GraphError>>()?;
        let got = run(&graph, &halves, &picture(2).to_dtype(DType::BF16)?)?;
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
        let error = run(&graph, &weights, &picture(1)).unwrap_err();
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
        let (y, statistics) = run_training(&graph, &weights, &picture(4), 0.1)?;
        let gradients = y.sqr()?.sum_all()?.backward()?;
        for (name, variable) in &variables {
            let gradient = gradients.get(variable).unwrap_or_else(|| panic!("{name} has no gradient"));
            assert!(gradient.abs()?.max_all()?.to_scalar::<f32>()? > 0.0, "{name}");
        }
        let names: Vec<&str> = statistics.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bn.running_mean", "bn.running_var", "block.bn.running_mean", "block.bn.running_var"]);

        // Many steps on one batch: the running statistics become the batch's, and evaluation equals training but for
        // the variance's divisor, n - 1 = 63 of n = 64.
        for _ in 0..200 {
            let (_, statistics) = run_training(&graph, &weights, &picture(4), 0.1)?;
            weights.extend(statistics);
        }
        let error = (run(&graph, &weights, &picture(4))? - &y)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 0.03 * y.abs()?.max_all()?.to_scalar::<f32>()?, "{error}");
        Ok(())
    }
}

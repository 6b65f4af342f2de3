use crate::ops::Op;
use crate::{Graph, GraphError, Node, NodeId, WeightMap};
use candle_core::{DType, Tensor};
use std::collections::{BTreeMap, HashMap};

/// Lets each batch norm that follows a convolution vanish into it: the convolution's weights are scaled and it gets a
/// bias, so that the output stays the same up to rounding.
///
/// The new convolution has the batch norm's name (`bn1`), for its value is the batch norm's; the name of the old one
/// (`conv1`) is gone, for its value is no longer computed. The new weights are `bn1.folded.weight` and
/// `bn1.folded.bias`; all others keep their names and tensors. A convolution whose value has other takers, or that
/// shares weights, stays as it is. Weights that are not needed any more are let go at once, so that no network is in
/// memory twice.
///
/// # Errors
/// [`GraphError::MissingWeight`], or an arithmetic failure.
pub fn fold_batch_norm(graph: &Graph, mut weights: WeightMap) -> Result<(Graph, WeightMap), GraphError> {
    let consumers = graph.consumers();
    let mut takers = HashMap::new();
    for weight in graph.nodes.iter().flat_map(|node| &node.weights) {
        *takers.entry(weight).or_insert(0) += 1;
    }
    let mut nodes = graph.nodes.clone();
    let mut folded = WeightMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        let Op::BatchNorm { eps, .. } = node.op else { continue };
        let before = node.inputs[0];
        let Op::Conv2d(conv) = graph.nodes[before.0].op else { continue };
        let shared = graph.nodes[before.0].weights.iter().any(|weight| takers[weight] > 1);
        if consumers[before.0].len() != 1 || before == graph.output || shared {
            continue;
        }
        let (weight, bias) = fold(&graph.nodes[before.0], node, eps, &weights)?;
        graph.nodes[before.0].weights.iter().for_each(|weight| drop(weights.remove(weight)));
        let names = ["weight", "bias"].map(|part| format!("{}.folded.{part}", node.name));
        folded.insert(names[0].clone(), weight);
        folded.insert(names[1].clone(), bias);
        nodes[i] = Node {
            op: Op::Conv2d(crate::Conv2d { bias: true, ..conv }),
            inputs: graph.nodes[before.0].inputs.clone(),
            weights: names.to_vec(),
            ..node.clone()
        };
    }
    // Convolutions that lost their taker are dropped here; aliases of theirs go too.
    let aliases: BTreeMap<String, NodeId> = graph.aliases.clone();
    let graph = Graph::new(nodes, graph.input, graph.output, aliases)?;
    for parameter in graph.parameters() {
        if let Some(kept) = weights.remove(&parameter.name) {
            folded.insert(parameter.name, kept);
        }
    }
    Ok((graph, folded))
}

/// weight · s and bias' = beta + (bias - mean) · s, with s = gamma / √(variance + eps), in f32 at least.
fn fold(conv: &Node, norm: &Node, eps: f64, weights: &WeightMap) -> Result<(Tensor, Tensor), GraphError> {
    let get = |node: &Node, i: usize| -> Result<Tensor, GraphError> {
        let name = &node.weights[i];
        let missing = || GraphError::MissingWeight { node: node.name.clone(), weight: name.clone() };
        Ok(weights.get(name).ok_or_else(missing)?.detach().to_dtype(DType::F32)?)
    };
    let dtype = weights.get(&conv.weights[0]).map_or(DType::F32, Tensor::dtype);
    let (gamma, beta, mean, variance) = (get(norm, 0)?, get(norm, 1)?, get(norm, 2)?, get(norm, 3)?);
    let scale = (gamma / (variance + eps)?.sqrt()?)?;
    let weight = get(conv, 0)?.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
    let mean = if conv.weights.len() > 1 { (mean - get(conv, 1)?)? } else { mean };
    let bias = (beta - (mean * scale)?)?;
    Ok((weight.to_dtype(dtype)?, bias.to_dtype(dtype)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{picture, tiny_residual, weights_of};
    use crate::{Cut, run};

    #[test]
    fn the_output_stays() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), picture(3));
        let want = run(&graph, &weights, &x)?;
        let (graph, weights) = fold_batch_norm(&graph, weights.clone())?;
        let got = run(&graph, &weights, &x)?;
        let error = (got - &want)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 1e-5 * want.abs()?.max_all()?.to_scalar::<f32>()?, "{error}");
        assert!(!graph.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm { .. })));
        assert!(!weights.keys().any(|name| name.contains("running")));
        Ok(())
    }

    #[test]
    fn values_keep_their_names() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), picture(1));
        let (folded, folded_weights) = fold_batch_norm(&graph, weights.clone())?;
        for name in ["bn", "relu", "block.bn", "stage"] {
            let want = Cut::at(&graph, name)?.trunk(&graph, &weights, &x)?.at;
            let got = Cut::at(&folded, name)?.trunk(&folded, &folded_weights, &x)?.at;
            let error = (got - &want)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(error < 1e-5 * want.abs()?.max_all()?.to_scalar::<f32>()?, "{name}: {error}");
        }
        assert!(Cut::at(&folded, "conv").is_err());
        Ok(())
    }
}

use crate::ops::Op;
use crate::{Graph, GraphError, Node, NodeId, WeightMap};
use candle_core::{DType, Tensor};
use std::collections::{BTreeMap, HashMap};

/// Folds each batch norm into the convolution before it. The convolution's weights are scaled and it receives a bias, so that
/// the output stays the same up to rounding.
///
/// The new convolution has the name of the batch norm (`bn1`), because its value is that of the batch norm. The name of the
/// old convolution (`conv1`) disappears, because its value is no longer computed. The new weights are `bn1.folded.weight` and
/// `bn1.folded.bias`, in the dtype of the old ones; all other weights keep their names and tensors. A convolution that shares
/// weights, or whose value has other uses, stays as it is. Weights that are no longer needed are dropped at once, so that a
/// network is never in memory twice.
///
/// # Errors
/// Returns [`GraphError::MissingWeight`] if a weight is missing, and an error if shapes do not match.
pub fn fold_batch_norm(graph: &Graph, mut weights: WeightMap) -> Result<(Graph, WeightMap), GraphError> {
    let consumers = graph.consumers();
    let mut uses = HashMap::new();
    for weight in graph.nodes.iter().flat_map(|node| &node.weights) {
        *uses.entry(weight).or_insert(0) += 1;
    }
    let mut nodes = graph.nodes.clone();
    let mut folded = WeightMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        let Op::BatchNorm { eps, .. } = node.op else { continue };
        let before = node.inputs[0];
        let Op::Conv2d(conv) = graph.nodes[before.0].op else { continue };
        let shared = graph.nodes[before.0].weights.iter().any(|weight| uses[weight] > 1);
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
    // This drops the convolutions that are no longer used, and their aliases.
    let aliases: BTreeMap<String, NodeId> = graph.aliases.clone();
    let graph = Graph::new(nodes, graph.input, graph.output, aliases)?;
    for parameter in graph.parameters() {
        if let Some(kept) = weights.remove(&parameter.name) {
            folded.insert(parameter.name, kept);
        }
    }
    Ok((graph, folded))
}

/// Returns weight · s and beta + (bias - mean) · s with s = gamma / √(variance + eps), computed in f32.
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
    use crate::testing::{images, tiny_residual, weights_of};
    use crate::{Cut, run};

    #[test]
    fn folding_keeps_the_output() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), images(3));
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
    fn folding_keeps_values_under_their_names() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), images(1));
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

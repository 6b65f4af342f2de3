use crate::{TrainableWeights, TrainingError};
use candle_core::{DType, Tensor, Var};
pub(crate) use hard_imagenet_files::hex;
use hard_imagenet_graph::{Cut, Graph, Op};
use hard_imagenet_models::Network;
use hard_imagenet_perturbations::NoiseKey;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Returns the network with a new head for other classes. Its weights are drawn as torch draws those of a linear layer
/// (uniformly within ±1/√D); `seed` determines them.
///
/// # Errors
/// Returns [`TrainingError`] if the network does not end in one linear layer (a distilled transformer has two).
pub fn replace_head(mut network: Network, classes: usize, seed: u64) -> Result<Network, TrainingError> {
    let (weight_name, bias_name) = last_layer(&network.spec.name, &network.graph)?;
    network.graph = network.graph.with_classes(classes)?;
    network.spec.classes = classes;
    network.spec.class_names = None;
    let (_, width) = weight(&network, &weight_name)?.dims2()?;
    let device = weight(&network, &weight_name)?.device().clone();
    let bound = (width as f64).sqrt().recip();
    let draw = |purpose: &str, n: usize| -> Vec<f32> {
        let key = NoiseKey::new(seed, purpose, 0);
        let unit = |i| key.below(i as u64, 1 << 24) as f64 / f64::from(1 << 24);
        (0..n).map(|i| ((2.0 * unit(i) - 1.0) * bound) as f32).collect()
    };
    let drawn = Tensor::from_vec(draw(&weight_name, classes * width), (classes, width), &device)?;
    network.weights.insert(weight_name, drawn);
    if let Some(bias) = bias_name {
        let drawn = Tensor::from_vec(draw(&bias, classes), classes, &device)?;
        network.weights.insert(bias, drawn);
    }
    Ok(network)
}

fn weight<'n>(network: &'n Network, name: &str) -> Result<&'n Tensor, TrainingError> {
    let missing = || TrainingError::Recipe(format!("{} has no weights named {name}", network.spec.name));
    network.weights.get(name).ok_or_else(missing)
}

/// Returns the names of the means and variances of batch norms.
pub(crate) fn running_statistics(network: &Network) -> HashSet<&String> {
    let norms = network.graph.nodes().iter().filter(|node| matches!(node.op, Op::BatchNorm { .. }));
    norms.flat_map(|node| &node.weights[2..]).collect()
}

/// Returns the names of the weights that learn, sorted.
pub(crate) fn learning_weights(network: &Network, part: &TrainableWeights) -> Result<Vec<String>, TrainingError> {
    let statistics = running_statistics(network);
    let mut names: Vec<String> = match part {
        TrainableWeights::Head => {
            let (weight, bias) = last_layer(&network.spec.name, &network.graph)?;
            std::iter::once(weight).chain(bias).collect()
        }
        TrainableWeights::All => network.graph.parameters().into_iter().map(|parameter| parameter.name).collect(),
        TrainableWeights::After(node) => {
            let cut = Cut::at(&network.graph, node)?;
            let mut after = vec![false; network.graph.nodes().len()];
            after[cut.node().index()] = true;
            let mut names = Vec::new();
            for (i, node) in network.graph.nodes().iter().enumerate().skip(cut.node().index() + 1) {
                after[i] = node.inputs.iter().any(|input| after[input.index()]);
                if after[i] {
                    names.extend(node.weights.iter().cloned());
                }
            }
            names
        }
    };
    names.retain(|name| !statistics.contains(name) && !network.frozen.contains(name));
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(TrainingError::Recipe(format!("{} has no weights that can learn", network.spec.name)));
    }
    Ok(names)
}

/// Returns the node after which weights learn, if there is one. Its value for an image is the same in every epoch.
pub(crate) fn frozen_until(network: &Network, part: &TrainableWeights) -> Option<String> {
    match part {
        TrainableWeights::Head => Some(network.spec.feature_node.clone()),
        TrainableWeights::After(node) => Some(node.clone()),
        TrainableWeights::All => None,
    }
}

/// Turns some of the network's weights into variables and returns them by name.
pub(crate) fn make_variables(network: &mut Network, names: &[String]) -> Result<Vec<(String, Var)>, TrainingError> {
    let mut variables = Vec::new();
    for name in names {
        let variable = Var::from_tensor(&weight(network, name)?.detach())?;
        network.weights.insert(name.clone(), variable.as_tensor().clone());
        variables.push((name.clone(), variable));
    }
    Ok(variables)
}

/// Returns the SHA-256 of the weights as they are now, hexadecimal. A network may have changed since it was read from
/// its file.
pub(crate) fn hash_weights(network: &Network) -> Result<String, TrainingError> {
    let mut names: Vec<&String> = network.weights.keys().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        let weight = &network.weights[name];
        hash.update(format!("{name} {:?}\n", weight.dims()));
        let values = weight.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        hash.update(bytes);
    }
    Ok(hex(&hash.finalize()))
}

/// Returns the names of the weight and the bias of the linear layer that computes the logits.
fn last_layer(name: &str, graph: &Graph) -> Result<(String, Option<String>), TrainingError> {
    let node = graph.node(graph.output());
    match (&node.op, &node.weights[..]) {
        (Op::Linear { .. }, [weight, rest @ ..]) => Ok((weight.clone(), rest.first().cloned())),
        _ => Err(TrainingError::Recipe(format!(
            "{name} does not end in one linear layer: choose a node after which weights learn"
        ))),
    }
}

use crate::{TrainableWeights, TrainingError};
use candle_core::{DType, Device, Tensor, Var};
pub(crate) use hard_imagenet_files::hex;
use hard_imagenet_graph::{Cut, Graph, Op, WeightMap};
use hard_imagenet_models::{Model, ModelSpec, Parts, Weights, onnx, zoo};
use hard_imagenet_perturbations::NoiseKey;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::Path;

/// A network to be finetuned: its weights have the names of the checkpoint and batch norms are nodes of their own, so that
/// what comes out loads like any weights file.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name, preprocessing, classes.
    pub spec: ModelSpec,
    /// The network.
    pub graph: Graph,
    /// Its weights, f32.
    pub weights: WeightMap,
    /// SHA-256 of the file that the weights came from, hexadecimal; after training, of the weights themselves. Evaluations
    /// tell models apart by it.
    pub weights_sha256: String,
    /// Names of weights that never learn.
    pub held: HashSet<String>,
}

impl Network {
    /// A model of the zoo with the head that it has.
    ///
    /// # Errors
    /// As [`zoo::load`].
    pub fn load(name: &str, weights: &Weights, device: &Device) -> Result<Self, TrainingError> {
        Self::new(zoo::read(name, weights)?, HashSet::new(), device)
    }

    /// A model of one's own, an ONNX file, with the weights that are in it or, if they are given, those of another file
    /// ([`onnx::read`]).
    ///
    /// Of its weights learn those of convolutions, linear layers and norms. What else the file holds, such as the
    /// positions of a transformer's tokens, stays: it does not say which of it are parameters and which are tables.
    ///
    /// # Errors
    /// As [`onnx::read`].
    pub fn onnx(file: &Path, weights: Option<&Path>, device: &Device) -> Result<Self, TrainingError> {
        let parts = onnx::read(file, weights, None)?;
        let values = parts.graph.nodes().iter().filter(|node| matches!(node.op, Op::Parameter(_)));
        let held = values.flat_map(|node| node.weights.clone()).collect();
        Self::new(parts, held, device)
    }

    fn new(parts: Parts, held: HashSet<String>, device: &Device) -> Result<Self, TrainingError> {
        let Parts { spec, graph, weights, weights_sha256, .. } = parts;
        let weights = weights.into_iter().map(|(name, tensor)| Ok((name, tensor.to_device(device)?)));
        Ok(Self { spec, graph, weights: weights.collect::<Result<_, TrainingError>>()?, weights_sha256, held })
    }

    /// The network with a new head for other classes, drawn as torch draws a linear layer (uniform within ±1/√D) by
    /// `seed`.
    ///
    /// # Errors
    /// For a network that does not end in one linear layer (a distilled transformer has two).
    pub fn with_new_head(mut self, classes: usize, seed: u64) -> Result<Self, TrainingError> {
        let (weight, bias) = last_layer(&self.spec.name, &self.graph)?;
        self.graph = self.graph.with_classes(classes)?;
        self.spec.classes = classes;
        let (_, width) = self.weight(&weight)?.dims2()?;
        let device = self.weight(&weight)?.device().clone();
        let bound = (width as f64).sqrt().recip();
        let draw = |purpose: &str, n: usize| -> Vec<f32> {
            let key = NoiseKey::new(seed, purpose, 0);
            let unit = |i| key.below(i as u64, 1 << 24) as f64 / f64::from(1 << 24);
            (0..n).map(|i| ((2.0 * unit(i) - 1.0) * bound) as f32).collect()
        };
        let drawn = Tensor::from_vec(draw(&weight, classes * width), (classes, width), &device)?;
        self.weights.insert(weight, drawn);
        if let Some(bias) = bias {
            let drawn = Tensor::from_vec(draw(&bias, classes), classes, &device)?;
            self.weights.insert(bias, drawn);
        }
        Ok(self)
    }

    fn weight(&self, name: &str) -> Result<&Tensor, TrainingError> {
        let missing = || TrainingError::Recipe(format!("{} has no weights named {name}", self.spec.name));
        self.weights.get(name).ok_or_else(missing)
    }

    /// Names of the means and variances of batch norms.
    pub(crate) fn statistics(&self) -> HashSet<&String> {
        let norms = self.graph.nodes().iter().filter(|node| matches!(node.op, Op::BatchNorm { .. }));
        norms.flat_map(|node| &node.weights[2..]).collect()
    }

    /// Names of the weights that learn.
    pub(crate) fn learning(&self, part: &TrainableWeights) -> Result<Vec<String>, TrainingError> {
        let statistics = self.statistics();
        let mut names: Vec<String> = match part {
            TrainableWeights::Head => {
                let (weight, bias) = last_layer(&self.spec.name, &self.graph)?;
                std::iter::once(weight).chain(bias).collect()
            }
            TrainableWeights::All => self.graph.parameters().into_iter().map(|parameter| parameter.name).collect(),
            TrainableWeights::After(node) => {
                let cut = Cut::at(&self.graph, node)?;
                let mut behind = vec![false; self.graph.nodes().len()];
                behind[cut.node().index()] = true;
                let mut names = Vec::new();
                for (i, node) in self.graph.nodes().iter().enumerate().skip(cut.node().index() + 1) {
                    behind[i] = node.inputs.iter().any(|input| behind[input.index()]);
                    if behind[i] {
                        names.extend(node.weights.iter().cloned());
                    }
                }
                names
            }
        };
        names.retain(|name| !statistics.contains(name) && !self.held.contains(name));
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(TrainingError::Recipe(format!("nothing in {} learns", self.spec.name)));
        }
        Ok(names)
    }

    /// Where the weights that learn begin: what lies before gives the same for a picture in every epoch.
    pub(crate) fn frozen_until(&self, part: &TrainableWeights) -> Option<String> {
        match part {
            TrainableWeights::Head => Some(self.spec.feature_node.clone()),
            TrainableWeights::After(node) => Some(node.clone()),
            TrainableWeights::All => None,
        }
    }

    /// Makes variables of some weights, which the network then uses.
    pub(crate) fn make_variables(&mut self, names: &[String]) -> Result<Vec<(String, Var)>, TrainingError> {
        let mut variables = Vec::new();
        for name in names {
            let variable = Var::from_tensor(&self.weight(name)?.detach())?;
            self.weights.insert(name.clone(), variable.as_tensor().clone());
            variables.push((name.clone(), variable));
        }
        Ok(variables)
    }

    /// SHA-256 of the weights as they are, hexadecimal: a network may have changed since it was read from its file.
    pub(crate) fn hash(&self) -> Result<String, TrainingError> {
        let mut names: Vec<&String> = self.weights.keys().collect();
        names.sort();
        let mut hash = Sha256::new();
        for name in names {
            let weight = &self.weights[name];
            hash.update(format!("{name} {:?}\n", weight.dims()));
            let values = weight.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
            hash.update(bytes);
        }
        Ok(hex(&hash.finalize()))
    }

    /// The model, to be used.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn model(&self, device: &Device, dtype: DType) -> Result<Model, TrainingError> {
        let spec = self.spec.clone();
        Ok(Model::new(spec, &self.graph, &self.weights, self.weights_sha256.clone(), device, dtype)?)
    }
}

/// Names of weight and bias of the linear layer that gives the logits.
fn last_layer(name: &str, graph: &Graph) -> Result<(String, Option<String>), TrainingError> {
    let node = graph.node(graph.output());
    match (&node.op, &node.weights[..]) {
        (Op::Linear { .. }, [weight, rest @ ..]) => Ok((weight.clone(), rest.first().cloned())),
        _ => {
            Err(TrainingError::Recipe(format!("{name} does not end in one linear layer: name a node to train behind")))
        }
    }
}

use crate::ModelError;
use candle_core::Device;
use hard_imagenet_findings::Finding;
use hard_imagenet_graph::{Graph, WeightMap};
use hard_imagenet_images::Preprocessing;
use std::collections::BTreeSet;

/// The description of a model: everything except its graph and weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// timm's name with the tag, such as "resnet50.tv_in1k".
    pub name: String,
    /// How images are prepared for the network.
    pub preprocess: Preprocessing,
    /// The number of logits, K.
    pub classes: usize,
    /// The name of the node that class activation maps show by default, such as "layer4" or "blocks.11.norm1".
    pub cam_node: String,
    /// The name of the node whose value is the input of the last linear layer.
    pub feature_node: String,
}

/// A network: a graph, the weights that it needs, and their description.
///
/// [`zoo::read`](crate::zoo::read) and [`onnx::read`](crate::onnx::read) return networks whose batch norms are nodes of
/// their own and whose weights (f32, on the CPU) have the names of the zoo or of the ONNX file. Such a network can be
/// changed, trained and saved. [`Model`](crate::Model) is the form that runs fast.
#[derive(Clone, Debug)]
pub struct Network {
    /// Name, preprocessing and classes.
    pub spec: ModelSpec,
    /// The operations.
    pub graph: Graph,
    /// The weights by name. They are candle tensors.
    pub weights: WeightMap,
    /// SHA-256 of the files that the weights come from, in lowercase hexadecimal digits.
    pub weights_sha256: String,
    /// Where the weights are on the Hugging Face hub ("owner/name@commit"), or `None` for weights from elsewhere.
    pub weights_origin: Option<String>,
    /// The names of weights that training leaves unchanged. An ONNX file does not state which of its free-standing
    /// values are parameters and which are tables, so [`onnx::read`](crate::onnx::read) lists them all here.
    pub frozen: BTreeSet<String>,
    /// What the model's files leave open or what was changed while they were read.
    pub findings: Vec<Finding>,
}

impl Network {
    /// Puts a network together. Its weights have no origin on the Hugging Face hub, none is frozen, and there are no
    /// findings.
    pub fn new(spec: ModelSpec, graph: Graph, weights: WeightMap, weights_sha256: impl Into<String>) -> Self {
        let (weights_origin, frozen, findings) = (None, BTreeSet::new(), Vec::new());
        Self { spec, graph, weights, weights_sha256: weights_sha256.into(), weights_origin, frozen, findings }
    }

    /// Returns the network with its weights on a device.
    ///
    /// # Errors
    /// Returns candle's error if the device fails.
    pub fn to_device(&self, device: &Device) -> Result<Self, ModelError> {
        let weights = self.weights.iter().map(|(name, tensor)| Ok((name.clone(), tensor.to_device(device)?)));
        Ok(Self { weights: weights.collect::<Result<_, ModelError>>()?, ..self.clone() })
    }
}

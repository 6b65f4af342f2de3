use crate::{Graph, ModelError, ModelSpec, Network, Node, WeightMap};
use candle_core::{DType, Device, Tensor};
use hard_imagenet_cpu::Isa;
use hard_imagenet_findings::Finding;
use hard_imagenet_graph::fold_batch_norm;
use hard_imagenet_plan::Engine;
use std::sync::Arc;

/// A network on a device, ready to run. It is immutable, so threads can share it.
///
/// The methods take and return candle tensors. [`batch`](Model::batch) and [`normalize`](Model::normalize) make the
/// input; [`forward`](Model::forward), [`features`](Model::features) and [`value`](Model::value) run the network.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its weights are on `device` and in `dtype`; the graph's constants are among them.
    pub(crate) network: Network,
    pub(crate) device: Device,
    pub(crate) dtype: DType,
    /// `(1, 3, 1, 1)`, f32.
    pub(crate) mean: Tensor,
    /// `(1, 3, 1, 1)`, f32.
    pub(crate) std: Tensor,
    /// Runs the network on the CPU.
    pub(crate) engine: Arc<Engine>,
}

impl Model {
    /// Makes a model of a network: folds batch norms into the convolutions before them and moves the weights to
    /// `device` and `dtype`.
    ///
    /// [`fold_batch_norm`] documents how folding changes the names of weights and nodes. Each weight is dropped when
    /// its batch norm has been folded, so that the model needs little more memory than its weights, unless the caller
    /// holds a clone.
    ///
    /// # Errors
    /// Returns [`ModelError`] if weights are missing, a node named by the description does not exist, or the device
    /// fails.
    pub fn new(network: Network, device: &Device, dtype: DType) -> Result<Self, ModelError> {
        let (graph, weights) = fold_batch_norm(&network.graph, network.weights)?;
        Self::unfolded(Network { graph, weights, ..network }, device, dtype)
    }

    /// Makes a model like [`Model::new`] but keeps the graph as it is. Every node of the checkpoint exists, and the
    /// model runs more slowly.
    ///
    /// # Errors
    /// Fails like [`Model::new`].
    pub fn unfolded(mut network: Network, device: &Device, dtype: DType) -> Result<Self, ModelError> {
        network.graph.find(&network.spec.cam_node)?;
        network.graph.find(&network.spec.feature_node)?;
        let place = |tensor: Tensor| tensor.detach().to_dtype(dtype)?.to_device(device)?.contiguous();
        let placed = network.weights.into_iter().map(|(name, tensor)| Ok((name, place(tensor)?)));
        network.weights = placed.collect::<Result<_, ModelError>>()?;
        // Constants become tensors once, not in every run.
        for (name, constant) in network.graph.constants() {
            network.weights.insert(name.to_owned(), constant.tensor(device, dtype)?);
        }
        let channels = |values: [f32; 3]| Tensor::new(&values, device)?.reshape((1, 3, 1, 1));
        let preprocess = network.spec.preprocess;
        let (mean, std) = (channels(preprocess.mean)?, channels(preprocess.std)?);
        let engine = if dtype == DType::BF16 { Engine::new_bf16(Isa::best()) } else { Engine::default() };
        Ok(Self { network, device: device.clone(), dtype, mean, std, engine: Arc::new(engine) })
    }

    /// Returns name, preprocessing and classes.
    pub fn spec(&self) -> &ModelSpec {
        &self.network.spec
    }

    /// Returns the graph, after folding.
    pub fn graph(&self) -> &Graph {
        &self.network.graph
    }

    /// Returns the weights by name, on the model's device and in its dtype.
    pub fn weights(&self) -> &WeightMap {
        &self.network.weights
    }

    /// Returns the device that holds the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Returns the dtype in which the network computes: f32, bf16 or f16.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Returns the SHA-256 of the weights file in lowercase hexadecimal digits.
    pub fn weights_sha256(&self) -> &str {
        &self.network.weights_sha256
    }

    /// Returns where the weights are on the Hugging Face hub ("owner/name@commit"), or `None` for weights from
    /// elsewhere.
    pub fn weights_origin(&self) -> Option<&str> {
        self.network.weights_origin.as_deref()
    }

    /// Returns what the model's files leave open or what was changed while they were read.
    pub fn findings(&self) -> &[Finding] {
        &self.network.findings
    }

    /// Returns the nodes of the graph, each after its inputs. Every node is a place to cut, watch or explain.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.network.graph.nodes().iter()
    }
}

impl Network {
    /// Makes a model of the network.
    ///
    /// # Errors
    /// Fails like [`Model::new`].
    pub fn into_model(self, device: &Device, dtype: DType) -> Result<Model, ModelError> {
        Model::new(self, device, dtype)
    }
}

use crate::{Cut, CutValues, Graph, ModelError, Node, NodeId, WatchPoint, WeightMap};
use candle_core::{DType, Device, Tensor};
use hard_imagenet_graph::{fold_batch_norm, run, run_from, run_watching};
use hard_imagenet_images::{Pixels, Preprocessing};

/// What is known of a model besides its graph and weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// timm's name with the tag: "resnet50.tv_in1k".
    pub name: String,
    /// What it expects of its input.
    pub preprocess: Preprocessing,
    /// Length of the logits.
    pub classes: usize,
    /// Node to look from by default (CAM): "layer4", "blocks.11.norm1".
    pub cam_node: String,
    /// Node whose value is the input of the last linear layer.
    pub feature_node: String,
}

/// What a model is made of, as it comes from files: batch norms are nodes of their own and weights have the names of the
/// zoo, or of the ONNX file; f32, on the CPU.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Name, preprocessing, classes.
    pub spec: ModelSpec,
    /// The network.
    pub graph: Graph,
    /// Its weights.
    pub weights: WeightMap,
    /// SHA-256 of the files, hexadecimal.
    pub weights_sha256: String,
    /// Where on the Hugging Face hub they are, "owner/name@commit".
    pub(crate) origin: Option<String>,
}

impl Parts {
    /// The model.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn model(self, device: &Device, dtype: DType) -> Result<Model, ModelError> {
        let Self { spec, graph, weights, weights_sha256, origin } = self;
        let model = Model::folded(spec, &graph, weights, weights_sha256, device, dtype)?;
        Ok(Model { weights_origin: origin, ..model })
    }
}

/// A graph, its weights, its spec, on a device. Immutable, so threads can share it.
#[derive(Clone, Debug)]
pub struct Model {
    spec: ModelSpec,
    graph: Graph,
    weights: WeightMap,
    device: Device,
    dtype: DType,
    weights_sha256: String,
    weights_origin: Option<String>,
    /// (1, 3, 1, 1) each, f32.
    mean: Tensor,
    std: Tensor,
}

impl Model {
    /// Puts a model together: checks that the weights fit the graph, folds batch norms
    /// ([`fold_batch_norm`] says what becomes of their names), and moves the weights to device and dtype.
    ///
    /// # Errors
    /// Weights that are missing, nodes of the spec that do not exist, a device that fails.
    pub fn new(
        spec: ModelSpec,
        graph: &Graph,
        weights: &WeightMap,
        weights_sha256: String,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, ModelError> {
        Self::folded(spec, graph, weights.clone(), weights_sha256, device, dtype)
    }

    /// [`Model::new`] of weights that nobody else holds: each is let go when its batch norm is folded.
    pub(crate) fn folded(
        spec: ModelSpec,
        graph: &Graph,
        weights: WeightMap,
        weights_sha256: String,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, ModelError> {
        let (graph, weights) = fold_batch_norm(graph, weights)?;
        Self::unfolded(spec, graph, weights, weights_sha256, device, dtype)
    }

    /// [`Model::new`] with the graph as it is: every node of the checkpoint is there, and it runs slower.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn unfolded(
        spec: ModelSpec,
        graph: Graph,
        weights: WeightMap,
        weights_sha256: String,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, ModelError> {
        graph.find(&spec.cam_node)?;
        graph.find(&spec.feature_node)?;
        let place = |tensor: Tensor| tensor.detach().to_dtype(dtype)?.to_device(device)?.contiguous();
        let mut weights: WeightMap =
            weights.into_iter().map(|(name, t)| Ok((name, place(t)?))).collect::<Result<_, ModelError>>()?;
        // Once, not at every run.
        for (name, constant) in graph.constants() {
            weights.insert(name.to_owned(), constant.tensor(device, dtype)?);
        }
        let channels = |values: [f32; 3]| Tensor::new(&values, device)?.reshape((1, 3, 1, 1));
        let (mean, std) = (channels(spec.preprocess.mean)?, channels(spec.preprocess.std)?);
        let device = device.clone();
        Ok(Self { spec, graph, weights, device, dtype, weights_sha256, weights_origin: None, mean, std })
    }

    /// Name, preprocessing, classes.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Its weights by name, on the model's device and in its dtype.
    pub fn weights(&self) -> &WeightMap {
        &self.weights
    }

    /// Where the weights live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// f32, bf16 or f16.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Hash of the weights file, lower-case hex.
    pub fn weights_sha256(&self) -> &str {
        &self.weights_sha256
    }

    /// Where on the Hugging Face hub the weights are, "owner/name@commit"; `None` for those from elsewhere.
    pub fn weights_origin(&self) -> Option<&str> {
        self.weights_origin.as_deref()
    }

    /// The nodes, each after its inputs: all the places to look from.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.graph.nodes().iter()
    }

    /// A batch on the model's device and dtype, `(B, 3, H, W)` in [0, 1], not normalised.
    ///
    /// # Errors
    /// No images, or images of different sizes.
    pub fn batch(&self, images: &[Pixels]) -> Result<Tensor, ModelError> {
        let Some(first) = images.first() else {
            return Err(ModelError::Input("a batch needs an image at least".into()));
        };
        let (height, width) = (first.height(), first.width());
        let mut values = Vec::with_capacity(images.len() * 3 * height * width);
        for image in images {
            if (image.height(), image.width()) != (height, width) {
                return Err(ModelError::Input(format!(
                    "images of a batch have one size, not {height} × {width} and {} × {}",
                    image.height(),
                    image.width()
                )));
            }
            values.extend_from_slice(image.as_slice());
        }
        let batch = Tensor::from_vec(values, (images.len(), 3, height, width), &self.device)?;
        Ok(batch.to_dtype(self.dtype)?)
    }

    /// (x - mean) / std, channel by channel; computed in f32, given in the model's dtype.
    ///
    /// # Errors
    /// From candle, for anything but `(B, 3, H, W)`.
    pub fn normalise(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let x = x.to_dtype(DType::F32)?.broadcast_sub(&self.mean)?.broadcast_div(&self.std)?;
        Ok(x.to_dtype(self.dtype)?)
    }

    /// Normalised `(B, 3, H, W)` to logits `(B, K)`, f32.
    ///
    /// # Errors
    /// An input of another shape than the network takes.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let x = self.checked(x)?;
        Ok(run(&self.graph, &self.weights, &x)?.to_dtype(DType::F32)?)
    }

    /// The input of the last linear layer, `(B, D)`, f32.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn features(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        self.value(&self.spec.feature_node, x)
    }

    /// The value of any node, f32.
    ///
    /// # Errors
    /// No such node; else as [`Model::forward`].
    pub fn value(&self, node: &str, x: &Tensor) -> Result<Tensor, ModelError> {
        let node = self.graph.find(node)?;
        let fed = [(self.graph.input(), self.checked(x)?)];
        let mut values = run_from(&self.graph, &self.weights, &fed, &[node])?;
        Ok(values.remove(0).to_dtype(DType::F32)?)
    }

    /// The logits `(B, K)` and the values of any nodes, in one pass; f32.
    ///
    /// # Errors
    /// As [`Model::value`].
    pub fn forward_with(&self, x: &Tensor, nodes: &[&str]) -> Result<(Tensor, Vec<Tensor>), ModelError> {
        let mut wanted = vec![self.graph.output()];
        for node in nodes {
            wanted.push(self.graph.find(node)?);
        }
        let fed = [(self.graph.input(), self.checked(x)?)];
        let values = run_from(&self.graph, &self.weights, &fed, &wanted)?;
        let mut values = values.into_iter().map(|value| Ok(value.to_dtype(DType::F32)?));
        let logits = values.next().unwrap_or_else(|| Err(ModelError::Input("the graph has no output".into())))?;
        Ok((logits, values.collect::<Result<_, ModelError>>()?))
    }

    /// The logits `(B, K)`, f32, and nodes in the middle, with respect to all of which they can be differentiated.
    ///
    /// # Errors
    /// A node that no input leads to; else as [`Model::forward`].
    pub fn forward_watching(&self, x: &Tensor, nodes: &[NodeId]) -> Result<(Tensor, Vec<WatchPoint>), ModelError> {
        let (logits, watched) = run_watching(&self.graph, &self.weights, &self.checked(x)?, nodes)?;
        Ok((logits.to_dtype(DType::F32)?, watched))
    }

    /// Divides the network at a node: `head(trunk(x))` equals `forward(x)`, bit for bit.
    ///
    /// # Errors
    /// No node of that name; the message lists some near it.
    pub fn cut(&self, at: &str) -> Result<Cut, ModelError> {
        Ok(Cut::at(&self.graph, at)?)
    }

    /// From normalised `(B, 3, H, W)` to the cut, in the model's dtype.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn trunk(&self, cut: &Cut, x: &Tensor) -> Result<CutValues, ModelError> {
        Ok(cut.trunk(&self.graph, &self.weights, &self.checked(x)?)?)
    }

    /// From the cut to logits `(B, K)`, f32.
    ///
    /// # Errors
    /// From candle.
    pub fn head(&self, cut: &Cut, value: &CutValues) -> Result<Tensor, ModelError> {
        Ok(cut.head(&self.graph, &self.weights, value)?.to_dtype(DType::F32)?)
    }

    /// The input in the model's dtype, if the network takes its shape.
    fn checked(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        self.graph.shapes(x.dims())?;
        Ok(x.to_dtype(self.dtype)?)
    }
}

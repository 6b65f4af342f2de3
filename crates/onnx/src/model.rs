use crate::error::{OnnxError, Reason};
use crate::import::{UnfinishedGraph, has_channels_last, image_input, import};
use crate::proto::{DEPTH, Message, ModelProto};
use crate::{batch, default_nodes, tensor};
use hard_imagenet_graph::{Graph, WeightMap};
use std::path::{Path, PathBuf};

/// A network read from an ONNX file.
#[derive(Clone, Debug)]
pub struct OnnxModel {
    /// The network. Its names come from the exporter ([crate page](crate#names)).
    pub graph: Graph,
    /// The weights of the network, f32 on the CPU.
    pub weights: WeightMap,
    /// The height and width of its input images, in pixels.
    pub input: (usize, usize),
    /// The number of logits.
    pub classes: usize,
    /// The name of the output in the file: the first output of shape `(B, K)`.
    pub output: String,
    /// The default node for saliency maps: the input of a global pool, or the first norm of a transformer's last block, or else
    /// the last node with rows and columns that all affect the output. `None` if there is no such node.
    pub cam_node: Option<String>,
    /// The node whose value is the input of the last linear layer, or the output itself if there is no such layer.
    pub feature_node: String,
    /// The files that were read, the model's own first. Hash them to identify the model.
    pub files: Vec<PathBuf>,
}

impl OnnxModel {
    /// Reads a file and the weight files that it names, which must be in its folder or below.
    ///
    /// A model that was exported for one image accepts any number of images here. Reading runs the model on two images to
    /// check that images of a batch do not affect each other.
    ///
    /// # Errors
    /// Returns an error if a file is missing or damaged, an operator is not supported, no output has the shape `(B, K)`, or
    /// images of a batch affect each other.
    pub fn read(path: &Path) -> Result<Self, OnnxError> {
        let bytes = std::fs::read(path).map_err(|source| OnnxError::Read { path: path.to_owned(), source })?;
        let format = |message: String| OnnxError::Format { path: path.to_owned(), message };
        let model = ModelProto::read(&bytes, DEPTH).map_err(|message| format(message.into()))?;
        if model.graph.nodes.is_empty() {
            return Err(format("it contains no network".into()));
        }
        let dims = image_input(&model.graph).map(|images| images.dims.clone());
        let dims = dims.ok_or_else(|| format("it has no input of four dimensions".into()))?;
        let (rows, columns, channels) = if has_channels_last(&dims) { (1, 2, 3) } else { (2, 3, 1) };
        if dims[channels].is_some_and(|channels| channels != 3) {
            return Err(format("its input does not have three channels".into()));
        }
        let side = |at: usize| match dims[at] {
            // The usual size of ImageNet if the model accepts any size.
            None => Ok(224),
            Some(side @ 1..16384) => Ok(side as usize),
            Some(side) => Err(format(format!("its input has a side of {side} pixels"))),
        };
        let input = (side(rows)?, side(columns)?);
        let fixed = match dims[0] {
            None => false,
            Some(1) => true,
            Some(n) => {
                return Err(format(format!(
                    "it was exported for {n} images: export it for one image or for any number"
                )));
            }
        };
        let UnfinishedGraph { builder, weights, output, output_name, classes } = import(&model, path, input, fixed)?;
        let graph = builder.finish(output)?;
        batch::check_independence(&graph, &weights, input, path)?;
        let cam_node = default_nodes::cam_node(&graph, input)?.map(|id| graph.node(id).name.clone());
        let feature_node = default_nodes::feature_node(&graph, input)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut files = vec![path.to_owned()];
        for tensor in model.graph.initializers.iter().filter(|tensor| tensor.is_external) {
            let file = tensor::external_path(tensor, folder).map_err(|Reason(message)| format(message))?;
            if !files.contains(&file) {
                files.push(file);
            }
        }
        // Keep only the weights that the graph needs.
        let weights = graph
            .parameters()
            .into_iter()
            .filter_map(|parameter| Some((parameter.name.clone(), weights.get(&parameter.name)?.clone())))
            .collect();
        Ok(Self { graph, weights, input, classes, output: output_name, cam_node, feature_node, files })
    }
}

use crate::error::{OnnxError, Reason};
use crate::import::{UnfinishedGraph, has_channels_last, image_input, import};
use crate::proto::{DEPTH, Message, ModelProto};
use crate::{batch, default_nodes, tensor};
use hard_imagenet_graph::{Graph, WeightMap};
use std::path::{Path, PathBuf};

/// A network from an ONNX file.
#[derive(Clone, Debug)]
pub struct OnnxModel {
    /// The network; its names are the exporter's ([crate page](crate#names)).
    pub graph: Graph,
    /// Its weights, f32, on the CPU.
    pub weights: WeightMap,
    /// Height and width of the pictures that it takes.
    pub input: (usize, usize),
    /// Length of the logits.
    pub classes: usize,
    /// The file's name of the output that was taken: the first one of shape `(B, K)`.
    pub output: String,
    /// Where to look from: the input of a global pool, the first norm of a transformer's last block, or else the last node
    /// with rows and columns all of which matter to the output; `None` where there is none.
    pub cam_node: Option<String>,
    /// Node whose value is the input of the last linear layer, or the output itself where that has no such input.
    pub feature_node: String,
    /// The files that were read, the model's own first: what to hash to know the model again.
    pub files: Vec<PathBuf>,
}

impl OnnxModel {
    /// Reads a file, and the files of weights that it names, which must lie in its folder or below.
    ///
    /// A model that was exported for one picture takes any number of them here. That pictures of a batch do not see each
    /// other is tested by running it, as little as once on two pictures.
    ///
    /// # Errors
    /// A file that is absent or damaged, an operator that there is none for, no output `(B, K)`, a batch whose pictures
    /// depend on each other.
    pub fn read(path: &Path) -> Result<Self, OnnxError> {
        let bytes = std::fs::read(path).map_err(|source| OnnxError::Read { path: path.to_owned(), source })?;
        let format = |message: String| OnnxError::Format { path: path.to_owned(), message };
        let model = ModelProto::read(&bytes, DEPTH).map_err(|message| format(message.into()))?;
        if model.graph.nodes.is_empty() {
            return Err(format("there is no network in it".into()));
        }
        let dims = image_input(&model.graph).map(|images| images.dims.clone());
        let dims = dims.ok_or_else(|| format("it has no input of four dimensions".into()))?;
        let (rows, columns, channels) = if has_channels_last(&dims) { (1, 2, 3) } else { (2, 3, 1) };
        if dims[channels].is_some_and(|channels| channels != 3) {
            return Err(format("its input has not three channels".into()));
        }
        let side = |at: usize| match dims[at] {
            // ImageNet's usual size where any will do.
            None => Ok(224),
            Some(side @ 1..16384) => Ok(side as usize),
            Some(side) => Err(format(format!("its input is {side} long"))),
        };
        let input = (side(rows)?, side(columns)?);
        let fixed = match dims[0] {
            None => false,
            Some(1) => true,
            Some(n) => {
                return Err(format(format!("it was exported for {n} pictures: export it for one, or any number")));
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
        // Only what the graph needs.
        let weights = graph
            .parameters()
            .into_iter()
            .filter_map(|parameter| Some((parameter.name.clone(), weights.get(&parameter.name)?.clone())))
            .collect();
        Ok(Self { graph, weights, input, classes, output: output_name, cam_node, feature_node, files })
    }
}

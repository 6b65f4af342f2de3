use crate::error::OnnxError;
use crate::import::{UnfinishedGraph, import};
use crate::input::{ImageInput, PixelRange, pixel_range};
use crate::proto::{DEPTH, Message, ModelProto};
use crate::{batch, default_nodes};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::models::PROBABILITIES;
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
    /// Whether the file fixes the height and width. If not, `input` is what the caller asked for or 224 × 224.
    pub has_fixed_size: bool,
    /// The values that the network expects of its images.
    pub pixels: PixelRange,
    /// The number of logits.
    pub classes: usize,
    /// The name of the output in the file that holds the logits ([how it is chosen](crate#output)).
    pub output: String,
    /// The default node for saliency maps: the input of a global pool, or the first norm of a transformer's last block, or else
    /// the last node with rows and columns that all affect the output. `None` if there is no such node.
    pub cam_node: Option<String>,
    /// The node whose value is the input of the last linear layer, or the output itself if there is no such layer.
    pub feature_node: String,
    /// What the exporter states about the model, keys and values as they are in the file (`metadata_props`).
    pub metadata: Vec<(String, String)>,
    /// What was chosen or taken off while reading, and what looks wrong.
    pub findings: Vec<Finding>,
    /// The files that were read, the model's own first. Hash them to identify the model.
    pub files: Vec<PathBuf>,
}

/// What a caller knows about a file that the file leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The name of the output that holds the logits. Without it, the output is [chosen](crate#output).
    pub output: Option<String>,
    /// The height and width of the images, in pixels, for a file that accepts any size. A size that the file fixes stays.
    pub size: Option<(usize, usize)>,
}

impl OnnxModel {
    /// Reads a file and the weight files that it names, which must be in its folder or below.
    ///
    /// A model that was exported for one image accepts any number of images here. Reading runs the model on two images to
    /// check that images of a batch do not affect each other.
    ///
    /// # Errors
    /// Returns an error if a file is missing or damaged, an operator that the logits need is not supported, no output or
    /// several outputs may be the logits, or images of a batch affect each other.
    pub fn read(path: &Path) -> Result<Self, OnnxError> {
        Self::read_with(path, &ReadOptions::default())
    }

    /// Reads a file like [`OnnxModel::read`], with what the caller knows about it.
    ///
    /// # Errors
    /// Fails like [`OnnxModel::read`], and if there is no output of that name. The error lists the outputs.
    pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Self, OnnxError> {
        let bytes = std::fs::read(path).map_err(|source| OnnxError::Read { path: path.to_owned(), source })?;
        let format = |message: String| OnnxError::Format { path: path.to_owned(), message };
        if hard_imagenet_files::is_lfs_pointer(&bytes) {
            return Err(format(format!("it {}", hard_imagenet_files::LFS_POINTER)));
        }
        let model = ModelProto::read(&bytes, DEPTH).map_err(|message| format(message.into()))?;
        if model.graph.nodes.is_empty() {
            return Err(format("it contains no network".into()));
        }
        let images = ImageInput::find(&model.graph).map_err(format)?;
        // The usual size of ImageNet if the model accepts any size and none is asked for.
        let (height, width) = options.size.unwrap_or((224, 224));
        let input = (images.sides.0.unwrap_or(height), images.sides.1.unwrap_or(width));
        let has_fixed_size = images.sides.0.is_some() && images.sides.1.is_some();
        let hint = if has_fixed_size || options.size.is_some() {
            String::new()
        } else {
            format!("its input has no fixed size, so {height} × {width} was tried: state the size that it needs")
        };
        let imported = import(&model, path, &images, input, options.output.as_deref());
        let UnfinishedGraph { builder, weights, output, output_name, classes, scope, files: data, mut findings } =
            imported.map_err(|error| error.hinting(&hint))?;
        let pixels = pixel_range(&model.graph, &images, &scope);
        let graph = builder.finish(output)?;
        if batch::check_independence(&graph, &weights, input, pixels, path)? {
            findings.extend(PROBABILITIES.found().about(&[format!("output {output_name:?}")]));
        }
        let cam_node = default_nodes::cam_node(&graph, input)?.map(|id| graph.node(id).name.clone());
        let feature_node = default_nodes::feature_node(&graph, input)?;
        let files = std::iter::once(path.to_owned()).chain(data).collect();
        // Keep only the weights that the graph needs.
        let weights = graph
            .parameters()
            .into_iter()
            .filter_map(|parameter| Some((parameter.name.clone(), weights.get(&parameter.name)?.clone())))
            .collect();
        let metadata = model.metadata.into_iter().map(|pair| (pair.key, pair.value)).collect();
        Ok(Self {
            graph,
            weights,
            input,
            has_fixed_size,
            pixels,
            classes,
            output: output_name,
            cam_node,
            feature_node,
            metadata,
            findings,
            files,
        })
    }
}

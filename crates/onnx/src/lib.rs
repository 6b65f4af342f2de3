//! Reads ONNX files as graphs with weights, so that a network from elsewhere can be cut at any node.
//!
//! [`OnnxModel::read`] is the entry point. It returns a [`hard_imagenet_graph::Graph`], its weights, and the default nodes for
//! saliency maps and features.
//!
//! ```no_run
//! use hard_imagenet_graph::{Cut, run};
//! use hard_imagenet_onnx::OnnxModel;
//!
//! let model = OnnxModel::read("model.onnx".as_ref())?;
//! let (height, width) = model.input;
//! let images = candle_core::Tensor::zeros((2, 3, height, width), candle_core::DType::F32, &candle_core::Device::Cpu)?;
//! let logits = run(&model.graph, &model.weights, &images)?;
//! assert_eq!(logits.dims(), [2, model.classes]);
//! let cut = Cut::at(&model.graph, "layer4.2")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Partial evaluation
//! Whatever does not depend on the images (shape arithmetic, tables of positions, normalized weights) is computed while
//! reading; the rest becomes nodes. Shapes are computed with a prime in place of the batch size, so that multiples of the
//! batch size are recognized. No batch size is written into the graph, so a model that was exported for one image accepts
//! any number. The meaning of axes is tracked through reshapes and permutations, so that GradCAM works at every node with
//! rows and columns, even between the blocks of a transformer.
//!
//! # Output
//! Only what the logits need is looked at, so that an `ArgMax` next to them does no harm. The logits are the output of shape
//! `(B, K)`, perhaps with further dimensions of length 1, that depends on the images. If there are several, it is
//!
//! 1. the output called "logits";
//! 2. the output that is computed from all others, as logits are from features;
//! 3. the first that has one of the usual names: prediction, scores, probabilities, softmax, fc, classifier, head, output
//!    and their variants.
//!
//! Otherwise reading fails and the error lists the outputs; [`ReadOptions::output`] asks for one. A softmax, log-softmax or
//! sigmoid at the end is taken off, because benchmarks and saliency maps need logits. [`OnnxModel::findings`] reports both.
//!
//! # Input
//! Images are `(B, 3, H, W)` or `(B, H, W, 3)`. The input may take floats, or integers for pixels from 0 to 255. As the graph
//! computes in floats, integers are not rounded: an image that was resized or disturbed may have pixels between two integers.
//! [`OnnxModel::pixels`] says which values the network expects, also for networks that take floats from 0 to 255 or from 0 to
//! 1 and start with a normalization.
//!
//! # Names
//! A node is named by its module and operator, `layer4.2.act3.Relu`. The name of a module, `layer4.2`, refers to its last
//! node. Both exporters of torch keep the modules; in files without them, the nodes keep their own names. A weight keeps its
//! name if the file contains it in the form in which it is used. torch's older exporter folds batch norms into convolutions.
//!
//! # Limits
//! Quantized and recurrent operators, loops, transposed convolutions and indices that depend on the images are not
//! supported. The error names the operator and the node.

mod axes;
mod batch;
mod default_nodes;
mod error;
mod import;
mod importer;
mod input;
mod model;
mod names;
mod operators;
mod output;
mod proto;
mod tensor;
mod value;
mod wire;

pub use error::OnnxError;
pub use input::PixelRange;
pub use model::{OnnxModel, ReadOptions};

//! An ONNX file as a graph with weights: a network of one's own, cut anywhere.
//!
//! [`OnnxModel::read`] is all there is: it gives a [`hard_imagenet_graph::Graph`], its weights, and where to look from.
//!
//! ```no_run
//! use hard_imagenet_graph::{Cut, run};
//! use hard_imagenet_onnx::OnnxModel;
//!
//! let model = OnnxModel::read("model.onnx".as_ref())?;
//! let (height, width) = model.input;
//! let pictures = candle_core::Tensor::zeros((2, 3, height, width), candle_core::DType::F32, &candle_core::Device::Cpu)?;
//! let logits = run(&model.graph, &model.weights, &pictures)?;
//! assert_eq!(logits.dims(), [2, model.classes]);
//! let cut = Cut::at(&model.graph, "layer4.2")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The file is evaluated in part: whatever does not depend on the picture (shape arithmetic, tables of positions,
//! normalised weights) is computed while reading, the rest becomes nodes. Shapes are computed with a prime for the batch
//! size, so that a multiple of it is known for what it is; no batch size is written into the graph, and a model that was
//! exported for one picture takes many. What rows and columns became is followed through reshapes and permutations, so
//! that GradCAM works at every node that has them, also between the blocks of a transformer.
//!
//! # Names
//! A node is called by its module and operator, `layer4.2.act3.Relu`; a module's name, `layer4.2`, means the last node
//! in it. Both exporters of torch keep them. Without modules the file's own names of nodes stand. Weights keep their
//! names where the file holds them as they are used; torch's older exporter folds batch norms into convolutions.
//!
//! # What is not there
//! Quantised and recurrent operators, loops, transposed convolutions, indices that depend on the picture. An error
//! names the operator and the node.

mod axes;
mod batch;
mod default_nodes;
mod error;
mod import;
mod importer;
mod model;
mod names;
mod operators;
mod proto;
mod tensor;
mod value;
mod wire;

pub use error::OnnxError;
pub use model::OnnxModel;

//! A neural network as a value: nodes in order, each with a name, an operation, its inputs and the names of its weights.
//!
//! Nothing here is code that belongs to one network. A [`Graph`] is data that a builder wrote down, so it can be read,
//! listed, cut at any node, rewritten and run, in the same way for every architecture.
//!
//! - [`GraphBuilder`] writes a graph, with nested name scopes; names are those of the checkpoints (`layer4.2`,
//!   `blocks.11.norm1`).
//! - [`Graph`] answers: [nodes](Graph::nodes), [the weights it needs](Graph::parameters), [shapes](Graph::shapes),
//!   [multiply-adds](Graph::multiply_adds).
//! - [`Layout`] tells how a node's value lies over the picture, and turns it into rows and columns.
//! - [`WeightMap`] holds the tensors by name; [`run`] evaluates the graph on them.
//! - [`Cut`] splits it at a node in a trunk and a head, whose composition equals the whole bit for bit.
//! - [`run_watching`] gives the values of several nodes and lets the output be differentiated with respect to all.
//! - [`fold_batch_norm`] rewrites graph and weights so that batch norms vanish into the convolutions before them.
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use hard_imagenet_graph::{Activation, Conv2d, Cut, GraphBuilder, WeightMap, run};
//!
//! let mut g = GraphBuilder::new();
//! let x = g.input();
//! let x = g.conv2d("conv1", x, Conv2d { stride: 2, padding: 1, bias: true, ..Conv2d::new(3, 4, 3) });
//! let x = g.activation("act1", x, Activation::Relu);
//! let x = g.global_average_pool("global_pool", x);
//! let x = g.linear("fc", x, 4, 10, true);
//! let graph = g.finish(x)?;
//!
//! let weights: WeightMap = graph
//!     .parameters()
//!     .into_iter()
//!     .map(|p| Ok((p.name, Tensor::full(0.1f32, p.shape, &Device::Cpu)?)))
//!     .collect::<candle_core::Result<_>>()?;
//! let image = Tensor::ones((1, 3, 8, 8), candle_core::DType::F32, &Device::Cpu)?;
//! let logits = run(&graph, &weights, &image)?;
//! assert_eq!(logits.dims(), [1, 10]);
//!
//! let cut = Cut::at(&graph, "act1")?;
//! let value = cut.trunk(&graph, &weights, &image)?;           // value.at: (1, 4, 4, 4)
//! assert_eq!(cut.head(&graph, &weights, &value)?.to_vec2::<f32>()?, logits.to_vec2::<f32>()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Training
//! Put [`candle_core::Var`]s in the map (`var.as_tensor().clone()`), call [`run_training`] instead of [`run`], and
//! gradients reach every variable: `loss.backward()?.get(&var)`. It normalises by the batch's statistics and returns
//! the new running ones, which the caller puts back into the map; what is not a variable is frozen and costs nothing.
//! For evaluation afterwards call [`run`] on the same map (wrap values in `detach` to skip the record).
//!
//! # Adding an operation
//! A variant of [`Op`], its case in `ops/` (shape, value, weights), a method of [`GraphBuilder`]. Nothing else lists
//! operations.
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).

mod build;
mod cut;
mod error;
mod fold;
mod graph;
mod layout;
mod ops;
mod run;
mod tangent;
mod watch;

pub use build::GraphBuilder;
pub use cut::{Cut, CutValues};
pub use error::GraphError;
pub use fold::fold_batch_norm;
pub use graph::{Graph, Node, NodeId, Parameter};
pub use layout::{Layout, Positions};
pub use ops::{Activation, Binary, Constant, Conv2d, Extent, Op, Pad, Pool2d, Reduce, Reduction};
pub use run::{RunningStatistics, WeightMap, run, run_from, run_training};
pub use tangent::{Dual, run_tangent};
pub use watch::{WatchPoint, run_watching};

#[cfg(test)]
mod testing;

//! Neural networks as data. A [`Graph`] is a list of nodes, each with a name, an operation, its inputs and the names of its
//! weights.
//!
//! No code here belongs to one network. Every architecture is listed, cut at any node, rewritten and run in the same way.
//!
//! In the order of use:
//!
//! - [`GraphBuilder`] builds a graph with nested name scopes. Names are those of the checkpoints (`layer4.2`,
//!   `blocks.11.norm1`).
//! - [`Graph`] lists its [nodes](Graph::nodes), [the weights it needs](Graph::parameters), [shapes](Graph::shapes) and
//!   [multiply-adds](Graph::multiply_adds).
//! - [`Layout`] states the meaning of a value's axes and turns the value into rows and columns.
//! - [`WeightMap`] holds the tensors by name; [`run`] evaluates the graph on them.
//! - [`Cut`] splits a graph at a node into a trunk and a head, whose composition equals the whole bit for bit.
//! - [`run_watching`] returns the values of several nodes and lets the output be differentiated with respect to each.
//! - [`run_tangent`] computes directional derivatives, which can be differentiated again.
//! - [`fold_batch_norm`] rewrites a graph and its weights so that batch norms become part of the convolutions before them.
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
//! Put [`candle_core::Var`]s into the map (`var.as_tensor().clone()`) and call [`run_training`] instead of [`run`]. Gradients
//! then reach every variable: `loss.backward()?.get(&var)`. [`run_training`] normalizes by the batch's statistics and returns
//! the new running statistics, which the caller puts back into the map. Weights that are not variables are frozen and cost
//! nothing. To evaluate afterwards, call [`run`] on the same map; detach the variables to skip the record.
//!
//! # Adding an operation
//! Add a variant to [`Op`], its cases in `ops/` (shape, value, weights, tangent), and a method to [`GraphBuilder`]. Operations
//! are listed nowhere else.
//!
//! # candle
//! Public functions use the types of candle-core 0.11: [`Tensor`](candle_core::Tensor) and [`Error`](candle_core::Error). A caller
//! must depend on the same version.
//!
//! Features: `cuda`, `cudnn` and `metal` enable candle's backends.

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

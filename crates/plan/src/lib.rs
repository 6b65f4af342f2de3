//! Neural networks compiled for the CPU.
//!
//! [`hard_imagenet_graph::run_from`] evaluates a graph node by node and defines what a graph means. This crate computes the
//! same values much faster. An [`Engine`] makes a plan when it first sees a request: nodes to return, and images of a shape.
//!
//! A plan is a list of steps. In the order in which it is made:
//!
//! - `fusion` finds the nodes that are computed in one pass over memory: a convolution with its residual, bias and
//!   activation; an attention from queries, keys and values.
//! - `compile` turns nodes into steps. Values are strided views of buffers (`view`): images have their channels last, and
//!   reshapes, permutations and slices are views and cost nothing wherever that is possible.
//! - `weights` packs weights in the order in which the kernels read them, once for all plans of an engine.
//! - `memory` places the buffers in one arena, where those that are not needed at the same time share memory.
//! - `plan` runs the steps. `kernels` has a file for each kind of step; the arithmetic is in [`hard_imagenet_cpu`].
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use hard_imagenet_graph::{Activation, Conv2d, GraphBuilder, WeightMap, run};
//! use hard_imagenet_plan::Engine;
//!
//! let mut g = GraphBuilder::new();
//! let x = g.input();
//! let x = g.conv2d("conv1", x, Conv2d { stride: 2, padding: 1, bias: true, ..Conv2d::new(3, 16, 3) });
//! let x = g.activation("act1", x, Activation::Relu);
//! let x = g.global_average_pool("global_pool", x);
//! let x = g.linear("fc", x, 16, 10, true);
//! let graph = g.finish(x)?;
//! let weights: WeightMap = graph
//!     .parameters()
//!     .into_iter()
//!     .map(|p| Ok((p.name, Tensor::randn(0f32, 0.3, p.shape, &Device::Cpu)?)))
//!     .collect::<candle_core::Result<_>>()?;
//! let images = Tensor::rand(0f32, 1.0, (5, 3, 32, 32), &Device::Cpu)?;
//!
//! let engine = Engine::default();
//! let logits = engine.run(&graph, &weights, &images, &[graph.output()])?.remove(0);
//! let difference = (&logits - run(&graph, &weights, &images)?)?.abs()?.max_all()?.to_scalar::<f32>()?;
//! assert!(difference < 1e-5);
//!
//! // An image has the same logits to the bit in every batch.
//! let alone = engine.run(&graph, &weights, &images.narrow(0, 3, 1)?, &[graph.output()])?.remove(0);
//! assert_eq!(alone.to_vec2::<f32>()?[0], logits.to_vec2::<f32>()?[3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What has a plan
//! Every operation of the zoo and of the ONNX files that [`hard-imagenet-onnx`](https://docs.rs/hard-imagenet-onnx) reads.
//! A case without a step is [`PlanError::Unsupported`], and the caller uses the reference executor.
//!
//! # Bits
//! Every sum is added in an order that only the shapes determine. The bits of a value depend on the image, the weights, the
//! graph and the nodes that are requested: a node that is returned is not fused, so its successors are rounded where they would
//! not be otherwise.
//!
//! # candle
//! Public functions use the types of candle-core 0.11. No gradient flows through a plan.

mod compile;
mod engine;
mod error;
mod fusion;
mod kernels;
mod loops;
mod memory;
mod plan;
mod view;
mod weights;

pub use engine::{Engine, StepTime};
pub use error::PlanError;

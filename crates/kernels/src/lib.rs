//! Tensor operations for [candle](https://docs.rs/candle-core) whose gradients are complete and correct.
//!
//! candle provides tensors, devices and automatic differentiation. Some of its operations have a gradient that is missing,
//! wrong, or more work than a frozen network needs: layer normalization and softmax lose it silently, a max pool with
//! overlapping windows rejects it, and a convolution always differentiates its weights as well. The functions here replace
//! them. Each takes and returns plain [`candle_core::Tensor`]s, works on every device in f32 and bf16, and has its
//! gradient checked against finite differences.
//!
//! In the order in which a network uses them:
//!
//! | function | what it does | why not candle's |
//! |---|---|---|
//! | [`conv2d`] | convolution | skips the gradient of frozen weights; supports odd sizes; faster on the CPU (docs/BENCHMARKS.md) |
//! | [`batch_norm`], [`batch_norm_training`] | normalization by running or batch statistics | statistics are values, not hidden state |
//! | [`layer_norm`] | normalization of the last dimension | gradient missing |
//! | [`Activation`] | functions of each element | slope at exactly 0; NaN lost; slow erf and exp |
//! | [`max_pool2d`], [`avg_pool2d`] | pooling with padding | gradient missing, wrong or divided by the window's size |
//! | [`upsample_nearest2d`], [`upsample_bilinear2d`] | enlarging | gradient missing, or overwritten if used twice |
//! | [`pad`], [`max_keepdim`] | padding; the maximum along a dimension | values other than 0; ties as in torch |
//! | [`softmax`] | softmax over the last dimension | gradient missing |
//! | [`linear`], [`matmul`] | matrix products | bf16 on the CPU |
//! | [`gradient`], [`gradients`] | gradient of a scalar | a missing gradient is an error, never a silent `None` |
//!
//! ```
//! use candle_core::{Device, Tensor, Var};
//! use hard_imagenet_kernels::{gradient, softmax};
//!
//! let x = Var::new(&[[1f32, 2., 3.]], &Device::Cpu)?;
//! let p = softmax(&x)?;
//! let g = gradient(&p.narrow(1, 2, 1)?.sum_all()?, &x)?;      // d p₂ / d x = p₂ (δ − p)
//! let p = p.to_vec2::<f32>()?;
//! let g = g.to_vec2::<f32>()?;
//! assert!((g[0][0] + p[0][2] * p[0][0]).abs() < 1e-6);
//! # Ok::<(), candle_core::Error>(())
//! ```
//!
//! # Gradients
//!
//! Each operation computes its value without a record, by whatever is fastest on the device. [`with_gradient`] then attaches
//! a backward function written in tensor operations. Nothing is recorded for a tensor that does not depend on a
//! [`candle_core::Var`], so inference pays nothing.
//!
//! # candle
//!
//! All public functions use the types of candle-core 0.11: [`Tensor`](candle_core::Tensor), [`Var`](candle_core::Var) and
//! [`Result`](candle_core::Result). A caller must depend on the same version.
//!
//! Features: `cuda`, `cudnn` and `metal` enable candle's backends.

mod activation;
mod batch_norm;
mod conv;
mod cpu_matmul;
mod gemm;
mod gradient;
mod layer_norm;
mod linear;
mod math;
mod pad;
mod pool;
mod reduce;
mod rows;
mod slices;
mod softmax;
mod taps;
mod upsample;

pub use activation::TensorActivation;
pub use batch_norm::{BatchStatistics, batch_norm, batch_norm_training};
pub use conv::{Conv2dParams, conv2d};
pub use gradient::{gradient, gradients, with_gradient, with_gradient2};
pub use hard_imagenet_cpu::{Activation, Binary};
pub use layer_norm::{layer_norm, layer_norm_tangent};
pub use linear::{linear, matmul};
pub use pad::pad;
pub use pool::{Pool2dParams, avg_pool2d, max_pool2d, max_pool2d_tangent};
pub use reduce::max_keepdim;
pub use softmax::softmax;
pub use upsample::{upsample_bilinear2d, upsample_nearest2d};

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the tests run on a device of choice")]
mod testing;

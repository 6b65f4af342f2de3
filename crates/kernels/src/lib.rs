//! Tensor operations whose gradients are right, on [candle](https://docs.rs/candle-core).
//!
//! candle brings tensors, devices and automatic differentiation. Some of its operations have a gradient that is
//! absent, wrong, or more work than a frozen network needs: layer normalisation and softmax lose it silently, a max
//! pool whose windows overlap refuses it, a convolution always differentiates its weights as well. The functions here
//! take their place. Each takes and gives plain [`candle_core::Tensor`]s, works on every device, in f32 and bf16, and
//! has its gradient checked against finite differences.
//!
//! In the order in which a network meets them:
//!
//! | function | what it does | why not candle's |
//! |---|---|---|
//! | [`conv2d`] | convolution | skips the gradient of frozen weights; odd sizes; faster on the CPU (docs/BENCHMARKS.md) |
//! | [`batch_norm`], [`batch_norm_training`] | normalise by running or batch statistics | the statistics are values, not hidden state |
//! | [`layer_norm`] | normalise the last dimension | gradient absent |
//! | [`Activation`] | functions of each element | slope at exactly 0; NaN lost; slow erf and exp |
//! | [`max_pool2d`], [`avg_pool2d`] | pooling with padding | gradient absent, wrong or divided by the window's size |
//! | [`upsample_nearest2d`], [`upsample_bilinear2d`] | enlarging | gradient absent, or overwritten when used twice |
//! | [`pad`], [`max_keepdim`] | a frame; the maximum of a dimension | a value other than 0; ties as in torch |
//! | [`softmax`] | over the last dimension | gradient absent |
//! | [`linear`], [`matmul`] | products | bf16 on the CPU |
//! | [`conv2d_with_activation`], [`linear_with_activation`], [`add_with_activation`] | and an activation, in one pass over memory | for frozen networks on the CPU |
//! | [`gradient`], [`gradients`] | d scalar / d tensor | a missing gradient is an error here, never a silent `None` |
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
//! How a gradient is attached: the value is computed without a record, by whatever is fastest on the device, and
//! [`with_gradient`] gives it a backward function written in tensor operations. Nothing is recorded for a tensor that
//! does not depend on a [`candle_core::Var`], so inference pays nothing.
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).

mod activation;
mod add;
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

pub use activation::Activation;
pub use add::add_with_activation;
pub use batch_norm::{BatchStatistics, batch_norm, batch_norm_training};
pub use conv::{Conv2dParams, conv2d, conv2d_with_activation};
pub use gradient::{gradient, gradients, with_gradient, with_gradient2};
pub use layer_norm::{layer_norm, layer_norm_tangent};
pub use linear::{linear, linear_with_activation, matmul};
pub use pad::pad;
pub use pool::{Pool2dParams, avg_pool2d, max_pool2d, max_pool2d_tangent};
pub use reduce::max_keepdim;
pub use softmax::softmax;
pub use upsample::{upsample_bilinear2d, upsample_nearest2d};

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the tests run on a device of choice")]
mod testing;

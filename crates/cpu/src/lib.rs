//! Arithmetic on slices, with the same bits on every processor.
//!
//! This crate is the lowest room of the workspace. It knows nothing of images, tensors or networks, and it is the only
//! crate that touches instruction sets. Everything else writes ordinary loops.
//!
//! In the order of use:
//!
//! - [`dispatch!`] compiles a block of code once for each instruction set and runs the best version.
//! - [`Isa`] is the instruction set behind it: [`Isa::best`] detects it once, [`Isa::available`] lists all that a test
//!   should compare.
//! - [`Activation`] is a function of each value: ReLU, GELU, the logistic function and their like.
//! - [`layer_norm`], [`affine`] and [`softmax`] compute rows; [`binary`], [`binary_rows`], [`binary_scalar`] and [`scale`]
//!   combine values one by one.
//! - [`ImageView`] says where an image with channels last lies in a slice. [`max_pool`], [`average_pool`] and
//!   [`reduce_pixels`] take its pixels together, and [`depthwise`] convolves each of its channels.
//! - [`product`](mod@product) computes convolutions and linear layers; [`winograd`] those of 3 × 3 convolutions that
//!   [`winograd::pays`] for, and [`bf16`] rounds their factors for processors that are faster with them.
//! - [`random`] is the counter-based generator of the workspace: [`random::Stream`], [`random::StreamReader`], and
//!   [`random::normals`] for standard normals.
//!
//! # Dispatching a loop
//!
//! Write the loop as an `#[inline(always)]` function and dispatch its call. The call site needs no attributes, no structs and
//! no `unsafe`.
//!
//! ```
//! use hard_imagenet_cpu::dispatch;
//!
//! /// Computes `y = a x + y`.
//! fn add_scaled(y: &mut [f32], a: f32, x: &[f32]) {
//!     dispatch!(add_scaled_loop(y, a, x));
//! }
//!
//! #[inline(always)]
//! fn add_scaled_loop(y: &mut [f32], a: f32, x: &[f32]) {
//!     for (y, x) in y.iter_mut().zip(x) {
//!         *y += a * x;
//!     }
//! }
//!
//! let mut y = [1.0, 2.0];
//! add_scaled(&mut y, 2.0, &[10.0, 20.0]);
//! assert_eq!(y, [21.0, 42.0]);
//! ```
//!
//! [`dispatch!`] also takes any other expression or block. It becomes a closure: `return` leaves the block and not the
//! function, and what it captures goes through memory. Short loops over several slices are then slower.
//!
//! Two rules keep such a loop fast and reproducible:
//!
//! - Functions that the loop calls must be `#[inline(always)]`. A function that is not inlined is compiled for the baseline
//!   instruction set only.
//! - The loop must not rely on the width of a register. Sums that should be vectorized are kept in a fixed number of
//!   lanes, so that the order of the additions is the same everywhere.
//!
//! Rust never contracts `a * b + c` into a fused multiply-add, so every version of a block computes the same bits.
//!
//! # Safety
//!
//! `unsafe` code appears only below `src/arch`. A value such as [`arch::Avx2`] can only be made by detecting the
//! instruction set, so holding one proves that the processor has it.

mod activation;
mod aligned;
pub mod arch;
pub mod attention;
pub mod bf16;
mod depthwise;
mod elementwise;
mod isa;
mod math;
mod norm;
mod pool;
pub mod product;
pub mod random;
mod row;
mod simd;
mod softmax;
#[cfg(test)]
mod testing;
mod view;
pub mod winograd;

pub use activation::Activation;
pub use aligned::Aligned;
pub use depthwise::{DepthwiseWeights, depthwise};
pub use elementwise::{Binary, binary, binary_in_place, binary_rows, binary_scalar, scale};
pub use isa::Isa;
pub use norm::{affine, layer_norm, layer_norm_strided};
pub use pool::{Pool, Reduction, average_pool, max_pool, reduce_pixels};
pub use simd::{LANES, Simd, Vectorized};
pub use softmax::softmax;
pub use view::{ImageView, ImagesView};

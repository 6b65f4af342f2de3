//! Penalties on how much a decision depends on the pixels outside the object.
//!
//! Each penalty P is a function of a gradient g of the network, so its gradient with respect to the weights θ is of
//! second order. It equals the gradient of `u · g` with `u = ∂P/∂g` held fixed, and `u · g` is the derivative along u
//! of the value that g belongs to. Forward mode computes that derivative in operations that are recorded. So one
//! forward pass along directions and one backward pass give the exact second-order gradient, and the first backward
//! pass need not be recorded.

mod grad_cam;
mod input_gradient;
#[expect(clippy::module_inception, reason = "the file holds what both penalties share")]
mod penalty;
#[cfg(test)]
#[allow(clippy::disallowed_macros, reason = "a test prints what it measured")]
mod tests;

pub use grad_cam::grad_cam_penalty;
pub use input_gradient::input_gradient_penalty;
pub use penalty::Penalty;

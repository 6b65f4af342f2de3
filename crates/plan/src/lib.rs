//! Neural networks compiled for the CPU.

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

pub use engine::Engine;
pub use error::PlanError;

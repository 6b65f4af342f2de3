//! Heads and backbones finetuned under the paper's objectives, and under ones that work.

mod batch;
mod checkpoint;
mod error;
mod finetune;
mod groups;
mod loss;
mod network;
mod objective;
mod optimizer;
mod outside;
mod recipe;
mod schedule;

pub use batch::Failure;
pub use error::TrainingError;
pub use finetune::{Epoch, Event, Finetune, Finetuned};
pub use groups::Groups;
pub use loss::cross_entropy;
pub use network::Network;
pub use objective::Objective;
pub use optimizer::{Optimizer, Rule};
pub use outside::{Penalty, grad_cam_outside, input_gradient_outside};
pub use recipe::{BatchNorms, Part, Recipe};
pub use schedule::Schedule;

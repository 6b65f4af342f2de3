//! Networks and weights from files and from the Hugging Face hub.

mod checkpoint;
mod class_names;
mod config;
mod file_names;
#[cfg(feature = "hub")]
mod hub;
mod named_weights;
mod networks_in_file;
pub mod onnx;
mod weight_table;
mod weights;

pub use checkpoint::{Checkpoint, StoredTensor};
#[cfg(feature = "hub")]
pub use hub::Hub;
pub use weights::Weights;

pub(crate) use checkpoint::describe_pointer;
pub(crate) use named_weights::{Difference, NamedWeights};
pub(crate) use networks_in_file::Fitted;
pub(crate) use weight_table::{WeightTable, describe_mismatch, last_linear};

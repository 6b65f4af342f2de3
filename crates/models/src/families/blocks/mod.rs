//! The parts that several families share, under timm's names.

mod conv_norm;
mod mobile;
mod transformer;

pub use mobile::MobileBlock;

pub(crate) use conv_norm::{conv_norm, conv_norm_module};
pub(crate) use mobile::{Activations, mean, stages, stem};
pub(crate) use transformer::{attention, join_heads, mlp, patch_embed, scores, split_heads};

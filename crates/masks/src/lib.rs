//! Binary masks and heatmaps. (Page to be completed.)

mod heatmap;
mod mask;
mod rect;

pub use heatmap::Heatmap;
pub use mask::{Mask, MaskError};
pub use rect::Rect;

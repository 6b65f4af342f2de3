//! Checks of a user's folders: what is wrong, in plain words, and how to repair it.

mod contents;
mod folders;
mod layout;
mod mask_files;

pub use contents::{ContentCheck, SampleCheck, inspect};
pub(crate) use mask_files::{MaskFiles, PublishedCounts, skipped};

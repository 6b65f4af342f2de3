//! Pages and tables about the masks of datasets.

mod columns;
mod figures;
mod input;
mod page;
mod text;

pub use input::{MaskClass, MaskRow, MaskStats};
pub use page::masks_html;
pub use text::{masks_csv, masks_from_json, masks_json, masks_markdown};

//! The names of weights files.

use crate::ModelError;
use crate::model_name::without_tag;
use std::path::{Path, PathBuf};

/// The names of weights files in repositories of the Hugging Face hub, for any model; the preferred one first.
pub(crate) const HUB_FILE_NAMES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// Returns the file with the weights of a model in a folder.
pub(super) fn find_in_folder(folder: &Path, model: &str) -> Result<PathBuf, ModelError> {
    let mut looked_for = Vec::new();
    let named = ["safetensors", "pth", "pt", "bin", "ckpt"]
        .iter()
        .flat_map(|extension| [model, without_tag(model)].map(|name| format!("{name}.{extension}")));
    for file in named.chain(HUB_FILE_NAMES.map(str::to_owned)) {
        let path = folder.join(&file);
        if path.is_file() {
            return Ok(path);
        }
        if !looked_for.contains(&file) {
            looked_for.push(file);
        }
    }
    Err(ModelError::NotFound { model: model.to_owned(), folder: folder.to_owned(), looked_for })
}

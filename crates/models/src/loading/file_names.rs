//! The names of weights files.

use crate::ModelError;
use crate::model_name::without_tag;
use std::path::{Path, PathBuf};

/// The names of weights files in repositories of the Hugging Face hub, for any model; the preferred one first.
///
/// An index names the shards of weights in several files.
pub(crate) const HUB_FILE_NAMES: [&str; 4] =
    ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/// Returns the file with the weights of a model in a folder.
pub(super) fn find_in_folder(folder: &Path, model: &str) -> Result<PathBuf, ModelError> {
    let mut looked_for = Vec::new();
    let named = ["safetensors", "pth", "pt", "bin", "ckpt", "safetensors.index.json", "bin.index.json"]
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
    if let Some(shard) = find_shard(folder) {
        let message = format!("it has shards, such as {shard}, without the index that belongs to them (.index.json)");
        return Err(ModelError::Format { file: folder.display().to_string(), message });
    }
    Err(ModelError::NotFound { model: model.to_owned(), folder: folder.to_owned(), looked_for })
}

/// Returns the first file of a folder with the name of a shard: "model-00001-of-00002.safetensors".
fn find_shard(folder: &Path) -> Option<String> {
    let names = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let is_shard = |name: &String| {
        let stem = [".safetensors", ".bin"].iter().find_map(|end| name.strip_suffix(end));
        let numbers = stem.and_then(|stem| stem.rsplit_once("-of-"));
        numbers.is_some_and(|(before, count)| before.contains('-') && count.parse::<u32>().is_ok())
    };
    names.filter(is_shard).min()
}

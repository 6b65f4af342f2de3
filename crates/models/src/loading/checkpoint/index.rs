//! The index of weights in several files (shards): `model.safetensors.index.json` or `pytorch_model.bin.index.json`,
//! which names the shard of each tensor.

use crate::ModelError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

/// The limit of the length, in bytes. The index of a million tensors takes 100 MB.
const LONGEST: u64 = 100_000_000;

/// The shards of a file of weights.
#[derive(Debug, Deserialize)]
pub(crate) struct ShardIndex {
    /// The file name of the shard of each tensor.
    pub(super) weight_map: BTreeMap<String, String>,
}

/// Returns whether a file is an index, by its name or its first bytes. Eight bytes of JSON are not the length of a
/// safetensors header, because none is that long.
pub(super) fn is_index(path: &Path, start: &[u8]) -> bool {
    let has_name = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    has_name || (start.first() == Some(&b'{') && start.get(5..8).is_some_and(|bytes| bytes != [0; 3]))
}

impl ShardIndex {
    /// Reads an index. The names of its shards are plain file names, so that all shards are in the folder of the index.
    ///
    /// # Errors
    /// Returns [`ModelError::Read`] if the file cannot be read, and [`ModelError::Format`] if it is not an index.
    pub(crate) fn read(path: &Path) -> Result<Self, ModelError> {
        let read = |source| ModelError::Read { path: path.to_owned(), source };
        let fail = |message: String| ModelError::Format { file: path.display().to_string(), message };
        let mut text = Vec::new();
        File::open(path).map_err(read)?.take(LONGEST + 1).read_to_end(&mut text).map_err(read)?;
        if let Some(message) = super::describe_pointer(&text) {
            return Err(fail(message));
        }
        if text.len() as u64 > LONGEST {
            return Err(fail("it is longer than any index of shards".into()));
        }
        let index: Self = serde_json::from_slice(&text)
            .map_err(|error| fail(format!("it is not an index of shards with a \"weight_map\": {error}")))?;
        if index.weight_map.is_empty() {
            return Err(fail("it is an index of shards that lists no tensors".into()));
        }
        if let Some(shard) = index.shards().into_iter().find(|shard| !is_plain(shard)) {
            return Err(fail(format!("its shard {shard:?} is not the name of a file in the same folder")));
        }
        Ok(index)
    }

    /// Returns the file names of the shards in ascending order.
    pub(crate) fn shards(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }
}

/// Returns whether a name is that of a file, without folders, on every system.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let is_one =
        matches!(components.next(), Some(Component::Normal(one)) if one == name) && components.next().is_none();
    is_one && !name.contains(['/', '\\', ':']) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_plain_file_names() {
        for name in ["model-00001-of-00002.safetensors", "a", ".hidden", "größe.bin", "a..b"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", ".", "..", "../a", "/a", "a/b", "a/", "a\\b", "C:a", "a\0", "./a", "a\n"] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn an_index_is_known_by_its_name_or_content() {
        assert!(is_index(Path::new("a.index.json"), b""));
        assert!(is_index(Path::new("a"), b"{\"weight_map\": {}}"));
        assert!(!is_index(Path::new("a.safetensors"), &[b'{', 0, 0, 0, 0, 0, 0, 0, b'{']));
        assert!(!is_index(Path::new("a.bin"), b"PK\x03\x04...."));
    }
}

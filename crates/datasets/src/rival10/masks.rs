//! RIVAL10's attribute masks: a pickled dictionary of picture files as text.

use crate::{DatasetError, Pickle};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hard_imagenet_images::{Gray8, decode_mask};
use std::path::Path;

/// The mask of that name; `None` if there is none, or no such file.
///
/// # Errors
/// What is wrong with the file or the mask. The pickle is read as data, nothing in it is ever run.
pub(super) fn read(path: &Path, name: &str) -> Result<Option<Gray8>, DatasetError> {
    let fail = |problem: String| DatasetError::Meta { path: path.into(), problem };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error.to_string())),
    };
    let pickle =
        Pickle::parse(&bytes).map_err(|error| fail(format!("cannot be read as a dictionary of masks ({error})")))?;
    let root = pickle.root();
    let mut masks = root.entries().ok_or_else(|| fail(format!("expected a dictionary of masks, found {root:?}")))?;
    let Some((_, mask)) = masks.rfind(|(key, _)| key.text() == Some(name)) else { return Ok(None) };
    let text = mask.text().map(str::as_bytes).or_else(|| mask.bytes());
    let text = text.ok_or_else(|| fail(format!("the mask \"{name}\" is no text")))?;
    let picture = decode(text).ok_or_else(|| fail(format!("the mask \"{name}\" is not base64")))?;
    decode_mask(&picture).map(Some).map_err(|error| fail(format!("the mask \"{name}\": {error}")))
}

/// Base64 with or without line breaks, or a data URI of it.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let comma = text.iter().position(|&byte| byte == b',');
    let text = if text.starts_with(b"data:") { &text[comma? + 1..] } else { text };
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

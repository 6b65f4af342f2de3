//! RIVAL10's attribute masks: a pickled dictionary of picture files as text.

use crate::DatasetError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hard_imagenet_images::{Gray8, decode_mask};
use serde_pickle::{HashableValue, Value};
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
    let value = serde_pickle::value_from_slice(&bytes, serde_pickle::DeOptions::new());
    let mut masks = match value {
        Ok(Value::Dict(masks)) => masks,
        Ok(_) => return Err(fail("expected a dictionary of masks".into())),
        Err(error) => return Err(fail(format!("cannot be read as a dictionary of masks ({error})"))),
    };
    let text = match masks.remove(&HashableValue::String(name.into())) {
        Some(Value::String(text)) => text.into_bytes(),
        Some(Value::Bytes(text)) => text,
        Some(_) => return Err(fail(format!("the mask \"{name}\" is no text"))),
        None => return Ok(None),
    };
    let picture = decode(&text).ok_or_else(|| fail(format!("the mask \"{name}\" is not base64")))?;
    decode_mask(&picture).map(Some).map_err(|error| fail(format!("the mask \"{name}\": {error}")))
}

/// Base64 with or without line breaks, or a data URI of it.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let comma = text.iter().position(|&byte| byte == b',');
    let text = if text.starts_with(b"data:") { &text[comma? + 1..] } else { text };
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

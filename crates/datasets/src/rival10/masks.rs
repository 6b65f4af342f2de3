//! RIVAL10's attribute masks: a pickled dictionary of image files as text.

use crate::FileReading;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hard_imagenet_images::{Gray8, decode_mask_with};
use hard_imagenet_pickle::Pickle;

/// Reads the mask of that name from the bytes of such a file. Returns `None` if there is no such mask.
///
/// The pickle is read as data; nothing in it is ever run.
///
/// # Errors
/// Returns what is wrong with the file or the mask.
pub(super) fn read(bytes: &[u8], name: &str, reading: &FileReading) -> Result<Option<Gray8>, String> {
    let pickle = Pickle::parse(bytes).map_err(|error| format!("cannot be read as a dictionary of masks ({error})"))?;
    let root = pickle.root();
    let mut masks = root.entries().ok_or_else(|| format!("expected a dictionary of masks, found {root:?}"))?;
    let Some((_, mask)) = masks.rfind(|(key, _)| key.as_text() == Some(name)) else { return Ok(None) };
    let text = mask.as_text().map(str::as_bytes).or_else(|| mask.as_bytes());
    let text = text.ok_or_else(|| format!("the mask \"{name}\" is not text"))?;
    let image = decode(text).ok_or_else(|| format!("the mask \"{name}\" is not base64"))?;
    decode_mask_with(&image, &reading.mask, reading.orientation)
        .map(|(mask, _)| Some(mask))
        .map_err(|error| format!("the mask \"{name}\": {error}"))
}

/// Decodes base64 with or without line breaks, or a data URI of it.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let comma = text.iter().position(|&byte| byte == b',');
    let text = if text.starts_with(b"data:") { &text[comma? + 1..] } else { text };
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

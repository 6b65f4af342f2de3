//! How large an image may be, whichever decoder reads it.

use crate::ImageError;

/// The longest side that is decoded, in pixels: the most that JPEG and GIF can state.
pub(crate) const MAX_SIDE: u32 = 65_535;
/// The most memory for one decoded image, or for what is packed into the metadata of one, in bytes.
pub(crate) const MAX_BYTES: u64 = 512 * 1024 * 1024;

pub(crate) const TOO_LARGE: ImageError = ImageError::TooLarge { side: MAX_SIDE, mebibytes: MAX_BYTES >> 20 };

/// Checks a size on behalf of a decoder that has no limits of its own.
pub(crate) fn check_size(height: usize, width: usize, channels: usize) -> Result<(), ImageError> {
    let fits = height.max(width) <= MAX_SIDE as usize && height as u64 * width as u64 * channels as u64 <= MAX_BYTES;
    if fits { Ok(()) } else { Err(TOO_LARGE) }
}

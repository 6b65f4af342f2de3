use crate::{Gray8, Rgb8};
use std::path::{Path, PathBuf};

/// Why a picture could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Decodes an image file by content (not by name) to RGB.
///
/// # Errors
/// Damaged, truncated or unknown data.
pub fn decode_image(_bytes: &[u8]) -> Result<Rgb8, ImageError> {
    unimplemented!()
}

/// Decodes a mask file by content to one channel; the values are those of the file, not yet thresholded.
///
/// # Errors
/// As [`decode_image`].
pub fn decode_mask(_bytes: &[u8]) -> Result<Gray8, ImageError> {
    unimplemented!()
}

/// [`decode_image`] of a file; errors name it.
///
/// # Errors
/// As [`decode_image`], and if the file cannot be read.
pub fn read_image(_path: &Path) -> Result<Rgb8, ImageError> {
    unimplemented!()
}

/// [`decode_mask`] of a file; errors name it.
///
/// # Errors
/// As [`decode_mask`], and if the file cannot be read.
pub fn read_mask(_path: &Path) -> Result<Gray8, ImageError> {
    unimplemented!()
}

use crate::FileError;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Reads a file.
///
/// # Errors
/// Returns [`FileError`] if the file does not exist or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(FileError::because("read", path))
}

/// Reads a file, or returns `None` if it does not exist.
///
/// # Errors
/// Returns [`FileError`] if the file exists and cannot be read.
pub fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

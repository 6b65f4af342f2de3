use std::io;
use std::path::{Path, PathBuf};

/// A file or folder that could not be read, written, created or removed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was attempted: "read", "write", "remove" or "create the folder".
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl FileError {
    /// Returns a conversion from the system's error, for use with [`Result::map_err`].
    pub(crate) fn because(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

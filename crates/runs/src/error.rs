use hard_imagenet_files::FileError;
use std::path::PathBuf;

/// The reason why a run folder or a protocol cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A protocol is not TOML, or breaks one of its rules.
    #[error("the protocol cannot be used: {message}")]
    Protocol {
        /// What is wrong and what is allowed.
        message: String,
    },

    /// The folder holds another run.
    #[error(
        "{} holds another run; it differs in {}. Choose another folder, or ask for the same run to resume it",
        folder.display(),
        differences.join("; ")
    )]
    OtherRun {
        /// The run folder.
        folder: PathBuf,
        /// The fields that differ, each as "seed: 0 there, 1 asked for".
        differences: Vec<String>,
    },

    /// A part of the run cannot be read.
    #[error("{} is damaged: {reason}. Delete it and evaluate again; only this part is computed anew", path.display())]
    Damaged {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// `run.json` or another JSON file of the folder is missing or cannot be parsed.
    #[error("{} cannot be understood: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file or folder could not be read, created or written.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(action, source))]
    Io {
        /// "read", "write", "create the folder", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },

    /// Records, a description or an image could not be encoded.
    #[error("cannot encode {}: {reason}", path.display())]
    Encode {
        /// The file that was to be written.
        path: PathBuf,
        /// What the encoder reported.
        reason: String,
    },
}

/// The result of every fallible function of this crate.
pub type Result<T, E = RunError> = std::result::Result<T, E>;

impl From<FileError> for RunError {
    fn from(error: FileError) -> Self {
        let FileError { action, path, source } = error;
        Self::Io { action, path, source }
    }
}

/// Says what to do about a file or folder that could not be created.
fn advice(action: &str, source: &std::io::Error) -> &'static str {
    match source.kind() {
        _ if action.starts_with("read") => "",
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            " (the disk is full: what is complete is kept; make space and run again to resume)"
        }
        _ => " (choose a folder that you may write to)",
    }
}

#[cfg(test)]
mod tests {
    use super::RunError;
    use std::io::{Error, ErrorKind};

    #[test]
    fn errors_of_files_say_what_helps() {
        let message =
            |action, kind| RunError::Io { action, path: "runs/a".into(), source: Error::from(kind) }.to_string();
        assert!(message("write", ErrorKind::StorageFull).contains("the disk is full: what is complete is kept"));
        assert!(message("write", ErrorKind::PermissionDenied).contains("choose a folder that you may write to"));
        assert!(!message("read", ErrorKind::NotFound).contains('('));
    }
}

use std::path::{Path, PathBuf};

/// Why an evaluation could not be started, continued or read.
///
/// A sample that cannot be decoded is none of these: it becomes a record and the run goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A protocol that is not TOML, or not in the documented form.
    #[error("the protocol cannot be used: {message}")]
    Protocol {
        /// What is wrong and what is known.
        message: String,
    },

    /// An option of the builder that makes no sense.
    #[error("{message}")]
    Option {
        /// What was given and what is possible.
        message: String,
    },

    /// The model's classes cannot be matched with the dataset's.
    #[error("{model} cannot be judged on {dataset}: {reason}")]
    Labels {
        /// The model's name.
        model: String,
        /// The dataset's name.
        dataset: String,
        /// What does not match and what would.
        reason: String,
    },

    /// The folder holds a run of something else.
    #[error(
        "{} holds another run; it differs in {}. Choose another folder, or ask for the same again to continue it",
        folder.display(),
        differences.join("; ")
    )]
    OtherRun {
        /// The run folder.
        folder: PathBuf,
        /// A field a line: "seed: 0 there, 1 asked for".
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

    /// `run.json` or another file beside it is missing or says nothing readable.
    #[error("{} cannot be understood: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file or folder could not be read, made or written.
    #[error("cannot {action} {}: {source}{}", path.display(), way_out(action))]
    Io {
        /// "read", "write", "create", ...
        action: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The records could not be brought into the form of a file.
    #[error("cannot encode {}: {reason}", path.display())]
    Encode {
        /// The file that was to be.
        path: PathBuf,
        /// What the encoder said.
        reason: String,
    },

    /// The model could not be run.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),

    /// A decision could not be explained.
    #[error(transparent)]
    Explain(#[from] hard_imagenet_saliency::ExplainError),

    /// Features could not be had or kept.
    #[error(transparent)]
    Ranking(#[from] hard_imagenet_ranking::RankingError),

    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// The result of everything here that can fail.
pub type Result<T, E = EvaluationError> = std::result::Result<T, E>;

impl EvaluationError {
    /// Turns a system error into one that names the file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// What to do where something could not be made.
fn way_out(action: &str) -> &'static str {
    if action == "read" { "" } else { " (choose a folder that you may write to)" }
}

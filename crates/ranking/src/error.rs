use std::path::PathBuf;

/// Why features could not be extracted or ranked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RankingError {
    /// A file has another form than expected.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    Access(#[from] hard_imagenet_files::FileError),
    /// The network's features cannot be located in the image.
    #[error("{model}: {problem}")]
    Network {
        /// The model's name.
        model: String,
        /// What is missing.
        problem: String,
    },
    /// A source has no verdicts on the features of this model for the classes of this dataset.
    #[error("no verdicts from the source \"{word}\" on the features of {model} for the classes of {dataset}: {reason}")]
    NoVerdicts {
        /// The source's word.
        word: &'static str,
        /// The model's name.
        model: String,
        /// The dataset's name.
        dataset: String,
        /// Where the source does have verdicts.
        reason: &'static str,
    },
    /// Two banks, or a bank and its images, do not fit together.
    #[error("features of two kinds cannot be joined: {0}")]
    Incompatible(String),
    /// From the model.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

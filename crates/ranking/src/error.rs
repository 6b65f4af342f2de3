use std::path::PathBuf;

/// What can go wrong in ranking.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RankingError {
    /// A file that cannot be read or written, or has another form.
    #[error("{}: {problem}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A network whose features cannot be seen in the picture.
    #[error("{model}: {problem}")]
    Network {
        /// Which.
        model: String,
        /// What is missing.
        problem: String,
    },
    /// Two banks that do not belong together.
    #[error("features of two kinds cannot be one bank: {0}")]
    Incompatible(String),
    /// From the model.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

use hard_imagenet_runs::RunError;

/// Why an evaluation could not be started, continued or read.
///
/// A sample that cannot be decoded is none of these: it becomes a record and the run goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// The run folder or the protocol cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),

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

/// An error about a protocol.
pub(crate) fn invalid(message: impl Into<String>) -> EvaluationError {
    RunError::Protocol { message: message.into() }.into()
}

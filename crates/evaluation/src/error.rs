use hard_imagenet_findings::Finding;
use hard_imagenet_runs::RunError;

/// The reason why an evaluation could not be started, resumed or finished.
///
/// A sample that cannot be decoded is not an error: it becomes a record, and the run continues.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// The run folder or the protocol cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),

    /// An option of the builder cannot be used.
    #[error("{message}")]
    Option {
        /// What was given and what is possible.
        message: String,
    },

    /// The classes of the model do not match those of the dataset.
    #[error("{model} cannot be evaluated on {dataset}: {reason}")]
    Labels {
        /// The model's name.
        model: String,
        /// The dataset's name.
        dataset: String,
        /// What does not match, and what would.
        reason: String,
    },

    /// The model failed.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),

    /// An explainer failed.
    #[error(transparent)]
    Explain(#[from] hard_imagenet_saliency::ExplainError),

    /// Features could not be computed or stored.
    #[error(transparent)]
    Ranking(#[from] hard_imagenet_ranking::RankingError),

    /// A file of the dataset could not be read.
    #[error(transparent)]
    Dataset(#[from] hard_imagenet_datasets::DatasetError),

    /// An image could not be encoded.
    #[error(transparent)]
    Image(#[from] hard_imagenet_images::ImageError),

    /// Something about the inputs is suspicious, and the caller asked for clean inputs.
    #[error("{model} was not evaluated on {dataset}, because {} of what was found is suspicious: {}", findings.len(), findings.iter().map(Finding::headline).collect::<Vec<_>>().join("; "))]
    Suspicious {
        /// The model's name.
        model: String,
        /// The dataset's name.
        dataset: String,
        /// What is suspicious.
        findings: Vec<Finding>,
    },

    /// The caller canceled the work.
    #[error("canceled before the end")]
    Canceled,

    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// The result of every fallible function of this crate.
pub type Result<T, E = EvaluationError> = std::result::Result<T, E>;

/// Returns an error about a protocol.
pub(crate) fn invalid(message: impl Into<String>) -> EvaluationError {
    RunError::Protocol { message: message.into() }.into()
}

use std::path::PathBuf;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A recipe that makes no sense, or does not fit the network or the data.
    #[error("{0}")]
    Recipe(String),
    /// A checkpoint that cannot be read or written, or belongs to another training.
    #[error("{}: {problem}", path.display())]
    Checkpoint {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The numbers ran away.
    #[error("the loss is {loss} in step {step}: a lower learning rate than {rate} may help")]
    Diverged {
        /// Counted from 1.
        step: usize,
        /// The loss there.
        loss: f64,
        /// The learning rate there.
        rate: f64,
    },
    /// Whoever listens asked for it; what is done is in the last checkpoint.
    #[error("stopped")]
    Canceled,
    /// From the dataset.
    #[error(transparent)]
    Dataset(#[from] hard_imagenet_datasets::DatasetError),
    /// From the network.
    #[error(transparent)]
    Model(#[from] hard_imagenet_models::ModelError),
    /// From the network's graph.
    #[error(transparent)]
    Graph(#[from] hard_imagenet_graph::GraphError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

use std::path::PathBuf;

/// Why a training failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The recipe makes no sense, or it does not fit the network or the data.
    #[error("{0}")]
    Recipe(String),
    /// A checkpoint has another form, or belongs to another training.
    #[error("{}: {problem}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The loss is not finite.
    #[error("the loss is {loss} in step {step}: a lower learning rate than {rate} may help")]
    Diverged {
        /// The step, counted from 1.
        step: usize,
        /// Its loss.
        loss: f64,
        /// Its learning rate.
        rate: f64,
    },
    /// The listener canceled the training. The epochs before are in the last checkpoint.
    #[error("the training was canceled")]
    Canceled,
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] hard_imagenet_files::FileError),
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

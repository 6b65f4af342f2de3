use std::path::PathBuf;

/// Why a model could not be had or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No model of that name.
    #[error("there is no model {name:?}; the nearest are {}", .near.join(", "))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// A folder has no weights for the model.
    #[error("no weights of {model} in {}: looked for {}", .folder.display(), .looked_for.join(", "))]
    NotFound {
        /// Name of the model.
        model: String,
        /// Where was looked.
        folder: PathBuf,
        /// File names tried, in order.
        looked_for: Vec<String>,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// From the operating system.
        source: std::io::Error,
    },
    /// A file could not be understood.
    #[error("{file} holds no weights that can be read: {message}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A `config.json` contradicts the weights or cannot be understood.
    #[error("{} does not describe the model: {message}; mend it, or take it away to use the model's usual numbers", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, and with which field.
        message: String,
    },
    /// The tensors of a file are not those of the model.
    #[error("{file} does not hold the weights of {model}: {details}")]
    Mismatch {
        /// The file.
        file: String,
        /// The model.
        model: String,
        /// Missing, extra and misshapen tensors; what the weights look like instead.
        details: String,
    },
    /// Weights could not be had from the hub, or not whole.
    #[cfg(feature = "hub")]
    #[error("{repository}@{revision} on the Hugging Face hub: {message}")]
    Hub {
        /// "owner/name".
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// No such device, or the program was built without it.
    #[error("device {name:?}: {message}")]
    Device {
        /// The device asked for.
        name: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Images that do not make a batch.
    #[error("{0}")]
    Input(String),
    /// From the graph.
    #[error(transparent)]
    Graph(#[from] hard_imagenet_graph::GraphError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

use std::path::PathBuf;

/// The reason why a model could not be loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// There is no model of that name.
    #[error("there is no model {name:?}; similar names are {}", .near.join(", "))]
    UnknownModel {
        /// The requested name.
        name: String,
        /// Similar names.
        near: Vec<String>,
    },
    /// A folder contains no weights of the model.
    #[error("no weights of {model} in {}: looked for {}", .folder.display(), .looked_for.join(", "))]
    NotFound {
        /// The name of the model.
        model: String,
        /// The folder that was searched.
        folder: PathBuf,
        /// The file names that were tried, in order.
        looked_for: Vec<String>,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file has an unknown format or is damaged.
    #[error("{file} contains no readable weights: {message}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong and how to solve it.
        message: String,
    },
    /// A `config.json` contradicts the weights or is invalid.
    #[error("{} does not describe the model: {message}; correct the file, or remove it to use the model's usual preprocessing", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong and with which field.
        message: String,
    },
    /// The tensors in a file are not those of the model.
    #[error("{file} does not contain the weights of {model}: {details}")]
    Mismatch {
        /// The file.
        file: String,
        /// The model.
        model: String,
        /// The missing, unexpected and misshapen tensors, and the model that the weights look like.
        details: String,
    },
    /// Weights could not be downloaded from the Hugging Face hub, or arrived damaged.
    #[cfg(feature = "hub")]
    #[error("{repository}@{revision} on the Hugging Face hub: {message}")]
    Hub {
        /// "owner/name".
        repository: String,
        /// The branch, tag or commit.
        revision: String,
        /// What is wrong and how to solve it.
        message: String,
    },
    /// There is no such device, or the program was built without support for it.
    #[error("device {name:?}: {message}")]
    Device {
        /// The requested device.
        name: String,
        /// What is wrong and how to solve it.
        message: String,
    },
    /// The input does not fit the model, or images do not form a batch.
    #[error("{0}")]
    Input(String),
    /// An ONNX file could not be read as a graph.
    #[error(transparent)]
    Onnx(Box<hard_imagenet_onnx::OnnxError>),
    /// The graph does not accept the request.
    #[error(transparent)]
    Graph(Box<hard_imagenet_graph::GraphError>),
    /// Candle reported an error.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl From<hard_imagenet_graph::GraphError> for ModelError {
    fn from(error: hard_imagenet_graph::GraphError) -> Self {
        Self::Graph(Box::new(error))
    }
}

impl From<hard_imagenet_onnx::OnnxError> for ModelError {
    fn from(error: hard_imagenet_onnx::OnnxError) -> Self {
        Self::Onnx(Box::new(error))
    }
}

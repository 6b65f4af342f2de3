use std::path::PathBuf;

/// An ONNX file could not be read as a graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not an ONNX model, is damaged, or contains a model of another kind.
    #[error("cannot read {} as an ONNX model: {message}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A node has an operator, or a form of it, that is not supported.
    #[error("{}: cannot import the operator {operator} of node {node:?}: {message}", .path.display())]
    Operator {
        /// The file.
        path: PathBuf,
        /// The name of the operator in ONNX.
        operator: String,
        /// The name of the node in the file.
        node: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The graph could not be built or run.
    #[error(transparent)]
    Graph(#[from] hard_imagenet_graph::GraphError),
    /// candle failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl OnnxError {
    /// Adds what else would help to the error of an operator.
    pub(crate) fn hinting(self, hint: &str) -> Self {
        match self {
            Self::Operator { path, operator, node, message } if !hint.is_empty() => {
                Self::Operator { path, operator, node, message: format!("{message}; {hint}") }
            }
            error => error,
        }
    }
}

/// What is wrong with a node or a tensor. The caller adds the file and the node.
#[derive(Debug)]
pub(crate) struct Reason(pub(crate) String);

impl<T: ToString> From<T> for Reason {
    fn from(text: T) -> Self {
        Self(text.to_string())
    }
}

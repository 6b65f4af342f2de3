use std::path::PathBuf;

/// Why an ONNX file did not become a graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// From the operating system.
        source: std::io::Error,
    },
    /// A file is not ONNX, or is damaged.
    #[error("{} is not an ONNX model that can be read: {message}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A node does something that no operation of a graph can do.
    #[error("{}: the operator {operator} of node {node:?} cannot be taken over: {message}", .path.display())]
    Operator {
        /// The file.
        path: PathBuf,
        /// ONNX's name of the operator.
        operator: String,
        /// The exporter's name of the node.
        node: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// From the graph.
    #[error(transparent)]
    Graph(#[from] hard_imagenet_graph::GraphError),
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// What is wrong with a node or a tensor, before it is known where.
#[derive(Debug)]
pub(crate) struct Reason(pub(crate) String);

impl<T: ToString> From<T> for Reason {
    fn from(text: T) -> Self {
        Self(text.to_string())
    }
}

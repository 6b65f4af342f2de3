/// A graph could not be built, cut or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// There is no node with the given name.
    #[error("there is no node {name:?}{}", suggestion(.near))]
    UnknownNode {
        /// The name that was looked up.
        name: String,
        /// Similar names.
        near: Vec<String>,
    },
    /// Two nodes have the same name.
    #[error("two nodes are called {0:?}, but names must be unique")]
    DuplicateName(String),
    /// The inputs of a node have the wrong shape.
    #[error("node {node:?} needs {expected}, got the shape {got:?}")]
    Shape {
        /// The name of the node.
        node: String,
        /// The inputs that the node needs.
        expected: String,
        /// The shapes of the inputs, one after the other.
        got: Vec<usize>,
    },
    /// The output node is not a linear layer, so its number of classes cannot be changed.
    #[error("the network ends in {0:?}, which is not a linear layer, so its number of classes cannot be changed")]
    Head(String),
    /// The weight map lacks a weight that a node names.
    #[error("node {node:?} needs the weight {weight:?}, which is missing")]
    MissingWeight {
        /// The name of the node.
        node: String,
        /// The name of the weight.
        weight: String,
    },
    /// The tensor operation of a node failed.
    #[error("node {node:?}: {source}")]
    Node {
        /// The name of the node.
        node: String,
        /// The error of candle.
        source: candle_core::Error,
    },
    /// candle failed outside a node.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

fn suggestion(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; similar names are {}", near.join(", ")),
    }
}

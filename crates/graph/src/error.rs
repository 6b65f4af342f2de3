/// Why a graph could not be built, cut or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// No node of that name.
    #[error("there is no node {name:?}{}", suggestion(.near))]
    UnknownNode {
        /// The name asked for.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
    },
    /// Two nodes of one name.
    #[error("two nodes are called {0:?}: names must be unique")]
    DuplicateName(String),
    /// The graph's input is not of the expected kind.
    #[error("node {node:?} takes {expected}, got the shape {got:?}")]
    Shape {
        /// Name of the node.
        node: String,
        /// What it takes.
        expected: String,
        /// What came.
        got: Vec<usize>,
    },
    /// An end that cannot have another number of classes.
    #[error("the network ends in {0:?}, which is no linear layer that could have another number of classes")]
    Head(String),
    /// A weight that a node names is not in the map.
    #[error("node {node:?} needs the weight {weight:?}, which is not among the weights given")]
    MissingWeight {
        /// Name of the node.
        node: String,
        /// Name of the weight.
        weight: String,
    },
    /// The tensor operation of a node failed.
    #[error("node {node:?}: {source}")]
    Node {
        /// Name of the node.
        node: String,
        /// From candle.
        source: candle_core::Error,
    },
    /// From candle, outside a node.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

fn suggestion(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; near it are {}", near.join(", ")),
    }
}

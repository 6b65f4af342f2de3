use hard_imagenet_graph::GraphError;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No step computes a node. The reference executor does.
    #[error("no step of a plan computes node {node:?}: {reason}")]
    Unsupported {
        /// The name of the node.
        node: String,
        /// What is not supported.
        reason: String,
    },
    /// The graph or its weights are at fault.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// candle failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

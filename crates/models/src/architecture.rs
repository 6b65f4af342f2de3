use hard_imagenet_graph::{Graph, GraphError};

/// The numbers that describe one network of a family, and the graph they lead to.
pub trait Architecture: Sync {
    /// Returns the graph with a head of `classes` logits. Batch norms are nodes of their own, and weights have timm's
    /// names.
    ///
    /// # Errors
    /// Returns [`GraphError`] if the numbers do not describe a network. The rows of the zoo never fail.
    fn graph(&self, classes: usize) -> Result<Graph, GraphError>;

    /// Returns the graph whose head takes `features` inputs, for families whose heads differ in that. Other families
    /// ignore `features`.
    ///
    /// # Errors
    /// Fails like [`Architecture::graph`].
    fn graph_for(&self, classes: usize, features: usize) -> Result<Graph, GraphError> {
        let _ = features;
        self.graph(classes)
    }

    /// Returns the name of the node that class activation maps show by default.
    fn cam_node(&self) -> String;

    /// Returns the name of the node whose value is the input of the last linear layer.
    fn feature_node(&self) -> String {
        "global_pool".to_owned()
    }
}

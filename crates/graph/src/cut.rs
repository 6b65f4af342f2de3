use crate::{Graph, GraphError, NodeId, WeightMap, run_from};
use candle_core::Tensor;

/// A graph divided at a node. The trunk computes the node's value from the images, the head computes the output from it.
///
/// A head may need more than the node's value, for example a residual stream that bypasses the node. Such values are carried
/// along. So a graph can be cut at every node, and the head after the trunk equals the whole network bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    at: NodeId,
    carried: Vec<NodeId>,
}

/// The values that cross a cut: what a trunk returns and a head takes.
#[derive(Clone, Debug)]
pub struct CutValues {
    /// The value of the node.
    pub at: Tensor,
    /// The other values that the head needs, in the order of [`Cut::carried`].
    pub carried: Vec<Tensor>,
}

impl Cut {
    /// Cuts the graph at the node with the given name or alias.
    ///
    /// # Errors
    /// Returns [`GraphError::UnknownNode`] if there is no such node.
    pub fn at(graph: &Graph, name: &str) -> Result<Self, GraphError> {
        let at = graph.find(name)?;
        // A node is behind the cut if it is computed from the cut's value, and before it if it is computed from the input
        // but not behind.
        let mut behind = vec![false; graph.nodes.len()];
        let mut from_input = vec![false; graph.nodes.len()];
        behind[at.0] = true;
        from_input[graph.input.0] = true;
        for (i, node) in graph.nodes.iter().enumerate() {
            behind[i] |= node.inputs.iter().any(|input| behind[input.0]);
            from_input[i] |= node.inputs.iter().any(|input| from_input[input.0]);
        }
        // The head consists of all nodes behind the cut, which all lead to the output, and of parameters, which need no
        // input. Whatever else it reads must be carried.
        let mut carried = Vec::new();
        for (i, node) in graph.nodes.iter().enumerate().filter(|(i, _)| behind[*i]) {
            for &input in node.inputs.iter().filter(|_| i != at.0) {
                if !behind[input.0] && from_input[input.0] && !carried.contains(&input) {
                    carried.push(input);
                }
            }
        }
        carried.sort_unstable();
        Ok(Self { at, carried })
    }

    /// Returns the node at the cut.
    pub fn node(&self) -> NodeId {
        self.at
    }

    /// Returns the nodes whose values the head needs besides that of the cut, in ascending order.
    pub fn carried(&self) -> &[NodeId] {
        &self.carried
    }

    /// Evaluates the graph from the images `x` `(B, C, H, W)` to the cut.
    ///
    /// # Errors
    /// Returns an error in the cases of [`crate::run`].
    pub fn trunk(&self, graph: &Graph, weights: &WeightMap, x: &Tensor) -> Result<CutValues, GraphError> {
        let wanted: Vec<NodeId> = std::iter::once(self.at).chain(self.carried.iter().copied()).collect();
        let mut values = run_from(graph, weights, &[(graph.input, x.clone())], &wanted)?;
        let at = values.remove(0);
        Ok(CutValues { at, carried: values })
    }

    /// Evaluates the graph from the cut to the output, whose shape is that of [`crate::run`]. To differentiate with respect to
    /// the node's value, make `value.at` a variable.
    ///
    /// # Errors
    /// Returns an error in the cases of [`crate::run`].
    pub fn head(&self, graph: &Graph, weights: &WeightMap, value: &CutValues) -> Result<Tensor, GraphError> {
        let fed: Vec<(NodeId, Tensor)> = std::iter::once((self.at, value.at.clone()))
            .chain(self.carried.iter().copied().zip(value.carried.iter().cloned()))
            .collect();
        let mut values = run_from(graph, weights, &fed, &[graph.output])?;
        Ok(values.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;
    use crate::testing::{images, tiny_residual, weights_of};

    #[test]
    fn head_after_trunk_equals_the_whole_at_every_node() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), images(2));
        let whole = run(&graph, &weights, &x)?.to_vec2::<f32>()?;
        for node in graph.nodes() {
            let cut = Cut::at(&graph, &node.name)?;
            let value = cut.trunk(&graph, &weights, &x)?;
            assert_eq!(cut.head(&graph, &weights, &value)?.to_vec2::<f32>()?, whole, "{}", node.name);
        }
        Ok(())
    }

    #[test]
    fn only_a_residual_stream_is_carried() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let carried = |name: &str| -> Result<Vec<&str>, GraphError> {
            Ok(Cut::at(&graph, name)?.carried().iter().map(|id| graph.node(*id).name.as_str()).collect())
        };
        assert_eq!(carried("block.relu")?, [""; 0]);
        assert_eq!(carried("block.conv")?, ["relu"]);
        assert_eq!(carried("relu")?, [""; 0]);
        assert_eq!(carried("stage")?, [""; 0]);
        Ok(())
    }

    #[test]
    fn errors_about_unknown_nodes_name_similar_ones() {
        let error = Cut::at(&tiny_residual(), "block.conv9").unwrap_err().to_string();
        assert!(error.contains("no node \"block.conv9\"") && error.contains("block.conv"), "{error}");
        let error = Cut::at(&tiny_residual(), "Relu").unwrap_err().to_string();
        assert!(error.contains("similar names are relu"), "{error}");
    }
}

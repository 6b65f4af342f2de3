use crate::{Graph, GraphError, NodeId, WeightMap, run_from};
use candle_core::Tensor;

/// A graph divided at a node: the trunk leads to the node, the head from there to the output.
///
/// A head may need more than the node's value: a residual stream that passes it by, say. Such values are carried along,
/// so that every node is a place to cut, and head after trunk is the whole network, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    at: NodeId,
    carried: Vec<NodeId>,
}

/// What a trunk gives and a head takes.
#[derive(Clone, Debug)]
pub struct CutValues {
    /// The value at the node.
    pub at: Tensor,
    /// What else the head needs, in the order of [`Cut::carried`].
    pub carried: Vec<Tensor>,
}

impl Cut {
    /// Cuts at the node of that name or alias.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`].
    pub fn at(graph: &Graph, name: &str) -> Result<Self, GraphError> {
        let at = graph.find(name)?;
        // Behind the cut: computed from its value. Before it: computed from the input, but not behind.
        let mut behind = vec![false; graph.nodes.len()];
        let mut from_input = vec![false; graph.nodes.len()];
        behind[at.0] = true;
        from_input[graph.input.0] = true;
        for (i, node) in graph.nodes.iter().enumerate() {
            behind[i] |= node.inputs.iter().any(|input| behind[input.0]);
            from_input[i] |= node.inputs.iter().any(|input| from_input[input.0]);
        }
        // The head: everything behind the cut (all of it leads to the output), and parameters, which need no input.
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

    /// The node.
    pub fn node(&self) -> NodeId {
        self.at
    }

    /// The nodes whose values go from trunk to head beside the node's own.
    pub fn carried(&self) -> &[NodeId] {
        &self.carried
    }

    /// From the picture `x` to the cut.
    ///
    /// # Errors
    /// As [`crate::run`].
    pub fn trunk(&self, graph: &Graph, weights: &WeightMap, x: &Tensor) -> Result<CutValues, GraphError> {
        let wanted: Vec<NodeId> = std::iter::once(self.at).chain(self.carried.iter().copied()).collect();
        let mut values = run_from(graph, weights, &[(graph.input, x.clone())], &wanted)?;
        let at = values.remove(0);
        Ok(CutValues { at, carried: values })
    }

    /// From the cut to the output. Make `value.at` a variable to differentiate with respect to it.
    ///
    /// # Errors
    /// As [`crate::run`].
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
    use crate::testing::{picture, tiny_residual, weights_of};

    #[test]
    fn head_after_trunk_is_the_whole_at_every_node() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), picture(2));
        let whole = run(&graph, &weights, &x)?.to_vec2::<f32>()?;
        for node in graph.nodes() {
            let cut = Cut::at(&graph, &node.name)?;
            let value = cut.trunk(&graph, &weights, &x)?;
            assert_eq!(cut.head(&graph, &weights, &value)?.to_vec2::<f32>()?, whole, "{}", node.name);
        }
        Ok(())
    }

    #[test]
    fn a_residual_stream_is_carried_and_nothing_else() -> Result<(), GraphError> {
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
    fn unknown_nodes_are_named_with_their_neighbours() {
        let error = Cut::at(&tiny_residual(), "block.conv9").unwrap_err().to_string();
        assert!(error.contains("no node \"block.conv9\"") && error.contains("block.conv"), "{error}");
    }
}

use crate::{Constant, GraphError, Layout, Op};
use std::collections::{BTreeMap, HashMap};

/// A node's place in its graph's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// Position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique; the module's name in the checkpoint where there is one.
    pub name: String,
    /// What it does, attributes included.
    pub op: Op,
    /// Nodes whose values it takes, in order; all earlier in the graph.
    pub inputs: Vec<NodeId>,
    /// Names of its weights, in the order [`Op::parameters`] lists their shapes.
    pub weights: Vec<String>,
    /// How to read its value.
    pub layout: Layout,
}

/// A weight that a graph needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As in the checkpoint.
    pub name: String,
    /// As torch lays it out.
    pub shape: Vec<usize>,
}

/// A network: nodes in topological order, one input, one output.
///
/// Every node contributes to the output; what does not is dropped when the graph is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) input: NodeId,
    pub(crate) output: NodeId,
    /// Other names of nodes: "layer4" for the last block in it.
    pub(crate) aliases: BTreeMap<String, NodeId>,
}

impl Graph {
    /// Takes the nodes needed for `output`, in order, and checks names.
    pub(crate) fn new(
        nodes: Vec<Node>,
        input: NodeId,
        output: NodeId,
        aliases: BTreeMap<String, NodeId>,
    ) -> Result<Self, GraphError> {
        let mut needed = vec![false; nodes.len()];
        needed[output.0] = true;
        needed[input.0] = true;
        for (i, node) in nodes.iter().enumerate().rev() {
            if needed[i] {
                node.inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        let mut place = vec![NodeId(usize::MAX); nodes.len()];
        let mut kept = Vec::with_capacity(nodes.len());
        let mut names = HashMap::new();
        for (i, mut node) in nodes.into_iter().enumerate().filter(|(i, _)| needed[*i]) {
            place[i] = NodeId(kept.len());
            node.inputs.iter_mut().for_each(|input| *input = place[input.0]);
            if names.insert(node.name.clone(), ()).is_some() {
                return Err(GraphError::DuplicateName(node.name));
            }
            kept.push(node);
        }
        let aliases = aliases
            .into_iter()
            .filter(|(name, id)| needed[id.0] && !names.contains_key(name))
            .map(|(name, id)| (name, place[id.0]))
            .collect();
        Ok(Self { nodes: kept, input: place[input.0], output: place[output.0], aliases })
    }

    /// All nodes, each after its inputs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at a place.
    ///
    /// # Panics
    /// For an id of another, larger graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Where the picture comes in.
    pub fn input(&self) -> NodeId {
        self.input
    }

    /// The logits.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Second names of nodes: a stage's name stands for its last block's output.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.aliases.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// The node of a name or an alias.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`], with names that look like it.
    pub fn find(&self, name: &str) -> Result<NodeId, GraphError> {
        if let Some(id) = self.aliases.get(name) {
            return Ok(*id);
        }
        if let Some(index) = self.nodes.iter().position(|node| node.name == name) {
            return Ok(NodeId(index));
        }
        // "layer9" is as near to "layer4" as to "layer1.0": numbers are what people get wrong.
        let stem = name.split('.').next().unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_digit());
        let known = self.nodes.iter().map(|node| &node.name).chain(self.aliases.keys());
        let mut near: Vec<String> = known.filter(|known| known.starts_with(stem)).cloned().collect();
        near.sort();
        near.sort_by_key(|known| known.len().abs_diff(name.len()));
        near.truncate(5);
        Err(GraphError::UnknownNode { name: name.to_owned(), near })
    }

    /// The same network with as many logits: the linear layer that gives them has other rows.
    ///
    /// # Errors
    /// [`GraphError::Head`] where something else gives them.
    pub fn with_classes(&self, classes: usize) -> Result<Self, GraphError> {
        let mut graph = self.clone();
        match &mut graph.nodes[self.output.0] {
            Node { op: Op::Linear { outputs, .. }, .. } => *outputs = classes,
            Node { name, .. } => return Err(GraphError::Head(name.clone())),
        }
        Ok(graph)
    }

    /// The weights needed, each once, in the order of the nodes.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut seen = HashMap::new();
        let mut all = Vec::new();
        for node in &self.nodes {
            for (name, shape) in node.weights.iter().zip(node.op.parameters()) {
                if seen.insert(name.as_str(), ()).is_none() {
                    all.push(Parameter { name: name.clone(), shape });
                }
            }
        }
        all
    }

    /// The values that the graph itself holds, by the names under which [`crate::run`] looks for them among the weights
    /// before it makes tensors of them anew.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Constant)> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Op::Constant(constant) => Some((node.name.as_str(), constant)),
            _ => None,
        })
    }

    /// The shape of each node's value for an input of the given shape `(B, C, H, W)`, in the order of the nodes.
    ///
    /// # Errors
    /// [`GraphError::Shape`] at the first node whose inputs do not fit.
    pub fn shapes(&self, input: &[usize]) -> Result<Vec<Vec<usize>>, GraphError> {
        let mut shapes: Vec<Vec<usize>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let shape = match node.op {
                Op::Input => input.to_vec(),
                _ => {
                    let inputs: Vec<&[usize]> = node.inputs.iter().map(|id| shapes[id.0].as_slice()).collect();
                    node.op.shape(&inputs).map_err(|expected| GraphError::Shape {
                        node: node.name.clone(),
                        expected,
                        got: inputs.concat(),
                    })?
                }
            };
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Multiplications of convolutions and matrix products for an input of the given shape: the usual measure of work.
    ///
    /// # Errors
    /// As [`Graph::shapes`].
    pub fn multiply_adds(&self, input: &[usize]) -> Result<u64, GraphError> {
        let shapes = self.shapes(input)?;
        let work = |(node, shape): (&Node, &Vec<usize>)| {
            let first = node.inputs.first().map_or(&[][..], |id| shapes[id.0].as_slice());
            node.op.multiply_adds(first, shape)
        };
        Ok(self.nodes.iter().zip(&shapes).map(work).sum())
    }

    /// For each node, the nodes that take its value.
    pub(crate) fn consumers(&self) -> Vec<Vec<NodeId>> {
        let mut consumers = vec![Vec::new(); self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            for input in &node.inputs {
                consumers[input.0].push(NodeId(i));
            }
        }
        consumers
    }
}

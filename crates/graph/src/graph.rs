use crate::{Constant, GraphError, Layout, Op};
use std::collections::{BTreeMap, HashMap};

/// The index of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// Returns the index in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The unique name; that of the module in the checkpoint if there is one.
    pub name: String,
    /// The operation with its attributes.
    pub op: Op,
    /// The nodes whose values it reads, in order. All come earlier in the graph.
    pub inputs: Vec<NodeId>,
    /// The names of its weights, in the order of their shapes in [`Op::parameters`].
    pub weights: Vec<String>,
    /// The meaning of its value's axes.
    pub layout: Layout,
}

/// A weight that a graph needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in the checkpoint.
    pub name: String,
    /// The shape, as torch stores it.
    pub shape: Vec<usize>,
}

/// A network: nodes in topological order with one input and one output.
///
/// Every node contributes to the output. Others are dropped when the graph is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) input: NodeId,
    pub(crate) output: NodeId,
    /// Second names of nodes, such as "layer4" for the last block in it.
    pub(crate) aliases: BTreeMap<String, NodeId>,
}

impl Graph {
    /// Keeps the nodes that `output` needs, in order, and checks that their names are unique.
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

    /// Returns all nodes, each after its inputs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the node with the given id.
    ///
    /// # Panics
    /// Panics if the id belongs to another, larger graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Returns the input node, whose value is the images.
    pub fn input(&self) -> NodeId {
        self.input
    }

    /// Returns the output node, whose value is the logits.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Returns the second names of nodes. For example, the name of a stage refers to its last block.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.aliases.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// Returns the node with the given name or alias.
    ///
    /// # Errors
    /// Returns [`GraphError::UnknownNode`] with similar names if there is none.
    pub fn find(&self, name: &str) -> Result<NodeId, GraphError> {
        if let Some(id) = self.aliases.get(name) {
            return Ok(*id);
        }
        if let Some(index) = self.nodes.iter().position(|node| node.name == name) {
            return Ok(NodeId(index));
        }
        // Compare names up to the first number, because people usually get the number wrong: "layer9" is as similar to
        // "layer4" as to "layer1.0".
        let stem = name.split('.').next().unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_digit());
        let known = self.nodes.iter().map(|node| &node.name).chain(self.aliases.keys());
        let mut near: Vec<String> = known.filter(|known| known.starts_with(stem)).cloned().collect();
        near.sort();
        near.sort_by_key(|known| known.len().abs_diff(name.len()));
        near.truncate(5);
        if near.is_empty() {
            // Nothing starts like it, so the name may be misspelled.
            let mut all: Vec<&String> = self.nodes.iter().map(|node| &node.name).chain(self.aliases.keys()).collect();
            all.sort_by_cached_key(|known| edit_distance(&known.to_lowercase(), &name.to_lowercase()));
            near = all.into_iter().take(3).cloned().collect();
        }
        Err(GraphError::UnknownNode { name: name.to_owned(), near })
    }

    /// Returns the same network with another number of logits: the last linear layer has other rows.
    ///
    /// # Errors
    /// Returns [`GraphError::Head`] if the output node is not a linear layer.
    pub fn with_classes(&self, classes: usize) -> Result<Self, GraphError> {
        let mut graph = self.clone();
        match &mut graph.nodes[self.output.0] {
            Node { op: Op::Linear { outputs, .. }, .. } => *outputs = classes,
            Node { name, .. } => return Err(GraphError::Head(name.clone())),
        }
        Ok(graph)
    }

    /// Returns the weights that the graph needs, each once, in the order of the nodes.
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

    /// Returns the values that the graph itself holds, by name. [`crate::run`] looks for these names among the weights first, and
    /// otherwise makes new tensors at each call.
    pub fn constants(&self) -> impl Iterator<Item = (&str, &Constant)> {
        self.nodes.iter().filter_map(|node| match &node.op {
            Op::Constant(constant) => Some((node.name.as_str(), constant)),
            _ => None,
        })
    }

    /// Returns the shape of each node's value for an input of the given shape `(B, C, H, W)`, in the order of the nodes.
    ///
    /// # Errors
    /// Returns [`GraphError::Shape`] at the first node whose inputs do not match.
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

    /// Returns the number of multiply-adds in convolutions and matrix products for an input of the given shape
    /// `(B, C, H, W)`. It is the usual measure of a network's work.
    ///
    /// # Errors
    /// Returns an error in the cases of [`Graph::shapes`].
    pub fn multiply_adds(&self, input: &[usize]) -> Result<u64, GraphError> {
        let shapes = self.shapes(input)?;
        let work = |(node, shape): (&Node, &Vec<usize>)| {
            let first = node.inputs.first().map_or(&[][..], |id| shapes[id.0].as_slice());
            node.op.multiply_adds(first, shape)
        };
        Ok(self.nodes.iter().zip(&shapes).map(work).sum())
    }

    /// Returns for each node the nodes that read its value.
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

/// Returns the Levenshtein distance: the number of bytes to insert, delete or replace.
fn edit_distance(a: &str, b: &str) -> usize {
    // row[j] is the distance between the part of `a` read so far and the first j bytes of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replace = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

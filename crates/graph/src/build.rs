use crate::ops::{Activation, Conv2d, Extent, MaxPool2d, Op};
use crate::{Graph, GraphError, Layout, Node, NodeId};
use std::collections::BTreeMap;

/// Writes a graph down, node after node.
///
/// Names are relative to the current scope: inside `scope("layer1.0", ..)` the node "conv1" is "layer1.0.conv1" and its
/// weight "layer1.0.conv1.weight"; the node "" is "layer1.0" itself.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    aliases: BTreeMap<String, NodeId>,
    prefix: String,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `f` with `name` put before all names.
    pub fn scope<R>(&mut self, name: &str, f: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.prefix.clone();
        self.prefix = self.full(name);
        let result = f(self);
        self.prefix = outer;
        result
    }

    fn full(&self, name: &str) -> String {
        match (self.prefix.as_str(), name) {
            ("", name) => name.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, name) => format!("{prefix}.{name}"),
        }
    }

    /// A second name for a node, in the current scope.
    pub fn alias(&mut self, name: &str, node: NodeId) {
        self.aliases.insert(self.full(name), node);
    }

    /// How to read a node's value, where it cannot be known from the operation.
    pub fn set_layout(&mut self, node: NodeId, layout: Layout) {
        self.nodes[node.0].layout = layout;
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], weights: &[&str], layout: Layout) -> NodeId {
        let name = self.full(name);
        let weights = weights.iter().map(|weight| format!("{name}.{weight}")).collect();
        self.nodes.push(Node { name, op, inputs: inputs.to_vec(), weights, layout });
        NodeId(self.nodes.len() - 1)
    }

    fn layout(&self, node: NodeId) -> Layout {
        self.nodes[node.0].layout
    }

    /// The picture. Call once.
    pub fn input(&mut self) -> NodeId {
        self.push("input", Op::Input, &[], &[], Layout::Nchw)
    }

    /// A weight as a value; the node is called as the weight.
    pub fn parameter(&mut self, name: &str, shape: &[usize]) -> NodeId {
        let id = self.push(name, Op::Parameter(shape.to_vec()), &[], &[], Layout::Other);
        let weight = self.nodes[id.0].name.clone();
        self.nodes[id.0].weights.push(weight);
        id
    }

    /// A convolution of `(B, C, H, W)`.
    pub fn conv2d(&mut self, name: &str, x: NodeId, conv: Conv2d) -> NodeId {
        let weights: &[&str] = if conv.bias { &["weight", "bias"] } else { &["weight"] };
        self.push(name, Op::Conv2d(conv), &[x], weights, Layout::Nchw)
    }

    /// Batch normalisation of `channels` channels, eps 1e-5.
    pub fn batch_norm(&mut self, name: &str, x: NodeId, channels: usize) -> NodeId {
        let weights = ["weight", "bias", "running_mean", "running_var"];
        self.push(name, Op::BatchNorm { channels, eps: 1e-5 }, &[x], &weights, self.layout(x))
    }

    /// Layer normalisation over the last dimension.
    pub fn layer_norm(&mut self, name: &str, x: NodeId, channels: usize, eps: f64) -> NodeId {
        self.push(name, Op::LayerNorm { channels, eps }, &[x], &["weight", "bias"], self.layout(x))
    }

    /// x Wᵀ + b over the last dimension.
    pub fn linear(&mut self, name: &str, x: NodeId, inputs: usize, outputs: usize, bias: bool) -> NodeId {
        let weights: &[&str] = if bias { &["weight", "bias"] } else { &["weight"] };
        self.push(name, Op::Linear { inputs, outputs, bias }, &[x], weights, self.layout(x))
    }

    /// The matrix product of two values, of the second one's transpose if asked.
    pub fn matmul(&mut self, name: &str, a: NodeId, b: NodeId, transpose_second: bool) -> NodeId {
        self.push(name, Op::MatMul { transpose_second }, &[a, b], &[], Layout::Other)
    }

    /// A function of each element.
    pub fn activation(&mut self, name: &str, x: NodeId, activation: Activation) -> NodeId {
        self.push(name, Op::Activation(activation), &[x], &[], self.layout(x))
    }

    /// exp(x) / Σ exp(x) over the last dimension.
    pub fn softmax(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Softmax, &[x], &[], self.layout(x))
    }

    /// The sum of two values; read as the first.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.push(name, Op::Add, &[a, b], &[], self.layout(a))
    }

    /// The product of two values, element by element; read as the first.
    pub fn mul(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.push(name, Op::Mul, &[a, b], &[], self.layout(a))
    }

    /// Times a constant.
    pub fn scale(&mut self, name: &str, x: NodeId, factor: f64) -> NodeId {
        self.push(name, Op::Scale(factor), &[x], &[], self.layout(x))
    }

    /// A max pool of `(B, C, H, W)`.
    pub fn max_pool2d(&mut self, name: &str, x: NodeId, pool: MaxPool2d) -> NodeId {
        self.push(name, Op::MaxPool2d(pool), &[x], &[], Layout::Nchw)
    }

    /// The mean over rows and columns, `(B, C)`.
    pub fn global_average_pool(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::GlobalAveragePool, &[x], &[], Layout::Vector)
    }

    /// Values one after the other along a dimension.
    pub fn concat(&mut self, name: &str, values: &[NodeId], dim: usize) -> NodeId {
        self.push(name, Op::Concat { dim }, values, &[], Layout::Other)
    }

    /// The same elements, other dimensions.
    pub fn reshape(&mut self, name: &str, x: NodeId, extents: &[Extent]) -> NodeId {
        self.push(name, Op::Reshape(extents.to_vec()), &[x], &[], Layout::Other)
    }

    /// Dimensions in another order.
    pub fn permute(&mut self, name: &str, x: NodeId, order: &[usize]) -> NodeId {
        self.push(name, Op::Permute(order.to_vec()), &[x], &[], Layout::Other)
    }

    /// A run of indices along a dimension.
    pub fn narrow(&mut self, name: &str, x: NodeId, dim: usize, start: usize, len: usize) -> NodeId {
        self.push(name, Op::Narrow { dim, start, len }, &[x], &[], Layout::Other)
    }

    /// One index of a dimension, which vanishes.
    pub fn select(&mut self, name: &str, x: NodeId, dim: usize, index: usize) -> NodeId {
        self.push(name, Op::Select { dim, index }, &[x], &[], Layout::Other)
    }

    /// A `(1, ..)`, repeated to the batch size of `like`.
    pub fn expand_batch(&mut self, name: &str, x: NodeId, like: NodeId) -> NodeId {
        self.push(name, Op::ExpandBatch, &[x, like], &[], self.layout(x))
    }

    /// The graph that ends at `output`; nodes it does not need are dropped.
    ///
    /// # Errors
    /// [`GraphError::DuplicateName`].
    pub fn finish(self, output: NodeId) -> Result<Graph, GraphError> {
        let input = self.nodes.iter().position(|node| node.op == Op::Input).unwrap_or(output.0);
        Graph::new(self.nodes, NodeId(input), output, self.aliases)
    }
}

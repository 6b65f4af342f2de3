use crate::ops::{Activation, Binary, Constant, Conv2d, Extent, Op, Pool2d, Reduce, Reduction};
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

    /// Goes on from a graph that is finished, to write another end: its nodes keep their places and names.
    pub fn from_graph(graph: &Graph) -> Self {
        Self { nodes: graph.nodes.clone(), aliases: graph.aliases.clone(), prefix: String::new() }
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

    /// A node with all its fields given; its names are taken as they are, whatever the scope.
    pub fn node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], weights: &[&str], layout: Layout) -> NodeId {
        let name = self.full(name);
        let weights = weights.iter().map(|weight| format!("{name}.{weight}")).collect();
        self.node(Node { name, op, inputs: inputs.to_vec(), weights, layout })
    }

    /// How a node's value is read.
    pub fn layout(&self, node: NodeId) -> Layout {
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

    /// A value that belongs to the architecture.
    pub fn constant(&mut self, name: &str, value: Constant) -> NodeId {
        let id = self.push(name, Op::Constant(value), &[], &[], Layout::Other);
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

    /// timm's `BatchNormAct2d`: a batch norm, the node "name.norm" with the weights "name.weight" and so on, and the
    /// activation after it, the node "name" itself, for that is the module's output.
    pub fn batch_norm_act(&mut self, name: &str, x: NodeId, channels: usize, activation: Activation) -> NodeId {
        let norm = self.batch_norm(name, x, channels);
        let full = self.full(name);
        self.nodes[norm.0].name = format!("{full}.norm");
        self.activation(name, norm, activation)
    }

    /// Layer normalisation over the last dimension.
    pub fn layer_norm(&mut self, name: &str, x: NodeId, channels: usize, eps: f64) -> NodeId {
        self.push(name, Op::LayerNorm { channels, eps }, &[x], &["weight", "bias"], self.layout(x))
    }

    /// timm's `LayerNorm2d` of `(B, C, H, W)`: a layer norm of the channels, the node "name.norm" `(B, H, W, C)` with the
    /// weights "name.weight" and so on, between permutations, of which the last is the node "name" itself.
    pub fn layer_norm2d(&mut self, name: &str, x: NodeId, channels: usize, eps: f64) -> NodeId {
        let x = self.to_nhwc(&format!("{name}.nhwc"), x);
        let norm = self.layer_norm(name, x, channels, eps);
        self.nodes[norm.0].name.push_str(".norm");
        self.to_nchw(name, norm)
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
        self.binary(name, Binary::Add, a, b)
    }

    /// The product of two values, element by element; read as the first.
    pub fn mul(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.binary(name, Binary::Mul, a, b)
    }

    /// A function of two values, element by element; read as the first.
    pub fn binary(&mut self, name: &str, binary: Binary, a: NodeId, b: NodeId) -> NodeId {
        self.push(name, Op::Binary(binary), &[a, b], &[], self.layout(a))
    }

    /// Times a constant.
    pub fn scale(&mut self, name: &str, x: NodeId, factor: f64) -> NodeId {
        self.push(name, Op::Scale(factor), &[x], &[], self.layout(x))
    }

    /// A max pool of `(B, C, H, W)`.
    pub fn max_pool2d(&mut self, name: &str, x: NodeId, pool: Pool2d) -> NodeId {
        self.push(name, Op::MaxPool2d(pool), &[x], &[], Layout::Nchw)
    }

    /// An average pool of `(B, C, H, W)`; `count_padding`: padding counts, as zeros.
    pub fn avg_pool2d(&mut self, name: &str, x: NodeId, pool: Pool2d, count_padding: bool) -> NodeId {
        self.push(name, Op::AvgPool2d { pool, count_padding }, &[x], &[], Layout::Nchw)
    }

    /// Mean, sum or maximum over dimensions, which stay with length 1 if asked.
    pub fn reduce(&mut self, name: &str, x: NodeId, how: Reduction, dims: &[usize], keep: bool) -> NodeId {
        self.push(name, Op::Reduce(Reduce { how, dims: dims.to_vec(), keep }), &[x], &[], Layout::Other)
    }

    /// The mean over rows and columns, `(B, C)`.
    pub fn global_average_pool(&mut self, name: &str, x: NodeId) -> NodeId {
        let mean = self.reduce(name, x, Reduction::Mean, &[2, 3], false);
        self.set_layout(mean, Layout::Vector);
        mean
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

    /// `(B, C, H, W)` to `(B, H, W, C)`.
    pub fn to_nhwc(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Permute(vec![0, 2, 3, 1]), &[x], &[], Layout::Nhwc)
    }

    /// `(B, H, W, C)` to `(B, C, H, W)`.
    pub fn to_nchw(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Permute(vec![0, 3, 1, 2]), &[x], &[], Layout::Nchw)
    }

    /// A run of indices along a dimension.
    pub fn narrow(&mut self, name: &str, x: NodeId, dim: usize, start: usize, len: usize) -> NodeId {
        self.push(name, Op::Narrow { dim, start, len }, &[x], &[], Layout::Other)
    }

    /// One index of a dimension, which vanishes.
    pub fn select(&mut self, name: &str, x: NodeId, dim: usize, index: usize) -> NodeId {
        self.push(name, Op::Select { dim, index }, &[x], &[], Layout::Other)
    }

    /// Some indices of a dimension, in any order, also more than once.
    pub fn index_select(&mut self, name: &str, x: NodeId, dim: usize, indices: &[u32]) -> NodeId {
        self.push(name, Op::IndexSelect { dim, indices: indices.into() }, &[x], &[], Layout::Other)
    }

    /// Elements moved `shift` places along a dimension, round its end.
    pub fn roll(&mut self, name: &str, x: NodeId, dim: usize, shift: i32) -> NodeId {
        self.push(name, Op::Roll { dim, shift }, &[x], &[], self.layout(x))
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

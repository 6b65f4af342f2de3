use crate::ops::{Activation, Binary, Constant, Conv2d, Extent, Op, Pool2d, Reduce, Reduction};
use crate::{Graph, GraphError, Layout, Node, NodeId};
use std::collections::BTreeMap;

/// Builds a graph node by node.
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
    /// Creates a builder without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues a finished graph, for example to give it another head. Its nodes keep their ids and names.
    pub fn from_graph(graph: &Graph) -> Self {
        Self { nodes: graph.nodes.clone(), aliases: graph.aliases.clone(), prefix: String::new() }
    }

    /// Runs `f` with `name` as a prefix of all names.
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

    /// Gives a node a second name in the current scope.
    pub fn alias(&mut self, name: &str, node: NodeId) {
        self.aliases.insert(self.full(name), node);
    }

    /// Sets the layout of a node's value if it cannot be known from the operation.
    pub fn set_layout(&mut self, node: NodeId, layout: Layout) {
        self.nodes[node.0].layout = layout;
    }

    /// Adds a node as it is. The current scope does not change its names.
    pub fn node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], weights: &[&str], layout: Layout) -> NodeId {
        let name = self.full(name);
        let weights = weights.iter().map(|weight| format!("{name}.{weight}")).collect();
        self.node(Node { name, op, inputs: inputs.to_vec(), weights, layout })
    }

    /// Returns the layout of a node's value.
    pub fn layout(&self, node: NodeId) -> Layout {
        self.nodes[node.0].layout
    }

    /// Adds the input node, the images `(B, C, H, W)`. Call this once.
    pub fn input(&mut self) -> NodeId {
        self.push("input", Op::Input, &[], &[], Layout::Nchw)
    }

    /// Adds a weight as a value. The node has the name of the weight.
    pub fn parameter(&mut self, name: &str, shape: &[usize]) -> NodeId {
        let id = self.push(name, Op::Parameter(shape.to_vec()), &[], &[], Layout::Other);
        let weight = self.nodes[id.0].name.clone();
        self.nodes[id.0].weights.push(weight);
        id
    }

    /// Adds a value that belongs to the architecture.
    pub fn constant(&mut self, name: &str, value: Constant) -> NodeId {
        let id = self.push(name, Op::Constant(value), &[], &[], Layout::Other);
        let weight = self.nodes[id.0].name.clone();
        self.nodes[id.0].weights.push(weight);
        id
    }

    /// Adds a convolution of `(B, C, H, W)` with the weights "weight" and, if it has one, "bias".
    pub fn conv2d(&mut self, name: &str, x: NodeId, conv: Conv2d) -> NodeId {
        let weights: &[&str] = if conv.bias { &["weight", "bias"] } else { &["weight"] };
        self.push(name, Op::Conv2d(conv), &[x], weights, Layout::Nchw)
    }

    /// Adds a batch normalization of `channels` channels, with eps 1e-5.
    pub fn batch_norm(&mut self, name: &str, x: NodeId, channels: usize) -> NodeId {
        let weights = ["weight", "bias", "running_mean", "running_var"];
        self.push(name, Op::BatchNorm { channels, eps: 1e-5 }, &[x], &weights, self.layout(x))
    }

    /// Adds timm's `BatchNormAct2d`: a batch norm, which is the node "name.norm" with the weights "name.weight" and so on, and
    /// an activation, which is the node "name" because its value is the module's output.
    pub fn batch_norm_act(&mut self, name: &str, x: NodeId, channels: usize, activation: Activation) -> NodeId {
        let norm = self.batch_norm(name, x, channels);
        let full = self.full(name);
        self.nodes[norm.0].name = format!("{full}.norm");
        self.activation(name, norm, activation)
    }

    /// Adds a layer normalization over the last dimension.
    pub fn layer_norm(&mut self, name: &str, x: NodeId, channels: usize, eps: f64) -> NodeId {
        self.push(name, Op::LayerNorm { channels, eps }, &[x], &["weight", "bias"], self.layout(x))
    }

    /// Adds timm's `LayerNorm2d` of `(B, C, H, W)`: a layer norm of the channels between two permutations. The norm is the node
    /// "name.norm" `(B, H, W, C)` with the weights "name.weight" and so on; the last permutation is the node "name".
    pub fn layer_norm2d(&mut self, name: &str, x: NodeId, channels: usize, eps: f64) -> NodeId {
        let x = self.to_nhwc(&format!("{name}.nhwc"), x);
        let norm = self.layer_norm(name, x, channels, eps);
        self.nodes[norm.0].name.push_str(".norm");
        self.to_nchw(name, norm)
    }

    /// Adds x Wᵀ + b over the last dimension, with the weights "weight" and, if `bias` is true, "bias".
    pub fn linear(&mut self, name: &str, x: NodeId, inputs: usize, outputs: usize, bias: bool) -> NodeId {
        let weights: &[&str] = if bias { &["weight", "bias"] } else { &["weight"] };
        self.push(name, Op::Linear { inputs, outputs, bias }, &[x], weights, self.layout(x))
    }

    /// Adds the matrix product of two values over their last two dimensions; with `transpose_second`, of `a` and `b`ᵀ.
    pub fn matmul(&mut self, name: &str, a: NodeId, b: NodeId, transpose_second: bool) -> NodeId {
        self.push(name, Op::MatMul { transpose_second }, &[a, b], &[], Layout::Other)
    }

    /// Adds a function of each element.
    pub fn activation(&mut self, name: &str, x: NodeId, activation: Activation) -> NodeId {
        self.push(name, Op::Activation(activation), &[x], &[], self.layout(x))
    }

    /// Adds exp(x) / Σ exp(x) over the last dimension.
    pub fn softmax(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Softmax, &[x], &[], self.layout(x))
    }

    /// Adds the sum of two values. It has the layout of the first.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.binary(name, Binary::Add, a, b)
    }

    /// Adds the elementwise product of two values. It has the layout of the first.
    pub fn mul(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
        self.binary(name, Binary::Mul, a, b)
    }

    /// Adds an elementwise function of two values. It has the layout of the first.
    pub fn binary(&mut self, name: &str, binary: Binary, a: NodeId, b: NodeId) -> NodeId {
        self.push(name, Op::Binary(binary), &[a, b], &[], self.layout(a))
    }

    /// Adds the product with a constant.
    pub fn scale(&mut self, name: &str, x: NodeId, factor: f64) -> NodeId {
        self.push(name, Op::Scale(factor), &[x], &[], self.layout(x))
    }

    /// Adds a max pool of `(B, C, H, W)`.
    pub fn max_pool2d(&mut self, name: &str, x: NodeId, pool: Pool2d) -> NodeId {
        self.push(name, Op::MaxPool2d(pool), &[x], &[], Layout::Nchw)
    }

    /// Adds an average pool of `(B, C, H, W)`. With `count_padding` the padding counts as zeros.
    pub fn avg_pool2d(&mut self, name: &str, x: NodeId, pool: Pool2d, count_padding: bool) -> NodeId {
        self.push(name, Op::AvgPool2d { pool, count_padding }, &[x], &[], Layout::Nchw)
    }

    /// Adds a mean, sum or maximum over dimensions. With `keep` they are kept with length 1.
    pub fn reduce(&mut self, name: &str, x: NodeId, how: Reduction, dims: &[usize], keep: bool) -> NodeId {
        self.push(name, Op::Reduce(Reduce { how, dims: dims.to_vec(), keep }), &[x], &[], Layout::Other)
    }

    /// Adds the mean over rows and columns of `(B, C, H, W)`, which is `(B, C)`.
    pub fn global_average_pool(&mut self, name: &str, x: NodeId) -> NodeId {
        let mean = self.reduce(name, x, Reduction::Mean, &[2, 3], false);
        self.set_layout(mean, Layout::Vector);
        mean
    }

    /// Adds the values one after the other along a dimension.
    pub fn concat(&mut self, name: &str, values: &[NodeId], dim: usize) -> NodeId {
        self.push(name, Op::Concat { dim }, values, &[], Layout::Other)
    }

    /// Adds a reshape: the same elements with other dimensions.
    pub fn reshape(&mut self, name: &str, x: NodeId, extents: &[Extent]) -> NodeId {
        self.push(name, Op::Reshape(extents.to_vec()), &[x], &[], Layout::Other)
    }

    /// Adds a permutation of the dimensions: dimension i of the value is dimension `order[i]` of `x`.
    pub fn permute(&mut self, name: &str, x: NodeId, order: &[usize]) -> NodeId {
        self.push(name, Op::Permute(order.to_vec()), &[x], &[], Layout::Other)
    }

    /// Adds the permutation from `(B, C, H, W)` to `(B, H, W, C)`.
    pub fn to_nhwc(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Permute(vec![0, 2, 3, 1]), &[x], &[], Layout::Nhwc)
    }

    /// Adds the permutation from `(B, H, W, C)` to `(B, C, H, W)`.
    pub fn to_nchw(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Permute(vec![0, 3, 1, 2]), &[x], &[], Layout::Nchw)
    }

    /// Adds the `len` indices from `start` on along a dimension.
    pub fn narrow(&mut self, name: &str, x: NodeId, dim: usize, start: usize, len: usize) -> NodeId {
        self.push(name, Op::Narrow { dim, start, len }, &[x], &[], Layout::Other)
    }

    /// Adds one index of a dimension, which is removed.
    pub fn select(&mut self, name: &str, x: NodeId, dim: usize, index: usize) -> NodeId {
        self.push(name, Op::Select { dim, index }, &[x], &[], Layout::Other)
    }

    /// Adds any indices of a dimension, in any order and with repetitions.
    pub fn index_select(&mut self, name: &str, x: NodeId, dim: usize, indices: &[u32]) -> NodeId {
        self.push(name, Op::IndexSelect { dim, indices: indices.into() }, &[x], &[], Layout::Other)
    }

    /// Adds the elements moved by `shift` along a dimension. Those that leave at the end return at the start.
    pub fn roll(&mut self, name: &str, x: NodeId, dim: usize, shift: i32) -> NodeId {
        self.push(name, Op::Roll { dim, shift }, &[x], &[], self.layout(x))
    }

    /// Adds `x` `(1, ..)`, repeated to the batch size of `like`.
    pub fn expand_batch(&mut self, name: &str, x: NodeId, like: NodeId) -> NodeId {
        self.push(name, Op::ExpandBatch, &[x, like], &[], self.layout(x))
    }

    /// Returns the graph that ends at `output`, without the nodes that it does not need.
    ///
    /// # Errors
    /// Returns [`GraphError::DuplicateName`] if two of its nodes have the same name.
    pub fn finish(self, output: NodeId) -> Result<Graph, GraphError> {
        let input = self.nodes.iter().position(|node| node.op == Op::Input).unwrap_or(output.0);
        Graph::new(self.nodes, NodeId(input), output, self.aliases)
    }
}

//! Which nodes are computed together.

use hard_imagenet_cpu::Activation;
use hard_imagenet_graph::{Binary, Graph, Node, NodeId, Op};
use std::collections::HashMap;

/// A node and what is computed in the same pass over memory: act(residual + scale · node).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    /// The convolution, layer, sum or norm at the beginning. Its inputs and weights are those of the chain.
    pub(crate) host: usize,
    /// A constant factor for each output channel, folded into the weights.
    pub(crate) scale: Option<usize>,
    /// A value of the same shape that is added.
    pub(crate) residual: Option<usize>,
    /// The activation at the end.
    pub(crate) activation: Option<Activation>,
}

/// The nodes of an attention: softmax(scale · q kᵀ + added) v.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AttentionNodes {
    pub(crate) q: usize,
    pub(crate) k: usize,
    /// Whether the keys are `(.., keys, length)` and not `(.., length, keys)`.
    pub(crate) keys_are_rows: bool,
    pub(crate) v: usize,
    pub(crate) scale: f64,
    pub(crate) added: Vec<usize>,
    /// The node whose shape without the last two dimensions counts the heads.
    pub(crate) softmax: usize,
}

/// What the nodes of a graph become.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fusion {
    /// By the node at the end of a chain, whose value the chain computes.
    pub(crate) chains: HashMap<usize, Chain>,
    /// By the last matrix product.
    pub(crate) attentions: HashMap<usize, AttentionNodes>,
    /// The nodes whose values are never computed by themselves, with the node at whose place they are.
    pub(crate) absorbed: HashMap<usize, usize>,
}

/// What is known about the nodes of a graph for one request.
pub(crate) struct Facts<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) shapes: &'a [Vec<usize>],
    /// Whether the value is needed and depends on the images.
    pub(crate) computed: &'a [bool],
    /// Whether the value is needed and the same for all images.
    pub(crate) constant: &'a [bool],
    /// The nodes that read each value, each as often as it does.
    pub(crate) readers: &'a [Vec<usize>],
    pub(crate) wanted: &'a [NodeId],
}

impl Facts<'_> {
    fn node(&self, i: usize) -> &Node {
        &self.graph.nodes()[i]
    }

    /// Returns the only reader of a node's value that nobody else wants.
    fn only_reader(&self, i: usize) -> Option<usize> {
        match self.readers[i][..] {
            [reader] if !self.wanted.iter().any(|id| id.index() == i) => Some(reader),
            _ => None,
        }
    }

    fn input(&self, i: usize, which: usize) -> Option<usize> {
        self.node(i).inputs.get(which).map(|id| id.index())
    }
}

/// Finds the nodes to compute together. A wanted node is never absorbed.
pub(crate) fn find(facts: &Facts<'_>) -> Fusion {
    let mut fusion = Fusion::default();
    for i in (0..facts.shapes.len()).filter(|&i| facts.computed[i]) {
        if facts.node(i).op == Op::Softmax {
            fusion.add_attention(facts, i);
        }
    }
    for i in (0..facts.shapes.len()).filter(|&i| facts.computed[i]) {
        fusion.add_chain(facts, i);
    }
    fusion
}

impl Fusion {
    fn add_chain(&mut self, facts: &Facts<'_>, host: usize) {
        let is_product = matches!(facts.node(host).op, Op::Conv2d(_) | Op::Linear { .. });
        let is_depthwise =
            matches!(facts.node(host).op, Op::Conv2d(conv) if conv.groups > 1 && conv.groups == conv.inputs);
        let has_activation = is_product || matches!(facts.node(host).op, Op::Binary(_) | Op::BatchNorm { .. });
        if self.absorbed.contains_key(&host) || self.attentions.contains_key(&host) || !has_activation {
            return;
        }
        let mut chain = Chain { host, ..Chain::default() };
        let (mut end, mut inside) = (host, Vec::new());
        while let Some(reader) = facts.only_reader(end) {
            let taken = [self.absorbed.contains_key(&reader), self.attentions.contains_key(&reader)];
            if taken.contains(&true) || self.chains.contains_key(&reader) {
                break;
            }
            match &facts.node(reader).op {
                Op::Binary(Binary::Mul) if is_product && end == host => {
                    let Some(scale) = channel_factor(facts, host, reader) else { break };
                    chain.scale = Some(scale);
                }
                Op::Binary(Binary::Add) if is_product && !is_depthwise && chain.residual.is_none() => {
                    let other = (0..2).filter_map(|which| facts.input(reader, which)).find(|input| *input != end);
                    let Some(other) = other.filter(|other| facts.shapes[*other] == facts.shapes[end]) else { break };
                    chain.residual = Some(other);
                }
                Op::Activation(activation) => {
                    chain.activation = Some(*activation);
                    inside.push(end);
                    end = reader;
                    break;
                }
                _ => break,
            }
            inside.push(end);
            end = reader;
        }
        if end != host {
            self.absorbed.extend(inside.into_iter().map(|node| (node, end)));
            self.chains.insert(end, chain);
        }
    }

    fn add_attention(&mut self, facts: &Facts<'_>, softmax: usize) {
        let Some((nodes, end, inside)) = match_attention(facts, softmax) else { return };
        if inside.iter().any(|node| self.absorbed.contains_key(node)) {
            return;
        }
        self.absorbed.extend(inside.into_iter().map(|node| (node, end)));
        self.attentions.insert(end, nodes);
    }
}

/// Returns the constant with which `product` multiplies each output channel of `host`, if that is what it does.
fn channel_factor(facts: &Facts<'_>, host: usize, product: usize) -> Option<usize> {
    let factor = (0..2).filter_map(|which| facts.input(product, which)).find(|input| *input != host)?;
    let channel = match facts.node(host).op {
        Op::Conv2d(_) => 1,
        _ => facts.shapes[host].len() - 1,
    };
    let shape = &facts.shapes[factor];
    let from = facts.shapes[host].len().checked_sub(shape.len())?;
    let outputs = facts.shapes[host][channel];
    let fits = shape.iter().enumerate().all(|(d, n)| if d + from == channel { *n == outputs } else { *n == 1 });
    (facts.constant[factor] && fits && shape.iter().product::<usize>() == outputs).then_some(factor)
}

/// Returns the nodes of the attention around a softmax, its last node, and all others whose values are not needed.
fn match_attention(facts: &Facts<'_>, softmax: usize) -> Option<(AttentionNodes, usize, Vec<usize>)> {
    let mut inside = vec![softmax];
    // From the softmax back to the product of queries and keys.
    let mut added = Vec::new();
    let mut at = facts.input(softmax, 0)?;
    let (scores, mut keys_are_rows) = loop {
        facts.only_reader(at)?;
        inside.push(at);
        match facts.node(at).op {
            Op::MatMul { transpose_second } => break (at, transpose_second),
            Op::Reshape(_) => at = facts.input(at, 0)?,
            Op::Binary(Binary::Add) if facts.shapes[at] == facts.shapes[softmax] => {
                let (a, b) = (facts.input(at, 0)?, facts.input(at, 1)?);
                let (value, other) = if facts.constant[a] { (b, a) } else { (a, b) };
                if !facts.constant[other] {
                    return None;
                }
                added.push(other);
                at = value;
            }
            _ => return None,
        }
    };
    let (mut q, mut k, mut scale) = (facts.input(scores, 0)?, facts.input(scores, 1)?, 1.0);
    for operand in [&mut q, &mut k] {
        if let Op::Scale(factor) = facts.node(*operand).op
            && facts.only_reader(*operand).is_some()
        {
            inside.push(*operand);
            scale *= factor;
            *operand = facts.input(*operand, 0)?;
        }
    }
    // A transposition of the keys alone is a matter of strides.
    if let Op::Permute(order) = &facts.node(k).op {
        let last = order.len().checked_sub(2)?;
        let swaps = (0..last).all(|d| order[d] == d) && order[last..] == [last + 1, last];
        if swaps && facts.only_reader(k).is_some() {
            inside.push(k);
            keys_are_rows = !keys_are_rows;
            k = facts.input(k, 0)?;
        }
    }
    // From the softmax forward to the product with the values.
    let mut at = softmax;
    loop {
        let reader = facts.only_reader(at)?;
        match facts.node(reader).op {
            Op::Reshape(_) => {
                inside.push(reader);
                at = reader;
            }
            Op::MatMul { transpose_second: false } if facts.input(reader, 0) == Some(at) => {
                let v = facts.input(reader, 1)?;
                let rank = facts.shapes[softmax].len();
                // The last two dimensions are queries and keys all along, and all heads have keys and values of their own.
                let ends = |i: usize| &facts.shapes[i][facts.shapes[i].len() - 2..];
                let same = inside[..inside.len()].iter().all(|&i| facts.shapes[i].len() >= 2)
                    && ends(scores) == ends(softmax)
                    && ends(at) == ends(softmax);
                let heads = |i: usize, drop: usize| -> usize {
                    facts.shapes[i][..facts.shapes[i].len() - drop].iter().product()
                };
                let count = heads(softmax, 2);
                let own = [q, k, v].into_iter().all(|i| facts.shapes[i].len() >= 2 && heads(i, 2) == count);
                if !same || !own || rank < 2 || added.len() > crate::kernels::MOST_ADDED || v == at {
                    return None;
                }
                let nodes = AttentionNodes { q, k, keys_are_rows, v, scale, added, softmax };
                return Some((nodes, reader, inside));
            }
            _ => return None,
        }
    }
}

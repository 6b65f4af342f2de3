//! The default nodes for saliency maps and features.

use hard_imagenet_graph::{Graph, GraphError, Layout, NodeId, Op};

/// The part of a value that the output depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Nothing,
    /// At most tokens without a position in the image.
    NoPosition,
    All,
}

/// Returns the node that saliency maps use by default, as in the model zoo: the last node with rows and columns that all affect
/// the output.
///
/// For a convolutional network this is the input of its global pool. For a transformer it is the first norm of its last block,
/// as in the literature: the last norm that the last attention reads, if no convolution comes after that attention.
pub(crate) fn cam_node(graph: &Graph, (height, width): (usize, usize)) -> Result<Option<NodeId>, GraphError> {
    let nodes = graph.nodes();
    let shapes = graph.shapes(&[1, 3, height, width])?;
    let need = needs(graph);
    // A single pixel, as after a global pool, does not count as rows and columns.
    let has_positions = |i: usize| match (nodes[i].layout, shapes[i].as_slice()) {
        (Layout::Nchw, [_, _, h, w]) | (Layout::Nhwc, [_, h, w, _]) => h * w > 1,
        (layout, _) => layout.has_positions(),
    };
    // Linear layers are skipped, because their values may be queries or keys.
    let suitable = |&i: &usize| need[i] == Need::All && has_positions(i) && !matches!(nodes[i].op, Op::Linear { .. });
    let norm = last_attention(graph).and_then(|attention| {
        let read = ancestors(graph, attention);
        (0..attention).rev().find(|i| read[*i] && suitable(i) && matches!(nodes[*i].op, Op::LayerNorm { .. }))
    });
    let last = norm.or_else(|| (0..nodes.len()).rev().find(suitable));
    last.map(|i| graph.find(&nodes[i].name)).transpose()
}

/// Returns the last softmax, unless a convolution comes after it.
fn last_attention(graph: &Graph) -> Option<usize> {
    let last = graph.nodes().iter().rposition(|node| matches!(node.op, Op::Softmax | Op::Conv2d(_)))?;
    matches!(graph.nodes()[last].op, Op::Softmax).then_some(last)
}

/// Returns for each node whether the node at index `of` depends on it.
fn ancestors(graph: &Graph, of: usize) -> Vec<bool> {
    let mut found = vec![false; graph.nodes().len()];
    found[of] = true;
    for i in (0..=of).rev() {
        if found[i] {
            graph.nodes()[i].inputs.iter().for_each(|input| found[input.index()] = true);
        }
    }
    found
}

/// Returns for each node the part of its value that the output depends on. After the last attention of a transformer that
/// reads its class token, only that token matters.
fn needs(graph: &Graph) -> Vec<Need> {
    let nodes = graph.nodes();
    let mut need = vec![Need::Nothing; nodes.len()];
    need[graph.output().index()] = Need::All;
    for (i, node) in nodes.iter().enumerate().rev() {
        for input in &node.inputs {
            let tokens = match nodes[input.index()].layout {
                Layout::Tokens { prefix, h, w } => Some(prefix..prefix + h * w),
                _ => None,
            };
            let taken = match (&node.op, tokens) {
                (Op::Select { dim: 1, index }, Some(positions)) if !positions.contains(index) => Need::NoPosition,
                (Op::Narrow { dim: 1, start, len }, Some(positions))
                    if start + len <= positions.start || *start >= positions.end =>
                {
                    Need::NoPosition
                }
                (Op::IndexSelect { dim: 1, indices }, Some(positions))
                    if indices.iter().all(|at| !positions.contains(&(*at as usize))) =>
                {
                    Need::NoPosition
                }
                // Operations that work token by token need of the input what is needed of the value.
                (Op::Activation(_) | Op::Binary(_) | Op::Scale(_) | Op::Linear { .. } | Op::LayerNorm { .. }, _)
                    if node.layout == nodes[input.index()].layout =>
                {
                    need[i]
                }
                _ if need[i] == Need::Nothing => Need::Nothing,
                _ => Need::All,
            };
            let known = &mut need[input.index()];
            *known = taken.max(*known);
        }
    }
    need
}

/// Returns the node at the input of the last linear layer if its value is `(B, D)`, otherwise the output.
pub(crate) fn feature_node(graph: &Graph, (height, width): (usize, usize)) -> Result<String, GraphError> {
    let shapes = graph.shapes(&[1, 3, height, width])?;
    let last = graph.nodes().iter().rev().find(|node| matches!(node.op, Op::Linear { .. }));
    let input = last.map(|node| node.inputs[0]).filter(|id| shapes[id.index()].len() == 2);
    Ok(graph.node(input.unwrap_or(graph.output())).name.clone())
}

//! Where to look from, where nobody says.

use hard_imagenet_graph::{Graph, GraphError, Layout, NodeId, Op};

/// How much of a value the output depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Nothing,
    /// Tokens without a place in the picture, at most.
    NoPlace,
    All,
}

/// The node that the zoo looks from in a network of that kind, or else the last one with rows and columns all of which
/// matter to the output.
///
/// For a convolutional network that is the input of its global pool. For a transformer it is the first norm of its last
/// block, as in the literature: the last one that the last attention reads, if no convolution comes after that.
pub(crate) fn cam_node(graph: &Graph, (height, width): (usize, usize)) -> Result<Option<NodeId>, GraphError> {
    let nodes = graph.nodes();
    let shapes = graph.shapes(&[1, 3, height, width])?;
    let need = needs(graph);
    // A single pixel, as behind a global pool, is no place.
    let several = |i: usize| match (nodes[i].layout, shapes[i].as_slice()) {
        (Layout::Nchw, [_, _, h, w]) | (Layout::Nhwc, [_, h, w, _]) => h * w > 1,
        (layout, _) => layout.has_positions(),
    };
    // The value of a linear layer may be queries or keys.
    let place = |&i: &usize| need[i] == Need::All && several(i) && !matches!(nodes[i].op, Op::Linear { .. });
    let norm = last_attention(graph).and_then(|attention| {
        let read = ancestors(graph, attention);
        (0..attention).rev().find(|i| read[*i] && place(i) && matches!(nodes[*i].op, Op::LayerNorm { .. }))
    });
    let last = norm.or_else(|| (0..nodes.len()).rev().find(place));
    last.map(|i| graph.find(&nodes[i].name)).transpose()
}

/// The last softmax, unless a convolution comes after it.
fn last_attention(graph: &Graph) -> Option<usize> {
    let last = graph.nodes().iter().rposition(|node| matches!(node.op, Op::Softmax | Op::Conv2d(_)))?;
    matches!(graph.nodes()[last].op, Op::Softmax).then_some(last)
}

/// For each node, is it one that the given one is made of?
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

/// How much of each node's value the output depends on. Behind the last attention of a transformer that reads its class
/// token, only that token counts.
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
                (Op::Select { dim: 1, index }, Some(places)) if !places.contains(index) => Need::NoPlace,
                (Op::Narrow { dim: 1, start, len }, Some(places))
                    if start + len <= places.start || *start >= places.end =>
                {
                    Need::NoPlace
                }
                (Op::IndexSelect { dim: 1, indices }, Some(places))
                    if indices.iter().all(|at| !places.contains(&(*at as usize))) =>
                {
                    Need::NoPlace
                }
                // Token by token: what is needed of the value is needed of the input.
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

/// The input of the last linear layer, where it is `(B, D)`; else the output.
pub(crate) fn feature_node(graph: &Graph, (height, width): (usize, usize)) -> Result<String, GraphError> {
    let shapes = graph.shapes(&[1, 3, height, width])?;
    let last = graph.nodes().iter().rev().find(|node| matches!(node.op, Op::Linear { .. }));
    let input = last.map(|node| node.inputs[0]).filter(|id| shapes[id.index()].len() == 2);
    Ok(graph.node(input.unwrap_or(graph.output())).name.clone())
}

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

/// The last node with rows and columns all of which matter to the output. For a convolutional network that is the input
/// of its global pool; for a transformer that reads its class token, the first norm of its last block, as behind the
/// last attention only that token counts. A linear layer does not count: its value may be queries or keys.
pub(crate) fn last_with_places(graph: &Graph, (height, width): (usize, usize)) -> Result<Option<NodeId>, GraphError> {
    let nodes = graph.nodes();
    let shapes = graph.shapes(&[1, 3, height, width])?;
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
    // A single pixel, as behind a global pool, is no place.
    let several = |i: usize| match (nodes[i].layout, shapes[i].as_slice()) {
        (Layout::Nchw, [_, _, h, w]) | (Layout::Nhwc, [_, h, w, _]) => h * w > 1,
        (layout, _) => layout.has_places(),
    };
    let place = |&i: &usize| need[i] == Need::All && several(i) && !matches!(nodes[i].op, Op::Linear { .. });
    (0..nodes.len()).rev().find(place).map(|i| graph.find(&nodes[i].name)).transpose()
}

/// The input of the last linear layer, where it is `(B, D)`; else the output.
pub(crate) fn features(graph: &Graph, (height, width): (usize, usize)) -> Result<String, GraphError> {
    let shapes = graph.shapes(&[1, 3, height, width])?;
    let last = graph.nodes().iter().rev().find(|node| matches!(node.op, Op::Linear { .. }));
    let input = last.map(|node| node.inputs[0]).filter(|id| shapes[id.index()].len() == 2);
    Ok(graph.node(input.unwrap_or(graph.output())).name.clone())
}

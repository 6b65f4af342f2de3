//! The meaning of each axis of a value, tracked from the images through the network.
//!
//! It makes saliency maps possible at any node with rows and columns, wherever an exporter put these axes.

use hard_imagenet_graph::{Layout, Op};

/// The meaning of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Batch,
    Channel,
    Row,
    Column,
    /// Tokens: `prefix` without a position, then h · w with one, then perhaps more without.
    Position {
        prefix: usize,
        h: usize,
        w: usize,
    },
    Other,
}

/// An input of an operation: its shape, and its axes if it depends on the images.
pub(crate) type Operand<'a> = (&'a [usize], Option<&'a [Axis]>);

/// Returns the axes of the value of `op`, which has the given shape.
pub(crate) fn infer(op: &Op, inputs: &[Operand<'_>], shape: &[usize]) -> Vec<Axis> {
    let other = || vec![Axis::Other; shape.len()];
    let Some((x, Some(axes))) = inputs.iter().find(|(_, axes)| axes.is_some()).copied() else { return other() };
    match op {
        Op::Conv2d(_) | Op::MaxPool2d(_) | Op::AvgPool2d { .. } => {
            vec![Axis::Batch, Axis::Channel, Axis::Row, Axis::Column]
        }
        Op::BatchNorm { .. } | Op::LayerNorm { .. } | Op::Activation(_) | Op::Softmax | Op::Scale(_) => axes.to_vec(),
        Op::Roll { .. } | Op::ExpandBatch => axes.to_vec(),
        Op::Linear { .. } => with_last(axes, |last| if last == Axis::Channel { last } else { Axis::Other }),
        Op::Binary(_) => {
            let whole = |(s, axes): &Operand<'_>| axes.filter(|_| *s == shape).map(<[Axis]>::to_vec);
            let known = inputs.iter().filter_map(whole);
            known.max_by_key(|axes| usize::from(layout(axes).has_positions())).unwrap_or_else(other)
        }
        Op::Permute(order) => order.iter().map(|&dim| axes[dim]).collect(),
        Op::Narrow { dim, start, len } => changed(axes, *dim, |axis| match axis {
            Axis::Position { prefix, h, w } if *start <= prefix && prefix + h * w <= start + len => {
                Axis::Position { prefix: prefix - start, h, w }
            }
            Axis::Position { .. } => Axis::Other,
            axis => axis,
        }),
        Op::IndexSelect { dim, .. } | Op::Pad(hard_imagenet_graph::Pad { dim, .. }) => {
            changed(axes, *dim, |axis| if matches!(axis, Axis::Position { .. }) { Axis::Other } else { axis })
        }
        Op::Select { dim, .. } => axes.iter().enumerate().filter(|(i, _)| i != dim).map(|(_, axis)| *axis).collect(),
        Op::Reduce(reduce) => {
            let kept = |i: &usize| reduce.keep || !reduce.dims.contains(i);
            let axis = |i: usize| if reduce.dims.contains(&i) { Axis::Other } else { axes[i] };
            (0..axes.len()).filter(kept).map(axis).collect()
        }
        Op::Concat { dim } => concatenated(inputs, *dim).unwrap_or_else(other),
        Op::Reshape(_) => reshaped(x, axes, shape),
        _ => other(),
    }
}

fn changed(axes: &[Axis], dim: usize, f: impl Fn(Axis) -> Axis) -> Vec<Axis> {
    axes.iter().enumerate().map(|(i, &axis)| if i == dim { f(axis) } else { axis }).collect()
}

fn with_last(axes: &[Axis], f: impl Fn(Axis) -> Axis) -> Vec<Axis> {
    changed(axes, axes.len().wrapping_sub(1), f)
}

/// Concatenates axes. Tokens before or after those of the image have no position in it.
fn concatenated(inputs: &[Operand<'_>], dim: usize) -> Option<Vec<Axis>> {
    let has_position = |(_, axes): &Operand<'_>| axes.is_some_and(|axes| matches!(axes[dim], Axis::Position { .. }));
    let Some(at) = inputs.iter().position(has_position) else {
        return inputs.iter().find_map(|(_, axes)| *axes).map(Into::into);
    };
    let before: usize = inputs[..at].iter().map(|(shape, _)| shape[dim]).sum();
    let move_prefix = |axis| match axis {
        Axis::Position { prefix, h, w } => Axis::Position { prefix: prefix + before, h, w },
        axis => axis,
    };
    inputs[at].1.map(|axes| changed(axes, dim, move_prefix))
}

/// Returns the axes after a reshape.
///
/// Dimensions are matched in groups with equal products. Rows and columns that become one axis are positions, and positions
/// that become two axes are rows and columns. Rows split into blocks are rows of blocks. Otherwise the meaning is lost.
fn reshaped(x: &[usize], axes: &[Axis], shape: &[usize]) -> Vec<Axis> {
    let mut result = vec![Axis::Other; shape.len()];
    let (mut i, mut o) = (0, 0);
    while i < x.len() && o < shape.len() {
        let (start, first) = (i, o);
        let (mut before, mut after) = (x[i], shape[o]);
        (i, o) = (i + 1, o + 1);
        while before != after {
            if before < after && i < x.len() {
                before *= x[i];
                i += 1;
            } else if o < shape.len() && before > after {
                after *= shape[o];
                o += 1;
            } else {
                return result;
            }
        }
        match (&axes[start..i], &shape[first..o]) {
            ([axis], [_]) => result[first] = *axis,
            ([Axis::Row, Axis::Column], [_]) => {
                result[first] = Axis::Position { prefix: 0, h: x[start], w: x[start + 1] }
            }
            (&[Axis::Position { prefix: 0, h, w }], &[rows, columns]) if (rows, columns) == (h, w) => {
                (result[first], result[first + 1]) = (Axis::Row, Axis::Column);
            }
            // Blocks of rows or columns, and the position within a block.
            ([axis @ (Axis::Row | Axis::Column)], [blocks, _]) if *blocks > 1 => result[first] = *axis,
            // The positions within a block become more channels.
            ([within @ .., Axis::Channel], [_]) if within.iter().all(|axis| *axis == Axis::Other) => {
                result[first] = Axis::Channel;
            }
            _ => {}
        }
    }
    result
}

/// Returns the layout that a graph uses for these axes.
pub(crate) fn layout(axes: &[Axis]) -> Layout {
    match *axes {
        [Axis::Batch, Axis::Channel, Axis::Row, Axis::Column] => Layout::Nchw,
        [Axis::Batch, Axis::Row, Axis::Column, Axis::Channel] => Layout::Nhwc,
        [Axis::Batch, Axis::Position { prefix, h, w }, Axis::Channel] => Layout::Tokens { prefix, h, w },
        [Axis::Batch, Axis::Channel] => Layout::Vector,
        _ => Layout::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_graph::{Reduce, Reduction};

    const NCHW: [Axis; 4] = [Axis::Batch, Axis::Channel, Axis::Row, Axis::Column];

    fn check(steps: &[(Op, &[usize])], want: Layout) {
        let (mut shape, mut axes) = (vec![2, 8, 4, 6], NCHW.to_vec());
        for (op, next) in steps {
            axes = infer(op, &[(&shape, Some(&axes))], next);
            shape = next.to_vec();
        }
        assert_eq!(layout(&axes), want, "{steps:?}");
    }

    #[test]
    fn positions_are_tracked() {
        let (flat, swap) = (Op::Reshape(vec![]), Op::Permute(vec![0, 2, 1]));
        let tokens = [(flat.clone(), &[2, 8, 24][..]), (swap.clone(), &[2, 24, 8])];
        check(&tokens, Layout::Tokens { prefix: 0, h: 4, w: 6 });
        let back = [&tokens[..], &[(flat.clone(), &[2, 4, 6, 8])]].concat();
        check(&back, Layout::Nhwc);
        check(&[(Op::Permute(vec![0, 2, 3, 1]), &[2, 4, 6, 8])], Layout::Nhwc);
        let blocks = [&back[..], &[(flat.clone(), &[2, 2, 2, 3, 2, 8])]].concat();
        check(&blocks, Layout::Other);
        let merged = [(Op::Permute(vec![0, 1, 3, 4, 2, 5]), &[2, 2, 3, 2, 2, 8][..]), (flat.clone(), &[2, 2, 3, 32])];
        check(&[&blocks[..], &merged].concat(), Layout::Nhwc);
        let mean = Reduce { how: Reduction::Mean, dims: vec![2, 3], keep: false };
        check(&[(Op::Reduce(mean), &[2, 8]), (flat, &[2, 8])], Layout::Vector);
    }

    #[test]
    fn tokens_without_a_position_are_counted() {
        let tokens = |prefix| [Axis::Batch, Axis::Position { prefix, h: 4, w: 6 }, Axis::Channel];
        let inputs: [Operand<'_>; 2] = [(&[2, 3, 8], None), (&[2, 24, 8], Some(&tokens(0)))];
        assert_eq!(infer(&Op::Concat { dim: 1 }, &inputs, &[2, 27, 8]), tokens(3));
        let narrow = Op::Narrow { dim: 1, start: 2, len: 25 };
        assert_eq!(infer(&narrow, &[(&[2, 27, 8], Some(&tokens(3)))], &[2, 25, 8]), tokens(1));
        let cut = Op::Narrow { dim: 1, start: 0, len: 3 };
        assert_eq!(layout(&infer(&cut, &[(&[2, 27, 8], Some(&tokens(3)))], &[2, 3, 8])), Layout::Other);
    }
}

//! Convolutions, linear layers, matrix products and attention.

use super::Compiler;
use crate::PlanError;
use crate::fusion::{AttentionNodes, Chain};
use crate::kernels::{self, Group, MOST_ADDED, Product, ResidualFrom, Weights};
use crate::loops::Loops;
use crate::view::View;
use crate::weights::{elements, find};
use hard_imagenet_cpu::bf16::Bf16Weights;
use hard_imagenet_cpu::product::{PackedWeights, Positions, Strides};
use hard_imagenet_graph::{Conv2d, run_from};

/// The weights of a product with everything that is folded into them: `(outputs, taps)` in the order of the checkpoint, and the
/// bias.
pub(super) struct FoldedWeights {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

impl Compiler<'_> {
    /// Returns the weights of a chain's host, multiplied by its factors.
    pub(super) fn folded_weights(&self, chain: &Chain, outputs: usize) -> Result<FoldedWeights, PlanError> {
        let host = &self.graph.nodes()[chain.host];
        let mut weight = find(host, 0, self.weights)?.unwrap_or_default();
        let mut bias = find(host, 1, self.weights)?;
        if let Some(scale) = chain.scale {
            let id = self.graph.find(&self.graph.nodes()[scale].name)?;
            let scale = elements(&run_from(self.graph, self.weights, &[], &[id])?.remove(0))?;
            let taps = weight.len() / outputs;
            weight.chunks_exact_mut(taps).zip(&scale).for_each(|(row, s)| row.iter_mut().for_each(|w| *w *= s));
            bias.iter_mut().for_each(|bias| bias.iter_mut().zip(&scale).for_each(|(b, s)| *b *= s));
        }
        Ok(FoldedWeights { weight, bias })
    }

    /// Packs the weights of a layer, in the precision of the plan.
    fn pack(
        &self,
        chain: &Chain,
        layer: Layer,
        folded: impl Fn() -> Result<FoldedWeights, PlanError>,
        weight: impl Fn(&FoldedWeights, usize, usize) -> f32,
    ) -> Result<Weights, PlanError> {
        let Layer { group, outputs, runs: (runs, run) } = layer;
        let own_bias = |folded: &FoldedWeights| {
            folded.bias.as_ref().map(|bias| bias[group * outputs..(group + 1) * outputs].to_vec())
        };
        if let Some(bf16) = self.bf16 {
            let make = || {
                let folded = folded()?;
                let at = |output: usize, tap: usize| weight(&folded, output, tap);
                Ok(Bf16Weights::pack(bf16, outputs, (runs, run), at, own_bias(&folded).as_deref()))
            };
            return Ok(Weights::Bf16(self.packed.bf16(chain.host, group, chain.scale, make)?));
        }
        let make = || {
            let folded = folded()?;
            let at = |output: usize, tap: usize| weight(&folded, output, tap);
            Ok(PackedWeights::pack(self.isa, outputs, runs * run, at, own_bias(&folded).as_deref()))
        };
        Ok(Weights::Single(self.packed.product(chain.host, group, chain.scale, make)?))
    }

    /// Returns where the sums of a chain start from and where its value lies: where the residual is, if nobody else needs it
    /// there any more.
    pub(super) fn make_chain_output(
        &mut self,
        i: usize,
        chain: &Chain,
        x: &View,
    ) -> Result<(View, ResidualFrom, Option<View>), PlanError> {
        let Some(residual) = chain.residual else { return Ok((self.make_output(i), ResidualFrom::None, None)) };
        let residual = self.value(residual)?;
        let residual =
            if self.orders[i] == [0, 2, 3, 1] { self.channels_last(i, residual)? } else { self.rows(i, residual)? };
        let fits = residual.border == self.borders[i] || self.orders[i] != [0, 2, 3, 1];
        if !self.concats.contains_key(&i)
            && residual.buffer != x.buffer
            && fits
            && residual.strides == self.would_be_view(i).strides
            && self.is_free_after(residual.buffer, i)
        {
            return Ok((residual, ResidualFrom::Output, None));
        }
        let buffer = residual.buffer;
        Ok((self.make_output(i), ResidualFrom::Buffer(buffer), Some(residual)))
    }

    pub(super) fn lower_conv(&mut self, i: usize, chain: &Chain, conv: Conv2d) -> Result<View, PlanError> {
        let input = self.graph.nodes()[chain.host].inputs[0].index();
        let x = self.value(input)?;
        let x = self.bordered(i, x, conv.padding)?;
        let (kh, kw) = conv.kernel;
        let joined = Joined::of(&conv);
        let [row, pixel] = [x.strides[2], x.strides[3]];
        // A row of the window is one run if its pixels are neighbors in memory.
        let whole_rows = conv.groups == 1 && conv.dilation == 1 && pixel == conv.inputs;
        let (offsets, run): (Vec<usize>, usize) = if whole_rows {
            ((0..kh).map(|ky| ky * row).collect(), kw * conv.inputs)
        } else {
            let taps = (0..kh * kw).map(|tap| (tap / kw * row + tap % kw * pixel) * conv.dilation);
            (taps.collect(), joined.inputs)
        };
        let (y, residual, residual_view) = self.make_chain_output(i, chain, &x)?;
        let strides = |view: &View, step: usize| Strides {
            start: view.start,
            by: [view.strides[0], step * view.strides[2], step * view.strides[3]],
        };
        let mut from = strides(&x, conv.stride);
        from.start -= conv.padding * (row + pixel);
        let [images, _, height, width] = y.shape[..] else { return Err(self.unsupported(i, "not an image")) };
        let to = strides(&y, 1);
        let residual_places = residual_view.as_ref().map_or(to, |view| strides(view, 1));
        let positions =
            Positions { counts: [images, height, width], x: from, y: to, residual: residual_places }.joined();
        let mut groups = Vec::new();
        for group in 0..joined.groups {
            let layer = Layer { group, outputs: joined.outputs, runs: (offsets.len(), run) };
            let folded = || self.folded_weights(chain, conv.outputs);
            let weights = self.pack(chain, layer, folded, |folded, output, tap| {
                joined.weight(&conv, group, &folded.weight, output, tap)
            })?;
            groups.push(Group { weights, x: group * joined.inputs, y: group * joined.outputs });
        }
        let footprint = conv.inputs * conv.stride * conv.stride;
        let activation = chain.activation;
        let product = Product { x: x.buffer, offsets, run, footprint, groups, positions, residual, activation };
        self.push(y.buffer, product);
        Ok(y)
    }

    pub(super) fn lower_linear(
        &mut self,
        i: usize,
        chain: &Chain,
        inputs: usize,
        outputs: usize,
    ) -> Result<View, PlanError> {
        let input = self.graph.nodes()[chain.host].inputs[0].index();
        let x = self.value(input)?;
        let mut x = self.rows(i, x)?;
        let (y, residual, residual_view) = self.make_chain_output(i, chain, &x)?;
        let added = residual_view.as_ref().unwrap_or(&y);
        let positions = match row_positions(&x, &y, added) {
            Some(positions) => positions,
            None => {
                x = self.dense(i, x)?;
                row_positions(&x, &y, added).ok_or_else(|| self.unsupported(i, "too many dimensions"))?
            }
        };
        let layer = Layer { group: 0, outputs, runs: (1, inputs) };
        let folded = || self.folded_weights(chain, outputs);
        let weights = self.pack(chain, layer, folded, |folded, o, t| folded.weight[o * inputs + t])?;
        let groups = vec![Group { weights, x: 0, y: 0 }];
        let (offsets, run, footprint, activation) = (vec![0], inputs, inputs, chain.activation);
        self.push(y.buffer, Product { x: x.buffer, offsets, run, footprint, groups, positions, residual, activation });
        Ok(y)
    }

    pub(super) fn lower_matmul(&mut self, i: usize, transpose_second: bool) -> Result<View, PlanError> {
        let inputs = self.graph.nodes()[i].inputs.clone();
        let a = self.value(inputs[0].index())?;
        let a = self.rows(i, a)?;
        let b = self.value(inputs[1].index())?;
        let y = self.make_output(i);
        let rank = y.shape.len();
        let [m, n] = [y.shape[rank - 2], y.shape[rank - 1]];
        let k = a.shape[a.shape.len() - 1];
        let heads = |view: &View| {
            let matrices = view.select(view.shape.len() - 1, 0);
            matrices.select(matrices.shape.len() - 1, 0).broadcast(&y.shape[..rank - 2])
        };
        let loops = Loops::new([&heads(&y), &heads(&a), &heads(&b)])
            .ok_or_else(|| self.unsupported(i, "too many dimensions"))?;
        let last_two = |view: &View| [view.strides[view.strides.len() - 2], view.strides[view.strides.len() - 1]];
        let [row, column] = last_two(&b);
        let b_strides = if transpose_second { [column, row] } else { [row, column] };
        let rows = [last_two(&y)[0], last_two(&a)[0]];
        let (isa, size) = (self.isa, [m, k, n]);
        self.push(y.buffer, kernels::MatMul { isa, a: a.buffer, b: b.buffer, size, rows, b_strides, loops });
        Ok(y)
    }

    pub(super) fn lower_attention(&mut self, i: usize, nodes: &AttentionNodes) -> Result<View, PlanError> {
        let fail = |s: &Self| s.unsupported(i, "heads that are not dimensions of queries, keys and values");
        let shape = self.shapes[nodes.softmax].clone();
        let (heads, ends) = shape.split_at(shape.len() - 2);
        let [queries, keys] = [ends[0], ends[1]];
        // Each operand with the dimensions of the softmax before its last two.
        let mut operands = Vec::new();
        for (node, transposed) in [(nodes.q, false), (nodes.k, !nodes.keys_are_rows), (nodes.v, false)] {
            let mut view = self.value(node)?;
            if transposed {
                let mut order: Vec<usize> = (0..view.shape.len()).collect();
                let last = order.len() - 1;
                order.swap(last, last - 1);
                view = view.permute(&order);
            }
            let view = self.rows(i, view)?;
            let wanted = [heads, &view.shape[view.shape.len() - 2..]].concat();
            let view = match view.reshape(&wanted) {
                Some(view) => view,
                None => self.dense(i, view)?.reshape(&wanted).ok_or_else(|| fail(self))?,
            };
            operands.push(view);
        }
        let [q, k, v] = <[View; 3]>::try_from(operands).map_err(|_| fail(self))?;
        let mut added_views = Vec::new();
        for &node in &nodes.added {
            let view = self.value(node)?.broadcast(&shape);
            added_views.push(self.rows(i, view)?);
        }
        let length = q.shape[q.shape.len() - 1];
        let value_length = v.shape[v.shape.len() - 1];
        // The heads of a token are neighbors, so that joining them is no copy.
        let shape_y = self.shapes[i].clone();
        let rank = shape_y.len();
        let buffer = self.add_arena(shape_y.iter().product());
        let y = if rank >= 3 {
            let order: Vec<usize> = (0..rank - 3).chain([rank - 2, rank - 3, rank - 1]).collect();
            View::in_order(buffer, &shape_y, &order)
        } else {
            View::dense(buffer, &shape_y)
        };
        let y_heads = y.reshape(&[heads, &[queries, value_length]].concat()).ok_or_else(|| fail(self))?;
        let row = |view: &View| view.strides[view.strides.len() - 2];
        let without_rows = |view: &View| {
            let rows = view.select(view.shape.len() - 1, 0);
            rows.select(rows.shape.len() - 1, 0)
        };
        let views = [&y_heads, &q, &k, &v].map(without_rows);
        let added_heads: [View; MOST_ADDED] =
            std::array::from_fn(|n| added_views.get(n).map_or_else(|| views[1].clone(), without_rows));
        let loops = Loops::new([&views[0], &views[1], &views[2], &views[3], &added_heads[0], &added_heads[1]])
            .ok_or_else(|| self.unsupported(i, "too many dimensions"))?;
        let kernel = kernels::Attention {
            isa: self.isa,
            buffers: [q.buffer, k.buffer, v.buffer],
            added: added_views.iter().map(|view| (view.buffer, row(view))).collect(),
            scale: nodes.scale as f32,
            size: [queries, keys, length, value_length],
            rows: [row(&y_heads), row(&q), row(&k), row(&v)],
            loops,
            queries: 0..queries,
            shift: 0,
        };
        self.push(y.buffer, kernel);
        Ok(y)
    }
}

/// Returns the rows of three values of one shape except the last dimension, or `None` if they need more than three loops.
fn row_positions(x: &View, y: &View, residual: &View) -> Option<Positions> {
    let heads = |view: &View| view.select(view.shape.len() - 1, 0);
    let (y_heads, x_heads, residual_heads) = (heads(y), heads(x), heads(residual));
    let loops = Loops::new([&y_heads, &x_heads, &residual_heads])?;
    let nest = loops.nested::<3>()?;
    let of = |k: usize| Strides { start: nest.starts[k], by: nest.strides.map(|stride| stride[k]) };
    Some(Positions { counts: nest.counts, x: of(1), y: of(0), residual: of(2) })
}

/// The groups of a convolution, several of which are computed as one where a group is narrower than a vector. Weights between
/// different groups are zero then.
struct Joined {
    groups: usize,
    inputs: usize,
    outputs: usize,
}

impl Joined {
    fn of(conv: &Conv2d) -> Self {
        let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
        let together = (1..=conv.groups)
            .rev()
            .find(|n| conv.groups.is_multiple_of(*n) && (*n == 1 || n * outputs.max(inputs) <= 32));
        let together = together.unwrap_or(1);
        Self { groups: conv.groups / together, inputs: inputs * together, outputs: outputs * together }
    }

    /// Returns a weight of one of these groups, of the weights `(outputs, inputs / groups, kh, kw)` of all.
    fn weight(&self, conv: &Conv2d, group: usize, weight: &[f32], output: usize, tap: usize) -> f32 {
        let window = conv.kernel.0 * conv.kernel.1;
        let (own_inputs, own_outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
        let (place, channel) = (tap / self.inputs, tap % self.inputs);
        if output / own_outputs == channel / own_inputs {
            weight[((group * self.outputs + output) * own_inputs + channel % own_inputs) * window + place]
        } else {
            0.0
        }
    }
}

/// A group of channels of a layer: its number, its output channels, and the number and length of the runs of its window.
struct Layer {
    group: usize,
    outputs: usize,
    runs: (usize, usize),
}

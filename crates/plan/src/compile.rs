//! From a graph to steps.

mod elementwise;
mod movement;
mod products;
mod windows;

use crate::PlanError;
use crate::fusion::{self, Chain, Facts, Fusion};
use crate::kernels::{ClearBorder, Copy, Kernel};
use crate::loops::Loops;
use crate::memory::{Buffer, place};
use crate::plan::{Output, Part, Plan, Step};
use crate::view::{BufferId, View};
use crate::weights::{WeightCache, elements};
use hard_imagenet_cpu::Isa;
use hard_imagenet_cpu::bf16::Bf16;
use hard_imagenet_graph::{Graph, Node, NodeId, Op, WeightMap, run_from};
use std::collections::HashMap;

/// What a plan computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// The shape of the images, `(B, C, H, W)`.
    pub(crate) input: Vec<usize>,
    /// The nodes whose values are returned.
    pub(crate) wanted: Vec<NodeId>,
    /// The number of parts into which each step is divided.
    pub(crate) parts: usize,
}

/// How the steps of a plan compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arithmetic {
    pub(crate) isa: Isa,
    /// How products round their inputs to bf16, if they do.
    pub(crate) bf16: Option<Bf16>,
}

/// Makes a plan.
pub(crate) fn compile(
    graph: &Graph,
    weights: &WeightMap,
    packed: &WeightCache,
    arithmetic: Arithmetic,
    request: &Request,
) -> Result<Plan, PlanError> {
    let shapes = graph.shapes(&request.input)?;
    let needed = needed_nodes(graph, &request.wanted);
    let from_input = nodes_from_input(graph);
    let computed: Vec<bool> = needed.iter().zip(&from_input).map(|(a, b)| *a && *b).collect();
    let constant: Vec<bool> = needed.iter().zip(&from_input).map(|(a, b)| *a && !*b).collect();
    let readers = find_readers(graph, &computed);
    let facts = Facts {
        graph,
        shapes: &shapes,
        computed: &computed,
        constant: &constant,
        readers: &readers,
        wanted: &request.wanted,
    };
    let fusion = fusion::find(&facts);
    let orders = memory_orders(graph, &shapes, &fusion);
    let mut compiler = Compiler {
        graph,
        weights,
        packed,
        isa: arithmetic.isa,
        bf16: arithmetic.bf16,
        parts: request.parts,
        borders: borders(graph, &computed, &fusion, &orders),
        concats: concat_places(&facts, &fusion, &orders),
        orders,
        fusion,
        remaining: readers.iter().map(Vec::len).collect(),
        shapes: &shapes,
        buffers: Vec::new(),
        values: vec![None; graph.nodes().len()],
        steps: Vec::new(),
        current: 0,
    };
    for id in &request.wanted {
        compiler.remaining[id.index()] += 1;
    }
    compiler.add_constants(&facts)?;
    for (i, is_computed) in computed.iter().enumerate() {
        if *is_computed && !compiler.fusion.absorbed.contains_key(&i) {
            compiler.current = i;
            let value = compiler.lower(i)?;
            compiler.values[i] = Some(value);
            compiler.consume(i, &facts);
        }
    }
    compiler.finish(&request.wanted)
}

fn needed_nodes(graph: &Graph, wanted: &[NodeId]) -> Vec<bool> {
    let mut needed = vec![false; graph.nodes().len()];
    wanted.iter().for_each(|id| needed[id.index()] = true);
    for (i, node) in graph.nodes().iter().enumerate().rev() {
        if needed[i] {
            inputs_read(node).for_each(|id| needed[id.index()] = true);
        }
    }
    needed
}

/// Returns the inputs whose values a node reads, and not only their shapes.
fn inputs_read(node: &Node) -> impl Iterator<Item = &NodeId> {
    let count = if node.op == Op::ExpandBatch { 1 } else { node.inputs.len() };
    node.inputs.iter().take(count)
}

fn nodes_from_input(graph: &Graph) -> Vec<bool> {
    let mut from = vec![false; graph.nodes().len()];
    from[graph.input().index()] = true;
    for (i, node) in graph.nodes().iter().enumerate() {
        // A value that is expanded to the number of images depends on them.
        from[i] |= node.inputs.iter().any(|id| from[id.index()]);
    }
    from
}

fn find_readers(graph: &Graph, computed: &[bool]) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); graph.nodes().len()];
    for (i, node) in graph.nodes().iter().enumerate().filter(|(i, _)| computed[*i]) {
        inputs_read(node).for_each(|id| readers[id.index()].push(i));
    }
    readers
}

/// Returns the order of each value's dimensions in memory, outermost first. Images have their channels last.
fn memory_orders(graph: &Graph, shapes: &[Vec<usize>], fusion: &Fusion) -> Vec<Vec<usize>> {
    const CHANNELS_LAST: [usize; 4] = [0, 2, 3, 1];
    let mut orders: Vec<Vec<usize>> = Vec::with_capacity(shapes.len());
    for (i, (node, shape)) in graph.nodes().iter().zip(shapes).enumerate() {
        // A chain writes what its host writes.
        let host = fusion.chains.get(&i).map_or(node, |chain| &graph.nodes()[chain.host]);
        let row_major: Vec<usize> = (0..shape.len()).collect();
        let like = |which: usize| -> Option<Vec<usize>> {
            let order = &orders[node.inputs.get(which)?.index()];
            (order.len() == shape.len()).then(|| order.clone())
        };
        orders.push(match &host.op {
            Op::Conv2d(_) | Op::MaxPool2d(_) | Op::AvgPool2d { .. } => CHANNELS_LAST.to_vec(),
            Op::BatchNorm { .. } if shape.len() == 4 => CHANNELS_LAST.to_vec(),
            Op::Activation(_) | Op::Binary(_) | Op::Scale(_) | Op::Concat { .. } | Op::Pad(_) | Op::Roll { .. } => {
                like(0).unwrap_or(row_major)
            }
            Op::Reduce(reduce) if reduce.keep => like(0).unwrap_or(row_major),
            // Rows and columns that become one dimension stay before the channels.
            Op::Reshape(_) if shape.len() == 3 && orders[node.inputs[0].index()] == CHANNELS_LAST => {
                let from = &shapes[node.inputs[0].index()];
                if shape[..2] == from[..2] { vec![0, 2, 1] } else { row_major }
            }
            Op::Permute(order) => {
                let input = like(0).unwrap_or_else(|| row_major.clone());
                input.iter().filter_map(|dim| order.iter().position(|d| d == dim)).collect()
            }
            _ => row_major,
        });
    }
    orders
}

/// Returns the border that the readers of each value need.
fn borders(graph: &Graph, computed: &[bool], fusion: &Fusion, orders: &[Vec<usize>]) -> Vec<usize> {
    let mut borders = vec![0; graph.nodes().len()];
    for (_, node) in graph.nodes().iter().enumerate().filter(|(i, _)| computed[*i]) {
        if let Op::Conv2d(conv) = node.op
            && !windows::is_depthwise(&conv)
        {
            let input = node.inputs[0].index();
            let reads_images = orders[input] == [0, 2, 3, 1] && !fusion.absorbed.contains_key(&input);
            if reads_images {
                borders[input] = borders[input].max(conv.padding);
            }
        }
    }
    borders
}

/// Where a value lies in the value of a concatenation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConcatPlace {
    /// The concatenation.
    node: usize,
    /// The first of its channels.
    channel: usize,
}

/// Finds values that can be computed where a concatenation of channels needs them.
fn concat_places(facts: &Facts<'_>, fusion: &Fusion, orders: &[Vec<usize>]) -> HashMap<usize, ConcatPlace> {
    let mut places = HashMap::new();
    for (i, node) in facts.graph.nodes().iter().enumerate().filter(|(i, _)| facts.computed[*i]) {
        if node.op != (Op::Concat { dim: 1 }) || orders[i] != [0, 2, 3, 1] {
            continue;
        }
        let mut channel = 0;
        for input in node.inputs.iter().map(|id| id.index()) {
            let writes = match facts.graph.nodes()[input].op {
                Op::Conv2d(_) | Op::MaxPool2d(_) | Op::AvgPool2d { .. } | Op::BatchNorm { .. } => true,
                Op::Activation(_) | Op::Binary(_) | Op::Concat { dim: 1 } => orders[input] == [0, 2, 3, 1],
                _ => false,
            };
            let once = node.inputs.iter().filter(|id| id.index() == input).count() == 1;
            if writes && once && facts.computed[input] && !fusion.absorbed.contains_key(&input) {
                places.entry(input).or_insert(ConcatPlace { node: i, channel });
            }
            channel += facts.shapes[input][1];
        }
    }
    places
}

/// The state while a plan is made.
pub(crate) struct Compiler<'a> {
    graph: &'a Graph,
    weights: &'a WeightMap,
    packed: &'a WeightCache,
    isa: Isa,
    /// How products round their inputs to bf16, if they do.
    bf16: Option<Bf16>,
    parts: usize,
    shapes: &'a [Vec<usize>],
    fusion: Fusion,
    /// The order of each value's dimensions in memory.
    orders: Vec<Vec<usize>>,
    /// The border that the readers of each value need.
    borders: Vec<usize>,
    concats: HashMap<usize, ConcatPlace>,
    /// How many readers of each value are still to come.
    remaining: Vec<usize>,
    buffers: Vec<Buffer>,
    values: Vec<Option<View>>,
    /// The node that each step belongs to, the buffer that it writes, and what it does.
    steps: Vec<(usize, BufferId, Box<dyn Kernel>)>,
    /// The node whose steps are being added.
    current: usize,
}

impl Compiler<'_> {
    fn unsupported(&self, i: usize, reason: impl Into<String>) -> PlanError {
        PlanError::Unsupported { node: self.graph.nodes()[i].name.clone(), reason: reason.into() }
    }

    /// Returns where the value of a node lies.
    fn value(&self, i: usize) -> Result<View, PlanError> {
        self.values[i].clone().ok_or_else(|| self.unsupported(i, "its value is not computed"))
    }

    fn add_buffer(&mut self, buffer: Buffer) -> BufferId {
        self.buffers.push(buffer);
        self.buffers.len() - 1
    }

    fn add_arena(&mut self, len: usize) -> BufferId {
        self.add_buffer(Buffer::Arena { len, first: usize::MAX, last: 0 })
    }

    fn add_constant(&mut self, values: Vec<f32>) -> BufferId {
        self.add_buffer(Buffer::Constant(values.into()))
    }

    /// Computes the values that are the same for all images and makes buffers of those that others read.
    fn add_constants(&mut self, facts: &Facts<'_>) -> Result<(), PlanError> {
        let input = self.graph.input().index();
        let buffer = self.add_buffer(Buffer::Input);
        self.values[input] = Some(View::dense(buffer, &self.shapes[input]));
        let read: Vec<usize> = (0..self.shapes.len()).filter(|&i| facts.constant[i] && self.remaining[i] > 0).collect();
        let ids: Vec<NodeId> = self
            .graph
            .nodes()
            .iter()
            .flat_map(|node| node.inputs.iter().copied())
            .chain(facts.wanted.iter().copied())
            .filter(|id| read.contains(&id.index()))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        for (id, value) in ids.iter().zip(run_from(self.graph, self.weights, &[], &ids)?) {
            let buffer = self.add_constant(elements(&value)?);
            self.values[id.index()] = Some(View::dense(buffer, &self.shapes[id.index()]));
        }
        Ok(())
    }

    /// Adds a step that writes a buffer.
    fn push(&mut self, buffer: BufferId, kernel: impl Kernel + 'static) {
        let step = self.steps.len();
        for id in kernel.reads() {
            self.use_at(id, step);
        }
        self.use_at(buffer, step);
        self.steps.push((self.current, buffer, Box::new(kernel)));
    }

    fn use_at(&mut self, id: BufferId, step: usize) {
        if let Buffer::Arena { first, last, .. } = &mut self.buffers[id] {
            *first = step.min(*first);
            *last = step.max(*last);
        }
    }

    /// Counts the readers of the node's inputs, and of the inputs of all that is computed with it, as done.
    fn consume(&mut self, i: usize, facts: &Facts<'_>) {
        let inside: Vec<usize> =
            self.fusion.absorbed.iter().filter(|(_, end)| **end == i).map(|(node, _)| *node).chain([i]).collect();
        for node in inside {
            for id in inputs_read(&facts.graph.nodes()[node]) {
                let count = &mut self.remaining[id.index()];
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Returns whether nobody reads the buffer after node `i` has been computed.
    fn is_free_after(&self, buffer: BufferId, i: usize) -> bool {
        if !matches!(self.buffers[buffer], Buffer::Arena { .. }) {
            return false;
        }
        let own = |node: usize| self.fusion.absorbed.get(&node) == Some(&i) || node == i;
        let reads = |value: usize| {
            let nodes = self.graph.nodes().iter().enumerate().filter(|(node, _)| own(*node));
            nodes.flat_map(|(_, node)| inputs_read(node)).filter(|id| id.index() == value).count()
        };
        let lives = |(value, view): (usize, &Option<View>)| {
            view.as_ref().is_some_and(|view| view.buffer == buffer) && self.remaining[value] > reads(value)
        };
        !self.values.iter().enumerate().any(lives)
    }

    /// Makes room for the value of a node: in a buffer of its own, or where a concatenation needs it.
    fn make_output(&mut self, i: usize) -> View {
        if let Some(place) = self.concats.get(&i).copied() {
            let whole = match &self.values[place.node] {
                Some(view) => view.clone(),
                None => {
                    let view = self.make_output(place.node);
                    self.values[place.node] = Some(view.clone());
                    view
                }
            };
            return whole.narrow(1, place.channel, self.shapes[i][1]);
        }
        let shape = self.shapes[i].clone();
        if self.orders[i] == [0, 2, 3, 1] {
            let border = self.borders[i];
            return self.make_images(&shape, border);
        }
        let mut view = self.would_be_view(i);
        let len = self.orders[i].first().map_or(1, |&outermost| view.strides[outermost] * shape[outermost]);
        view.buffer = self.add_arena(len);
        view
    }

    /// Returns a view like that of [`Compiler::make_output`], without a buffer.
    fn would_be_view(&self, i: usize) -> View {
        let (shape, order) = (&self.shapes[i], &self.orders[i]);
        if *order == [0, 2, 3, 1] {
            View::images(0, shape, self.borders[i])
        } else if order.is_sorted() {
            View::rows(0, shape)
        } else {
            View::in_order(0, shape, order)
        }
    }

    /// Makes a buffer for images `(B, C, H, W)`, channels last, with zeros around them.
    fn make_images(&mut self, shape: &[usize], border: usize) -> View {
        let mut view = View::images(0, shape, border);
        let buffer = self.add_arena(shape[0] * view.strides[0]);
        view.buffer = buffer;
        if border > 0 {
            self.push(buffer, ClearBorder { images: view.clone() });
        }
        view
    }

    /// Copies a value.
    fn copy(&mut self, i: usize, from: &View, to: &View) -> Result<(), PlanError> {
        let loops = Loops::new([to, from]).ok_or_else(|| self.unsupported(i, "too many dimensions"))?;
        self.push(to.buffer, Copy { x: from.buffer, loops });
        Ok(())
    }

    /// Returns the value in row-major order, copied if it is not.
    fn dense(&mut self, i: usize, view: View) -> Result<View, PlanError> {
        if view.is_dense() {
            return Ok(view);
        }
        let buffer = self.add_arena(view.len());
        let dense = View::dense(buffer, &view.shape);
        self.copy(i, &view, &dense)?;
        Ok(dense)
    }

    /// Returns the value with neighboring elements along the last dimension, copied if they are not.
    fn rows(&mut self, i: usize, view: View) -> Result<View, PlanError> {
        match (view.shape.last(), view.strides.last()) {
            (Some(1), _) | (_, Some(1)) => Ok(view),
            _ => self.dense(i, view),
        }
    }

    /// Adds the steps that compute a node and all that is computed with it, and returns where its value lies.
    fn lower(&mut self, i: usize) -> Result<View, PlanError> {
        if let Some(attention) = self.fusion.attentions.get(&i).cloned() {
            return self.lower_attention(i, &attention);
        }
        let chain = self.fusion.chains.get(&i).cloned().unwrap_or(Chain { host: i, ..Chain::default() });
        let host = &self.graph.nodes()[chain.host];
        match &host.op {
            Op::Input | Op::Parameter(_) | Op::Constant(_) => self.value(i),
            Op::Conv2d(conv) if windows::is_depthwise(conv) => self.lower_depthwise(i, &chain, *conv),
            Op::Conv2d(conv) if windows::is_winograd(conv, &self.shapes[i], self.bf16.is_some()) => {
                self.lower_winograd(i, &chain, *conv)
            }
            Op::Conv2d(conv) => self.lower_conv(i, &chain, *conv),
            Op::Linear { inputs, outputs, .. } => self.lower_linear(i, &chain, *inputs, *outputs),
            Op::MatMul { transpose_second } => self.lower_matmul(i, *transpose_second),
            Op::MaxPool2d(pool) => self.lower_pool(i, *pool, None),
            Op::AvgPool2d { pool, count_padding } => self.lower_pool(i, *pool, Some(*count_padding)),
            Op::BatchNorm { eps, .. } => self.lower_batch_norm(i, &chain, *eps),
            Op::LayerNorm { eps, .. } => self.lower_layer_norm(i, *eps),
            Op::Softmax => self.lower_softmax(i),
            Op::Binary(binary) => self.lower_binary(i, &chain, *binary),
            Op::Activation(_) | Op::Scale(_) => self.lower_unary(i),
            Op::Reduce(reduce) => self.lower_reduce(i, reduce),
            Op::Concat { dim } => self.lower_concat(i, *dim),
            Op::Reshape(_) => self.lower_reshape(i),
            Op::Permute(order) => Ok(self.value(host.inputs[0].index())?.permute(order)),
            Op::Narrow { dim, start, len } => Ok(self.value(host.inputs[0].index())?.narrow(*dim, *start, *len)),
            Op::Select { dim, index } => Ok(self.value(host.inputs[0].index())?.select(*dim, *index)),
            Op::ExpandBatch => Ok(self.value(host.inputs[0].index())?.broadcast(&self.shapes[i])),
            Op::IndexSelect { dim, indices } => self.lower_index_select(i, *dim, indices),
            Op::Roll { dim, shift } => self.lower_roll(i, *dim, *shift),
            Op::Pad(pad) => self.lower_pad(i, *pad),
            other => Err(self.unsupported(i, format!("{other:?}"))),
        }
    }

    /// Places the buffers and divides the steps.
    fn finish(mut self, wanted: &[NodeId]) -> Result<Plan, PlanError> {
        let end = self.steps.len();
        let mut outputs = Vec::new();
        for id in wanted {
            let view = self.value(id.index())?;
            self.use_at(view.buffer, end);
            let dense = View::dense(view.buffer, &view.shape);
            let loops =
                Loops::new([&dense, &view]).ok_or_else(|| self.unsupported(id.index(), "too many dimensions"))?;
            outputs.push(Output { buffer: view.buffer, loops });
        }
        let (places, arena) = place(&self.buffers);
        let scratch = self.steps.iter().map(|(_, _, kernel)| kernel.scratch()).max().unwrap_or(0);
        let buffers = &self.buffers;
        let steps = self.steps.iter().map(|(node, buffer, kernel)| {
            let len = if let Buffer::Arena { len, .. } = &buffers[*buffer] { *len } else { 0 };
            let node = self.graph.nodes()[*node].name.clone();
            Step { node, buffer: *buffer, parts: divide(kernel.as_ref(), self.parts, len) }
        });
        let steps = steps.collect();
        Ok(Plan { steps, places, arena, scratch, outputs })
    }
}

/// Divides a step into parts that write disjoint ranges of its buffer.
fn divide(kernel: &dyn Kernel, parts: usize, len: usize) -> Vec<Part> {
    let kernels = kernel.split(parts);
    let starts: Vec<usize> = kernels.iter().map(|kernel| kernel.start()).collect();
    let ends = starts.iter().skip(1).copied().chain([len]);
    let ranges: Vec<_> = starts.iter().copied().zip(ends).collect();
    let shifted = kernels.into_iter().zip(ranges).map(|(mut kernel, (start, end))| {
        kernel.shift(start);
        Part { kernel, range: start..end }
    });
    shifted.collect()
}

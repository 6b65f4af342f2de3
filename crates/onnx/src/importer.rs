//! The graph under construction. Operators add their operations here; what does not depend on the images is computed at once.

use crate::axes::{self, Axis, layout};
use crate::error::Reason;
use crate::names::{Names, with_parents};
use crate::value::{BATCH, Value, grows, show_shape};
use candle_core::{DType, Tensor};
use hard_imagenet_graph::{Extent, GraphBuilder, Node, NodeId, Op, WeightMap};
use std::collections::{BTreeMap, HashMap};

/// The graph while it is built.
pub(crate) struct Importer {
    pub(crate) builder: GraphBuilder,
    pub(crate) weights: WeightMap,
    names: Names,
    /// The last node of each module.
    pub(crate) modules: BTreeMap<String, NodeId>,
    /// The name that the graph nodes of the current ONNX node receive.
    pub(crate) name: String,
    /// The module of the current ONNX node.
    pub(crate) module: String,
    /// The images.
    input: Option<Value>,
    /// Input and weight of the linear layers that have no bias yet.
    linears: HashMap<NodeId, (Value, Value)>,
    /// The operation of each node, and its inputs.
    pub(crate) operations: HashMap<NodeId, (Op, Vec<Value>)>,
    pub(crate) layer_norms: HashMap<NodeId, LayerNorm>,
    /// The nodes that repeat a tensor `(1, ..)` for each image, with that tensor. They depend on the batch size only.
    pub(crate) tables: HashMap<NodeId, Value>,
    pub(crate) opset: i64,
    /// Whether the file was exported for one image, so that it says 1 where the batch size belongs.
    fixed: bool,
}

/// A layer normalization that was recognized so far.
#[derive(Clone)]
pub(crate) struct LayerNorm {
    pub(crate) x: Value,
    pub(crate) eps: f64,
    pub(crate) weight: Option<Value>,
    pub(crate) bias: Option<Value>,
}

impl Importer {
    /// Creates an importer of a file with that version of the operators.
    pub(crate) fn new(opset: i64, fixed: bool) -> Self {
        Self {
            builder: GraphBuilder::new(),
            weights: WeightMap::new(),
            names: Names::default(),
            modules: BTreeMap::new(),
            name: String::new(),
            module: String::new(),
            input: None,
            linears: HashMap::new(),
            operations: HashMap::new(),
            layer_norms: HashMap::new(),
            tables: HashMap::new(),
            opset,
            fixed,
        }
    }

    /// Adds the input node, images `(B, 3, H, W)` of the given height and width. `integral` says whether the file takes
    /// them as integers.
    pub(crate) fn add_input(&mut self, (height, width): (usize, usize), integral: bool) -> Value {
        let id = self.builder.input();
        self.names.unique("input");
        let shape = vec![BATCH, 3, height, width];
        let axes = vec![Axis::Batch, Axis::Channel, Axis::Row, Axis::Column];
        let input = Value::Node { id, shape, axes, integral };
        self.input = Some(input.clone());
        input
    }

    /// Adds an operation without weights of its own.
    pub(crate) fn op(&mut self, op: Op, inputs: &[&Value]) -> Result<Value, Reason> {
        self.weighted(op, inputs, &[])
    }

    /// Adds an operation: computes it at once if no input depends on the images, otherwise adds a node.
    pub(crate) fn weighted(&mut self, op: Op, inputs: &[&Value], weights: &[(&str, &Value)]) -> Result<Value, Reason> {
        if let Some(inputs) = inputs.iter().map(|value| value.known()).collect::<Option<Vec<_>>>() {
            let weights = weights.iter().map(|(_, value)| value.tensor()).collect::<Result<Vec<_>, _>>()?;
            return Ok(op.value(&inputs, &weights)?.contiguous()?.into());
        }
        let shapes: Vec<&[usize]> = inputs.iter().map(|value| value.shape()).collect();
        let mismatch = |expected: String| {
            let got: Vec<String> = shapes.iter().map(|shape| show_shape(shape)).collect();
            Reason(format!("it needs {expected}, got {}", got.join(" and ")))
        };
        let shape = op.shape(&shapes).map_err(mismatch)?;
        let operands: Vec<axes::Operand<'_>> = inputs
            .iter()
            .map(|value| match value {
                Value::Known { tensor, .. } => (tensor.dims(), None),
                Value::Node { shape, axes, .. } => (shape.as_slice(), Some(axes.as_slice())),
            })
            .collect();
        let axes = axes::infer(&op, &operands, &shape);
        let integral =
            moves_elements(&op) && inputs.iter().any(|value| matches!(value, Value::Node { integral: true, .. }));
        let made = (op.clone(), inputs.iter().map(|&value| value.clone()).collect());
        let inputs = inputs.iter().map(|value| self.id(value)).collect::<Result<_, _>>()?;
        let weights = weights.iter().map(|(part, value)| self.weight(part, value)).collect::<Result<_, _>>()?;
        let name = self.names.unique(&self.name);
        let id = self.builder.node(Node { name, op, inputs, weights, layout: layout(&axes) });
        self.operations.insert(id, made);
        for module in with_parents(&self.module) {
            self.modules.insert(module.to_owned(), id);
        }
        Ok(Value::Node { id, shape, axes, integral })
    }

    /// Adds x Wᵀ + b for a weight `(outputs, inputs)`.
    pub(crate) fn linear(&mut self, x: &Value, weight: &Value, bias: Option<&Value>) -> Result<Value, Reason> {
        let &[outputs, inputs] = weight.shape() else { return Err("its weight is not a matrix".into()) };
        let name = Some(self.weight("weight", weight)?);
        let weight = Value::Known { tensor: weight.tensor()?.clone(), name };
        let weights: Vec<_> = [("weight", &weight)].into_iter().chain(bias.map(|bias| ("bias", bias))).collect();
        let y = self.weighted(Op::Linear { inputs, outputs, bias: bias.is_some() }, &[x], &weights)?;
        if let (Value::Node { id, .. }, None) = (&y, bias) {
            self.linears.insert(*id, (x.clone(), weight));
        }
        Ok(y)
    }

    /// Merges a linear layer and a vector that is added to its value into one layer, or returns `None` if they are something
    /// else. The layer without bias is dropped later if nothing else reads its value.
    pub(crate) fn merge_bias(&mut self, y: &Value, bias: &Value) -> Option<Result<Value, Reason>> {
        let Value::Node { id, shape, .. } = y else { return None };
        let fits = bias.known().is_some() && bias.rank() == 1 && bias.shape().last() == shape.last();
        let (x, weight) = self.linears.get(id).filter(|_| fits)?.clone();
        Some(self.linear(&x, &weight, Some(bias)))
    }

    /// Gives a value the axes of another.
    pub(crate) fn copy_axes(&mut self, value: Value, like: &Value) -> Value {
        match (value, like) {
            (Value::Node { id, shape, integral, .. }, Value::Node { axes, .. }) => {
                self.builder.set_layout(id, layout(axes));
                Value::Node { id, shape, axes: axes.clone(), integral }
            }
            (value, _) => value,
        }
    }

    /// Returns the node of a value. A tensor becomes a parameter.
    fn id(&mut self, value: &Value) -> Result<NodeId, Reason> {
        let tensor = match value {
            Value::Node { id, .. } => return Ok(*id),
            Value::Known { tensor, .. } => tensor,
        };
        let weight = self.weight("constant", value)?;
        let (name, op) = (self.names.unique(&weight), Op::Parameter(tensor.dims().to_vec()));
        Ok(self.builder.node(Node { name, op, inputs: vec![], weights: vec![weight], layout: layout(&[]) }))
    }

    /// Stores a weight under its name in the file or, without one, under the name of the current module and `part`. Returns
    /// the name.
    fn weight(&mut self, part: &str, value: &Value) -> Result<String, Reason> {
        let Value::Known { tensor, name } = value else { return Err("its weights depend on the images".into()) };
        let tensor = tensor.to_dtype(DType::F32)?;
        let wanted = match name {
            Some(name) => name.clone(),
            None if self.module.is_empty() => format!("{}.{part}", self.name),
            None => format!("{}.{part}", self.module),
        };
        // A weight that several nodes share is stored once.
        let candidates = std::iter::once(wanted.clone()).chain((1..).map(|i| format!("{wanted}_{i}")));
        for candidate in candidates {
            match self.weights.get(&candidate) {
                None => {
                    self.weights.insert(candidate.clone(), tensor);
                    return Ok(candidate);
                }
                Some(known) if name.is_some() && known.dims() == tensor.dims() => return Ok(candidate),
                Some(_) => {}
            }
        }
        Err("no name is free for a weight".into())
    }

    /// Returns the shape that the file itself would compute for a value.
    pub(crate) fn file_shape(&self, value: &Value) -> Vec<i64> {
        let in_file = |&dim: &usize| if self.fixed && grows(dim) { dim / BATCH } else { dim };
        value.shape().iter().map(|dim| in_file(dim) as i64).collect()
    }

    /// Reshapes a value to the shape in the file, `target`, which has no -1 or 0 left.
    ///
    /// If the file says 1 for the batch size or omits it, the batch size is put where it must be for the elements to keep their
    /// order.
    pub(crate) fn reshape(&mut self, x: &Value, target: &[usize]) -> Result<Value, Reason> {
        let product = |dims: &[usize]| dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
        if let Some(tensor) = x.known() {
            if product(target) != Some(tensor.elem_count()) {
                return Err(reshape_error(tensor.dims(), target));
            }
            let name = if let Value::Known { name, .. } = x { name.clone() } else { None };
            let name = name.filter(|_| tensor.dims() == target);
            return Ok(Value::Known { tensor: tensor.reshape(target)?, name });
        }
        let shape = x.shape().to_vec();
        let mut target = target.to_vec();
        if let Some(at) = shape.iter().position(|&dim| grows(dim))
            && !target.iter().any(|&dim| grows(dim))
        {
            let inside = product(&shape[at..]).map(|n| n / BATCH);
            let position = (0..target.len()).find(|&i| product(&target[i..]) == inside);
            let Some(position) = position else {
                let (from, to) = (show_shape(&shape), show_shape(&target));
                return Err(format!("the reshape from {from} to {to} splits the batch").into());
            };
            target[position] *= BATCH;
        }
        if shape == target {
            return Ok(x.clone());
        }
        if product(&shape) != product(&target) {
            return Err(reshape_error(&shape, &target));
        }
        let extent = |(i, &dim): (usize, &usize)| match dim {
            dim if !grows(dim) => Extent::Is(dim),
            dim if shape.get(i) == Some(&dim) => Extent::Same,
            _ => Extent::Rest,
        };
        let extents: Vec<Extent> = target.iter().enumerate().map(extent).collect();
        self.op(Op::Reshape(extents), &[x])
    }

    /// Repeats a value `(1, ..)` to the batch size.
    pub(crate) fn expand_batch(&mut self, x: &Value) -> Result<Value, Reason> {
        let input = self.input.clone().ok_or("the model has no input")?;
        let expanded = self.op(Op::ExpandBatch, &[x, &input])?;
        let Value::Node { id, shape, axes, .. } = expanded else { return Ok(expanded) };
        if x.known().is_some() {
            self.tables.insert(id, x.clone());
        }
        Ok(Value::Node { id, shape, axes, integral: false })
    }

    /// Returns the tensor `(1, ..)` of a value that is the same for each image, if it is such a value.
    pub(crate) fn table(&self, value: &Value) -> Option<&Value> {
        if let Value::Node { id, .. } = value { self.tables.get(id) } else { None }
    }
}

/// Returns whether an operation only moves elements, so that integers stay integers.
fn moves_elements(op: &Op) -> bool {
    matches!(
        op,
        Op::Reshape(_)
            | Op::Permute(_)
            | Op::Narrow { .. }
            | Op::Select { .. }
            | Op::IndexSelect { .. }
            | Op::Concat { .. }
            | Op::Pad(_)
            | Op::MaxPool2d(_)
    )
}

fn reshape_error(from: &[usize], to: &[usize]) -> Reason {
    format!("{} cannot be reshaped to {}", show_shape(from), show_shape(to)).into()
}

/// Returns a value that does not depend on the images, from row-major f32 elements.
pub(crate) fn constant(values: Vec<f32>, shape: &[usize]) -> Result<Value, Reason> {
    Ok(Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?.into())
}

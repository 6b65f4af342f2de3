//! Partial evaluation of an ONNX graph: what does not depend on the picture is computed, the rest becomes nodes.

use crate::axes::{self, Axis, layout};
use crate::error::{OnnxError, Reason};
use crate::layer_norm::LayerNorm;
use crate::names::{Names, module, with_parents};
use crate::operators;
use crate::proto::{GraphProto, ModelProto, NodeProto};
use crate::tensor;
use crate::value::{BATCH, Value, grows};
use candle_core::{DType, Tensor};
use hard_imagenet_graph::{Extent, GraphBuilder, Node, NodeId, Op, WeightMap};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The graph while it is built.
pub(crate) struct Import {
    builder: GraphBuilder,
    pub(crate) weights: WeightMap,
    names: Names,
    /// The last node of each module.
    modules: BTreeMap<String, NodeId>,
    /// Of the ONNX node that is being taken over: what its graph nodes are called.
    name: String,
    module: String,
    input: Option<Value>,
    /// Input and weight of the linear layers that have no bias yet.
    linears: HashMap<NodeId, (Value, Value)>,
    /// The operations of nodes, and their inputs.
    pub(crate) made: HashMap<NodeId, (Op, Vec<Value>)>,
    pub(crate) layer_norms: HashMap<NodeId, LayerNorm>,
    pub(crate) opset: i64,
    /// The file was exported for one picture: it says 1 where the batch size belongs.
    pub(crate) fixed: bool,
}

/// What became of a file.
pub(crate) struct Imported {
    pub(crate) builder: GraphBuilder,
    pub(crate) weights: WeightMap,
    pub(crate) output: NodeId,
    pub(crate) output_name: String,
    pub(crate) classes: usize,
}

/// Values by the file's names.
pub(crate) type Scope = HashMap<String, Value>;

/// Takes a model over, for pictures of that height and width.
pub(crate) fn import(
    model: &ModelProto<'_>,
    path: &Path,
    size: (usize, usize),
    fixed: bool,
) -> Result<Imported, OnnxError> {
    let format = |message: String| OnnxError::Format { path: path.to_owned(), message };
    let mut import = Import {
        builder: GraphBuilder::new(),
        weights: WeightMap::new(),
        names: Names::default(),
        modules: BTreeMap::new(),
        name: String::new(),
        module: String::new(),
        input: None,
        linears: HashMap::new(),
        made: HashMap::new(),
        layer_norms: HashMap::new(),
        opset: model.opset,
        fixed,
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut scope = Scope::new();
    for initializer in &model.graph.initializers {
        let tensor = tensor::value(initializer, folder).map_err(|Reason(message)| format(message))?;
        let name = Some(initializer.name.clone());
        scope.insert(initializer.name.clone(), Value::Known { tensor, name });
    }
    let picture = picture(&model.graph).ok_or_else(|| format("it has no input of four dimensions".into()))?;
    let id = import.builder.input();
    import.names.unique("input");
    let shape = vec![BATCH, 3, size.0, size.1];
    let axes = vec![Axis::Batch, Axis::Channel, Axis::Row, Axis::Column];
    let mut input = Value::Node { id, shape, axes };
    import.input = Some(input.clone());
    if channels_last(&picture.dims) {
        import.name = "input.rows_first".into();
        let permuted = import.op(Op::Permute(vec![0, 2, 3, 1]), &[&input]);
        input = permuted.map_err(|Reason(message)| format(message))?;
    }
    scope.insert(picture.name.clone(), input);
    import.run(&model.graph, &mut scope, path)?;

    let logits = |name: &str| match scope.get(name) {
        Some(Value::Node { id, shape, .. }) if matches!(shape[..], [BATCH, _]) => Some((*id, shape[1])),
        _ => None,
    };
    let found = model.graph.outputs.iter().find_map(|output| Some((output.name.clone(), logits(&output.name)?)));
    let Some((output_name, (output, classes))) = found else {
        let shapes: Vec<String> = model
            .graph
            .outputs
            .iter()
            .map(|output| match scope.get(&output.name) {
                Some(value) => format!("{} {}", output.name, shown(value.shape())),
                None => format!("{}, which nothing computes", output.name),
            })
            .collect();
        let message = format!("none of its outputs is logits (B, K) that depend on the picture: {}", shapes.join(", "));
        return Err(format(message));
    };
    let Import { mut builder, weights, modules, .. } = import;
    for (name, id) in modules {
        builder.alias(&name, id);
    }
    Ok(Imported { builder, weights, output, output_name, classes })
}

/// The input that is a picture; initialisers may be listed among the inputs.
pub(crate) fn picture<'a>(graph: &'a GraphProto<'_>) -> Option<&'a crate::proto::ValueInfo> {
    let stored = |name: &str| graph.initializers.iter().any(|initializer| initializer.name == name);
    graph.inputs.iter().find(|input| input.dims.len() == 4 && !stored(&input.name))
}

/// (B, H, W, 3) instead of (B, 3, H, W)?
pub(crate) fn channels_last(dims: &[Option<i64>]) -> bool {
    dims.get(1) != Some(&Some(3)) && dims.get(3) == Some(&Some(3))
}

/// A shape for people.
pub(crate) fn shown(shape: &[usize]) -> String {
    let dim = |&dim: &usize| match dim {
        BATCH => "B".to_owned(),
        dim if grows(dim) => format!("{} B", dim / BATCH),
        dim => dim.to_string(),
    };
    format!("({})", shape.iter().map(dim).collect::<Vec<_>>().join(", "))
}

impl Import {
    /// All nodes of a graph, or of a branch of it.
    pub(crate) fn run(&mut self, graph: &GraphProto<'_>, scope: &mut Scope, path: &Path) -> Result<(), OnnxError> {
        for node in &graph.nodes {
            if node.op == "If" {
                self.branch(node, scope, path)?;
                continue;
            }
            self.module = module(node);
            self.name = match node.name.trim_start_matches('/') {
                "" => node.outputs.first().cloned().unwrap_or_default(),
                _ if self.module.is_empty() => node.name.trim_start_matches('/').to_owned(),
                _ => format!("{}.{}", self.module, node.op),
            };
            let outputs =
                operators::apply(self, node, scope).map_err(|Reason(message)| operator_error(node, path, message))?;
            for (name, value) in node.outputs.iter().zip(outputs) {
                scope.insert(name.clone(), value);
            }
        }
        Ok(())
    }

    /// A condition that does not depend on the picture has been decided; only its branch is there.
    fn branch(&mut self, node: &NodeProto<'_>, scope: &mut Scope, path: &Path) -> Result<(), OnnxError> {
        let fail = |message: &str| operator_error(node, path, message.to_owned());
        let condition = node.inputs.first().and_then(|name| scope.get(name)).and_then(|value| value.ints().ok());
        let condition = condition.and_then(|values| values.first().copied());
        let condition = condition.ok_or_else(|| fail("its condition depends on the picture"))?;
        let wanted = if condition != 0 { "then_branch" } else { "else_branch" };
        let attribute = node.attributes.iter().find(|attribute| attribute.name == wanted);
        let graph = attribute.and_then(|a| a.graph.as_deref()).ok_or_else(|| fail("it lacks a branch"))?;
        let mut inner = scope.clone();
        self.run(graph, &mut inner, path)?;
        for (name, output) in node.outputs.iter().zip(&graph.outputs) {
            let value = inner.get(&output.name).ok_or_else(|| fail("its branch does not compute its output"))?;
            scope.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    /// An operation without weights of its own.
    pub(crate) fn op(&mut self, op: Op, inputs: &[&Value]) -> Result<Value, Reason> {
        self.weighted(op, inputs, &[])
    }

    /// An operation: computed at once where nothing depends on the picture, else a node.
    pub(crate) fn weighted(&mut self, op: Op, inputs: &[&Value], weights: &[(&str, &Value)]) -> Result<Value, Reason> {
        if let Some(inputs) = inputs.iter().map(|value| value.known()).collect::<Option<Vec<_>>>() {
            let weights = weights.iter().map(|(_, value)| value.tensor()).collect::<Result<Vec<_>, _>>()?;
            return Ok(op.value(&inputs, &weights)?.contiguous()?.into());
        }
        let shapes: Vec<&[usize]> = inputs.iter().map(|value| value.shape()).collect();
        let taken = |expected: String| {
            let got: Vec<String> = shapes.iter().map(|shape| shown(shape)).collect();
            Reason(format!("it takes {expected}, got {}", got.join(" and ")))
        };
        let shape = op.shape(&shapes).map_err(taken)?;
        let operands: Vec<axes::Operand<'_>> = inputs
            .iter()
            .map(|value| match value {
                Value::Known { tensor, .. } => (tensor.dims(), None),
                Value::Node { shape, axes, .. } => (shape.as_slice(), Some(axes.as_slice())),
            })
            .collect();
        let axes = axes::of(&op, &operands, &shape);
        let made = (op.clone(), inputs.iter().map(|&value| value.clone()).collect());
        let inputs = inputs.iter().map(|value| self.id(value)).collect::<Result<_, _>>()?;
        let weights = weights.iter().map(|(part, value)| self.weight(part, value)).collect::<Result<_, _>>()?;
        let name = self.names.unique(&self.name);
        let id = self.builder.node(Node { name, op, inputs, weights, layout: layout(&axes) });
        self.made.insert(id, made);
        for module in with_parents(&self.module) {
            self.modules.insert(module.to_owned(), id);
        }
        Ok(Value::Node { id, shape, axes })
    }

    /// x Wᵀ + b, for a weight `(outputs, inputs)`.
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

    /// A linear layer and the vector that is added to its value, as one layer; the one without is dropped where nothing
    /// else takes its value.
    pub(crate) fn with_bias(&mut self, y: &Value, bias: &Value) -> Option<Result<Value, Reason>> {
        let Value::Node { id, shape, .. } = y else { return None };
        let fits = bias.known().is_some() && bias.rank() == 1 && bias.shape().last() == shape.last();
        let (x, weight) = self.linears.get(id).filter(|_| fits)?.clone();
        Some(self.linear(&x, &weight, Some(bias)))
    }

    /// A value whose axes mean what those of another mean.
    pub(crate) fn read_as(&mut self, value: Value, like: &Value) -> Value {
        match (value, like) {
            (Value::Node { id, shape, .. }, Value::Node { axes, .. }) => {
                self.builder.set_layout(id, layout(axes));
                Value::Node { id, shape, axes: axes.clone() }
            }
            (value, _) => value,
        }
    }

    /// The node of a value; a tensor becomes a parameter.
    fn id(&mut self, value: &Value) -> Result<NodeId, Reason> {
        let tensor = match value {
            Value::Node { id, .. } => return Ok(*id),
            Value::Known { tensor, .. } => tensor,
        };
        let weight = self.weight("constant", value)?;
        let (name, op) = (self.names.unique(&weight), Op::Parameter(tensor.dims().to_vec()));
        Ok(self.builder.node(Node { name, op, inputs: vec![], weights: vec![weight], layout: layout(&[]) }))
    }

    /// Stores a weight under the file's name of it, or else the node's with `part` behind it.
    fn weight(&mut self, part: &str, value: &Value) -> Result<String, Reason> {
        let Value::Known { tensor, name } = value else { return Err("its weights depend on the picture".into()) };
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
                Some(there) if name.is_some() && there.dims() == tensor.dims() => return Ok(candidate),
                Some(_) => {}
            }
        }
        Err("no name is left".into())
    }

    /// The shape that the file would compute.
    pub(crate) fn file_shape(&self, value: &Value) -> Vec<i64> {
        let shown = |&dim: &usize| if self.fixed && grows(dim) { dim / BATCH } else { dim };
        value.shape().iter().map(|dim| shown(dim) as i64).collect()
    }

    /// Reshapes to what the file says, `target` without -1 or 0.
    ///
    /// Where the file says 1 for the batch size, or leaves it out, it comes back to where it must be for elements to keep
    /// their order.
    pub(crate) fn reshape(&mut self, x: &Value, target: &[usize]) -> Result<Value, Reason> {
        let product = |dims: &[usize]| dims.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
        if let Some(tensor) = x.known() {
            if product(target) != Some(tensor.elem_count()) {
                return Err(format!("{} to {}", shown(tensor.dims()), shown(target)).into());
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
            let place = (0..target.len()).find(|&i| product(&target[i..]) == inside);
            let Some(place) = place else {
                let (from, to) = (shown(&shape), shown(&target));
                return Err(format!("{from} to {to} takes the pictures of a batch apart").into());
            };
            target[place] *= BATCH;
        }
        if shape == target {
            return Ok(x.clone());
        }
        if product(&shape) != product(&target) {
            return Err(format!("{} to {}", shown(&shape), shown(&target)).into());
        }
        let extent = |(i, &dim): (usize, &usize)| match dim {
            dim if !grows(dim) => Extent::Is(dim),
            dim if shape.get(i) == Some(&dim) => Extent::Same,
            _ => Extent::Rest,
        };
        let extents: Vec<Extent> = target.iter().enumerate().map(extent).collect();
        self.op(Op::Reshape(extents), &[x])
    }

    /// A value `(1, ..)` as often as there are pictures.
    pub(crate) fn expand_batch(&mut self, x: &Value) -> Result<Value, Reason> {
        let input = self.input.clone().ok_or("there is no input")?;
        self.op(Op::ExpandBatch, &[x, &input])
    }
}

fn operator_error(node: &NodeProto<'_>, path: &Path, message: String) -> OnnxError {
    let name = if node.name.is_empty() { node.outputs.first() } else { Some(&node.name) };
    OnnxError::Operator {
        path: path.to_owned(),
        operator: node.op.clone(),
        node: name.cloned().unwrap_or_default(),
        message,
    }
}

/// Row-major f32 values.
pub(crate) fn constant(values: Vec<f32>, shape: &[usize]) -> Result<Value, Reason> {
    Ok(Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?.into())
}

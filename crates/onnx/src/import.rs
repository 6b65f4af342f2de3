//! Partial evaluation of an ONNX graph. What does not depend on the images is computed, the rest becomes nodes.

use crate::error::{OnnxError, Reason};
use crate::importer::Importer;
use crate::names::module;
use crate::operators;
use crate::proto::{GraphProto, ModelProto, NodeProto, ValueInfo};
use crate::tensor;
use crate::value::{BATCH, Scope, Value, show_shape};
use hard_imagenet_graph::{GraphBuilder, NodeId, Op, WeightMap};
use std::path::Path;

/// A file as a graph whose output is chosen but which is not finished yet.
pub(crate) struct UnfinishedGraph {
    pub(crate) builder: GraphBuilder,
    pub(crate) weights: WeightMap,
    pub(crate) output: NodeId,
    pub(crate) output_name: String,
    pub(crate) classes: usize,
}

/// Imports a model for images of the given height and width. `fixed` says whether it was exported for one image.
pub(crate) fn import(
    model: &ModelProto<'_>,
    path: &Path,
    size: (usize, usize),
    fixed: bool,
) -> Result<UnfinishedGraph, OnnxError> {
    let format = |message: String| OnnxError::Format { path: path.to_owned(), message };
    let mut importer = Importer::new(model.opset, fixed);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut scope = Scope::new();
    for initializer in &model.graph.initializers {
        let tensor = tensor::read(initializer, folder).map_err(|Reason(message)| format(message))?;
        let name = Some(initializer.name.clone());
        scope.insert(initializer.name.clone(), Value::Known { tensor, name });
    }
    let images = image_input(&model.graph).ok_or_else(|| format("it has no input of four dimensions".into()))?;
    let mut input = importer.add_input(size);
    if has_channels_last(&images.dims) {
        importer.name = "input.rows_first".into();
        let permuted = importer.op(Op::Permute(vec![0, 2, 3, 1]), &[&input]);
        input = permuted.map_err(|Reason(message)| format(message))?;
    }
    scope.insert(images.name.clone(), input);
    import_nodes(&mut importer, &model.graph, &mut scope, path)?;

    let (output_name, output, classes) = find_logits(&model.graph, &scope).map_err(format)?;
    let Importer { mut builder, weights, modules, .. } = importer;
    for (name, id) in modules {
        builder.alias(&name, id);
    }
    Ok(UnfinishedGraph { builder, weights, output, output_name, classes })
}

/// Returns the first output `(B, K)` that depends on the images: its name, node and length.
fn find_logits(graph: &GraphProto<'_>, scope: &Scope) -> Result<(String, NodeId, usize), String> {
    for output in &graph.outputs {
        if let Some(Value::Node { id, shape, .. }) = scope.get(&output.name)
            && let [BATCH, classes] = shape[..]
        {
            return Ok((output.name.clone(), *id, classes));
        }
    }
    let describe = |output: &ValueInfo| match scope.get(&output.name) {
        Some(value) => format!("{} {}", output.name, show_shape(value.shape())),
        None => format!("{}, which no node computes", output.name),
    };
    let shapes: Vec<String> = graph.outputs.iter().map(describe).collect();
    Err(format!("none of its outputs is logits (B, K) that depend on the images: {}", shapes.join(", ")))
}

/// Returns the input that takes the images. Initializers may be listed among the inputs too.
pub(crate) fn image_input<'a>(graph: &'a GraphProto<'_>) -> Option<&'a ValueInfo> {
    let stored = |name: &str| graph.initializers.iter().any(|initializer| initializer.name == name);
    graph.inputs.iter().find(|input| input.dims.len() == 4 && !stored(&input.name))
}

/// Returns whether the input is (B, H, W, 3) instead of (B, 3, H, W).
pub(crate) fn has_channels_last(dims: &[Option<i64>]) -> bool {
    dims.get(1) != Some(&Some(3)) && dims.get(3) == Some(&Some(3))
}

/// Imports all nodes of a graph, or of a branch of it.
fn import_nodes(
    importer: &mut Importer,
    graph: &GraphProto<'_>,
    scope: &mut Scope,
    path: &Path,
) -> Result<(), OnnxError> {
    for node in &graph.nodes {
        if node.op == "If" {
            import_branch(importer, node, scope, path)?;
            continue;
        }
        importer.module = module(node);
        importer.name = match node.name.trim_start_matches('/') {
            "" => node.outputs.first().cloned().unwrap_or_default(),
            _ if importer.module.is_empty() => node.name.trim_start_matches('/').to_owned(),
            _ => format!("{}.{}", importer.module, node.op),
        };
        let outputs =
            operators::apply(importer, node, scope).map_err(|Reason(message)| operator_error(node, path, message))?;
        for (name, value) in node.outputs.iter().zip(outputs) {
            scope.insert(name.clone(), value);
        }
    }
    Ok(())
}

/// Imports the branch of an `If` that its condition selects. The condition must not depend on the images.
fn import_branch(
    importer: &mut Importer,
    node: &NodeProto<'_>,
    scope: &mut Scope,
    path: &Path,
) -> Result<(), OnnxError> {
    let fail = |message: &str| operator_error(node, path, message.to_owned());
    let condition = node.inputs.first().and_then(|name| scope.get(name)).and_then(|value| value.ints().ok());
    let condition = condition.and_then(|values| values.first().copied());
    let condition = condition.ok_or_else(|| fail("its condition depends on the images"))?;
    let wanted = if condition != 0 { "then_branch" } else { "else_branch" };
    let attribute = node.attributes.iter().find(|attribute| attribute.name == wanted);
    let graph = attribute.and_then(|a| a.graph.as_deref()).ok_or_else(|| fail("it lacks a branch"))?;
    let mut inner = scope.clone();
    import_nodes(importer, graph, &mut inner, path)?;
    for (name, output) in node.outputs.iter().zip(&graph.outputs) {
        let value = inner.get(&output.name).ok_or_else(|| fail("its branch does not compute its output"))?;
        scope.insert(name.clone(), value.clone());
    }
    Ok(())
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

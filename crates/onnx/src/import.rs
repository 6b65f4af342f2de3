//! Partial evaluation of an ONNX graph. What does not depend on the images is computed, the rest becomes nodes.

use crate::error::{OnnxError, Reason};
use crate::importer::Importer;
use crate::input::ImageInput;
use crate::names::module;
use crate::operators;
use crate::output::{self, LogitsOutput, Outputs};
use crate::proto::{GraphProto, ModelProto, NodeProto};
use crate::tensor;
use crate::value::{BATCH, Scope, Value};
use hard_imagenet_findings::Finding;
use hard_imagenet_graph::{GraphBuilder, NodeId, Op, WeightMap};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A file as a graph whose output is chosen but which is not finished yet.
pub(crate) struct UnfinishedGraph {
    pub(crate) builder: GraphBuilder,
    pub(crate) weights: WeightMap,
    pub(crate) output: NodeId,
    pub(crate) output_name: String,
    pub(crate) classes: usize,
    /// The values of the file by name, as far as the output needs them.
    pub(crate) scope: Scope,
    /// The files with weights that were read.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) findings: Vec<Finding>,
}

/// The values of a file that could be imported, and the errors of those that could not.
#[derive(Default)]
pub(crate) struct Imported {
    pub(crate) scope: Scope,
    /// The index of an error for each value that cannot be computed.
    failed: HashMap<String, usize>,
    errors: Vec<OnnxError>,
}

impl Imported {
    pub(crate) fn has_failed(&self, name: &str) -> bool {
        self.failed.contains_key(name)
    }

    /// Takes out the error that keeps a value from being computed.
    fn into_error(mut self, name: &str) -> Option<OnnxError> {
        self.failed.get(name).map(|&at| self.errors.swap_remove(at))
    }

    fn fail(&mut self, names: &[String], error: OnnxError) {
        self.failed.extend(names.iter().map(|name| (name.clone(), self.errors.len())));
        self.errors.push(error);
    }
}

/// Imports what the logits of a model need, for images of the given height and width. `wanted` is the name of an output;
/// without it, the output is chosen.
pub(crate) fn import(
    model: &ModelProto<'_>,
    path: &Path,
    input: &ImageInput,
    size: (usize, usize),
    wanted: Option<&str>,
) -> Result<UnfinishedGraph, OnnxError> {
    let format = |message: String| OnnxError::Format { path: path.to_owned(), message };
    let outputs = Outputs::new(&model.graph, model.opset, wanted).map_err(format)?;
    let mut importer = Importer::new(model.opset, input.is_single);
    let mut imported = Imported::default();
    let mut images = importer.add_input(size, input.is_integral);
    if input.has_channels_last {
        importer.name = "input.rows_first".into();
        let permuted = importer.op(Op::Permute(vec![0, 2, 3, 1]), &[&images]);
        images = permuted.map_err(|Reason(message)| format(message))?;
    }
    imported.scope.insert(input.name.clone(), images);
    let nodes = output::needed_nodes(&model.graph, outputs.names());
    let files = read_initializers(&model.graph, &nodes, outputs.names(), path, &mut imported);
    for (node, _) in model.graph.nodes.iter().zip(&nodes).filter(|(_, needed)| **needed) {
        import_or_note(&mut importer, node, &mut imported, path);
    }
    let LogitsOutput { name, root, classes, findings, hint } = outputs.choose(&importer, &imported).map_err(format)?;
    let value = match imported.scope.get(&root) {
        Some(value) => value.clone(),
        None => {
            let error = imported.into_error(&root);
            return Err(error
                .unwrap_or_else(|| format(format!("no node computes its output {name:?}")))
                .hinting(&hint));
        }
    };
    importer.module.clear();
    importer.name = format!("{}.logits", if name.is_empty() { "output" } else { &name });
    let logits = importer.reshape(&value, &[BATCH, classes]).map_err(|Reason(message)| format(message))?;
    let Value::Node { id: output, .. } = logits else {
        return Err(format(format!("its output {name:?} does not depend on the images")));
    };
    let Importer { mut builder, weights, modules, .. } = importer;
    for (name, id) in modules {
        builder.alias(&name, id);
    }
    let scope = imported.scope;
    Ok(UnfinishedGraph { builder, weights, output, output_name: name, classes, scope, files, findings })
}

/// Reads the tensors that the needed nodes use. Returns the files next to the model that contain some of them.
fn read_initializers(
    graph: &GraphProto<'_>,
    needed: &[bool],
    outputs: &[&str],
    path: &Path,
    imported: &mut Imported,
) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let nodes = graph.nodes.iter().zip(needed).filter(|(_, needed)| **needed);
    let mut used: HashSet<&str> = nodes.flat_map(|(node, _)| output::names_read(node)).collect();
    used.extend(outputs);
    let mut files = Vec::new();
    for initializer in graph.initializers.iter().filter(|initializer| used.contains(initializer.name.as_str())) {
        match tensor::read(initializer, folder) {
            Ok(tensor) => {
                let name = Some(initializer.name.clone());
                imported.scope.insert(initializer.name.clone(), Value::Known { tensor, name });
                if let Some(file) = initializer.is_external.then(|| tensor::external_path(initializer, folder).ok())
                    && let Some(file) = file.filter(|file| !files.contains(file))
                {
                    files.push(file);
                }
            }
            Err(Reason(message)) => {
                let names = std::slice::from_ref(&initializer.name);
                imported.fail(names, OnnxError::Format { path: path.to_owned(), message });
            }
        }
    }
    files
}

/// Imports a node. If that is not possible, notes the error for its outputs, which may not be needed after all.
fn import_or_note(importer: &mut Importer, node: &NodeProto<'_>, imported: &mut Imported, path: &Path) {
    let cause = output::names_read(node).into_iter().find_map(|name| imported.failed.get(name).copied());
    if let Some(at) = cause {
        imported.failed.extend(node.outputs.iter().map(|name| (name.clone(), at)));
    } else if let Err(error) = import_node(importer, node, &mut imported.scope, path) {
        imported.fail(&node.outputs, error);
    }
}

/// Imports a node and adds the values of its outputs to the scope.
fn import_node(importer: &mut Importer, node: &NodeProto<'_>, scope: &mut Scope, path: &Path) -> Result<(), OnnxError> {
    if node.op == "If" {
        return import_branch(importer, node, scope, path);
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
    for initializer in &graph.initializers {
        let folder = path.parent().unwrap_or(Path::new(""));
        let tensor = tensor::read(initializer, folder).map_err(|Reason(message)| fail(&message))?;
        inner.insert(initializer.name.clone(), Value::Known { tensor, name: Some(initializer.name.clone()) });
    }
    for node in &graph.nodes {
        import_node(importer, node, &mut inner, path)?;
    }
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

//! Chooses the output that holds the logits, and takes off a softmax or sigmoid before it.

use crate::import::Imported;
use crate::importer::Importer;
use crate::proto::{AttributeProto, GraphProto, NodeProto, ValueInfo};
use crate::value::{BATCH, Value, grows, show_shape};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::models::{OUTPUT_CHOSEN, SOFTMAX_REMOVED};
use std::collections::HashMap;

/// Names of outputs, the likeliest to be the logits first. An output has such a name if its whole name or the last part of
/// it is equal, without case and numbers: `StatefulPartitionedCall/predictions:0` is called "predictions".
const NAMES: [&str; 18] = [
    "prediction",
    "predictions",
    "pred",
    "preds",
    "score",
    "scores",
    "class_logits",
    "cls_logits",
    "probability",
    "probabilities",
    "probs",
    "prob",
    "softmax",
    "fc",
    "classifier",
    "head",
    "output",
    "out",
];

/// Operators whose values are not scores of the classes in their order, although they are computed from these.
const DECISIONS: [&str; 7] = ["ArgMax", "ArgMin", "TopK", "NonMaxSuppression", "Hardmax", "Unique", "OneHot"];

/// The outputs of a graph that may be its logits.
pub(crate) struct Outputs<'a> {
    graph: &'a GraphProto<'a>,
    opset: i64,
    producers: HashMap<&'a str, &'a NodeProto<'a>>,
    candidates: Vec<&'a ValueInfo>,
    names: Vec<&'a str>,
    is_asked_for: bool,
}

/// The output that was chosen.
pub(crate) struct LogitsOutput {
    pub(crate) name: String,
    /// The name of the value that holds the logits: that of the output, or that of the softmax's input.
    pub(crate) root: String,
    pub(crate) classes: usize,
    pub(crate) findings: Vec<Finding>,
    /// What else could be asked for if the value cannot be computed; may be empty.
    pub(crate) hint: String,
}

/// An output that may be the logits.
struct Candidate<'a> {
    name: &'a str,
    root: &'a str,
    /// The softmax that was taken off.
    removed: Option<&'a str>,
    /// The number of logits, or `None` if the value could not be computed.
    classes: Option<usize>,
}

impl<'a> Outputs<'a> {
    /// Lists the outputs that may be logits as far as the file states it, or the one that was asked for.
    pub(crate) fn new(graph: &'a GraphProto<'a>, opset: i64, wanted: Option<&str>) -> Result<Self, String> {
        let mut producers = HashMap::new();
        for node in &graph.nodes {
            producers.extend(node.outputs.iter().filter(|name| !name.is_empty()).map(|name| (name.as_str(), node)));
        }
        let all = Self { graph, opset, producers, candidates: vec![], names: vec![], is_asked_for: wanted.is_some() };
        let candidates: Vec<&ValueInfo> = match wanted {
            Some(wanted) => {
                let found = graph.outputs.iter().find(|output| output.name == wanted);
                let found = found.ok_or_else(|| {
                    let names: Vec<String> = graph.outputs.iter().map(show_output).collect();
                    format!("it has no output {wanted:?}; its outputs are {}", names.join(", "))
                })?;
                if !is_float(found.data_type) {
                    return Err(format!("its output {} holds no logits, which are floats", show_output(found)));
                }
                vec![found]
            }
            None => graph.outputs.iter().filter(|output| all.may_be_logits(output)).collect(),
        };
        if candidates.is_empty() {
            let names: Vec<String> = graph.outputs.iter().map(show_output).collect();
            return Err(format!(
                "none of its outputs is logits (B, K) that depend on the images: {}",
                names.join(", ")
            ));
        }
        let names = candidates.iter().map(|output| output.name.as_str()).collect();
        Ok(Self { candidates, names, ..all })
    }

    /// Returns the names of the values that have to be imported before the choice.
    pub(crate) fn names(&self) -> &[&'a str] {
        &self.names
    }

    /// Returns whether the file's own statements leave open that an output is the logits.
    fn may_be_logits(&self, output: &ValueInfo) -> bool {
        let fits = |shape: &Vec<Option<i64>>| {
            let lengths = shape.iter().skip(1).filter(|dim| dim.is_some_and(|dim| dim != 1));
            shape.is_empty() || lengths.count() <= 1
        };
        is_float(output.data_type) && output.shape.as_ref().is_none_or(fits) && !self.is_decision(&output.name)
    }

    /// Returns whether a value is a decision or a selection among scores, perhaps with another type or shape.
    fn is_decision(&self, name: &str) -> bool {
        let mut name = name;
        // A cycle in a damaged file must not be followed forever.
        for _ in 0..self.graph.nodes.len() {
            let Some(node) = self.producers.get(name) else { return false };
            if DECISIONS.contains(&node.op.as_str()) {
                return true;
            }
            let passes = moves_classes(node) || ["Gather", "Slice"].contains(&node.op.as_str());
            match node.inputs.first() {
                Some(input) if passes => name = input,
                _ => return false,
            }
        }
        false
    }

    /// Chooses the logits among the values that were imported.
    pub(crate) fn choose(&self, importer: &Importer, imported: &Imported) -> Result<LogitsOutput, String> {
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        for output in &self.candidates {
            let Some(candidate) = self.candidate(output, importer, imported) else { continue };
            // Logits and their softmax are one candidate, whose name is that of the logits.
            match candidates.iter_mut().find(|known| known.root == candidate.root) {
                Some(known) if known.removed.is_some() && candidate.removed.is_none() => *known = candidate,
                Some(_) => {}
                None => candidates.push(candidate),
            }
        }
        // A single number next to scores of several classes is a confidence.
        if candidates.iter().any(|candidate| candidate.classes.is_some_and(|classes| classes > 1)) {
            candidates.retain(|candidate| candidate.classes != Some(1));
        }
        let chosen = self.best(&candidates).map_err(|several| self.unclear(several, imported))?;
        let others: Vec<&Candidate<'_>> = candidates.iter().filter(|other| other.root != chosen.root).collect();
        let describe = |candidate: &Candidate<'_>| match candidate.classes {
            Some(classes) => format!("{} (B, {classes})", candidate.name),
            None => candidate.name.to_owned(),
        };
        let listed = others.iter().map(|other| describe(other)).collect::<Vec<_>>().join(", ");
        let mut findings = Vec::new();
        if !others.is_empty() && !self.is_asked_for {
            findings.extend(OUTPUT_CHOSEN.found().about(&[format!("{} was chosen, not {listed}", describe(chosen))]));
        }
        if let Some(removed) = chosen.removed {
            findings.extend(SOFTMAX_REMOVED.found().about(&[format!("{removed} before the output {:?}", chosen.name)]));
        }
        Ok(LogitsOutput {
            name: chosen.name.to_owned(),
            root: chosen.root.to_owned(),
            classes: chosen.classes.unwrap_or_default(),
            findings,
            hint: if others.is_empty() { String::new() } else { format!("or ask for another output ({listed})") },
        })
    }

    /// Returns the output as a candidate if its value is logits or could not be computed.
    fn candidate(&self, output: &'a ValueInfo, importer: &Importer, imported: &Imported) -> Option<Candidate<'a>> {
        let name = output.name.as_str();
        let classes = |name: &str| {
            let value = imported.scope.get(name)?;
            let depends = matches!(value, Value::Node { .. }) && importer.table(value).is_none();
            if depends { count_classes(value.shape()) } else { None }
        };
        let stripped = self.without_softmax(name, imported);
        if let Some((root, removed)) = stripped
            && (classes(root).is_some() && (imported.has_failed(name) || classes(name) == classes(root)))
        {
            return Some(Candidate { name, root, removed: Some(removed), classes: classes(root) });
        }
        match classes(name) {
            None if !imported.has_failed(name) => None,
            classes => Some(Candidate { name, root: name, removed: None, classes }),
        }
    }

    /// Chooses one of the candidates, or returns those among which there is no choice.
    fn best<'c>(&self, candidates: &'c [Candidate<'a>]) -> Result<&'c Candidate<'a>, &'c [Candidate<'a>]> {
        if let [only] = candidates {
            return Ok(only);
        }
        let named = |name: &str| {
            let mut found = candidates.iter().filter(|candidate| is_called(candidate.name, name));
            found.next().filter(|_| found.next().is_none())
        };
        let depends_on_all = || {
            candidates.iter().find(|candidate| {
                let read = self.ancestors(candidate.root);
                candidates.iter().all(|other| other.root == candidate.root || read.contains(&other.root))
            })
        };
        let any_name = || NAMES.iter().find_map(|name| named(name));
        named("logits").or_else(depends_on_all).or_else(any_name).ok_or(candidates)
    }

    /// Returns the names of all values from which a value is computed.
    fn ancestors(&self, name: &'a str) -> Vec<&'a str> {
        let mut found = vec![name];
        let mut next = 0;
        let mut seen: std::collections::HashSet<&str> = [name].into();
        while next < found.len() {
            let read = self.producers.get(found[next]).map(|node| names_read(node)).unwrap_or_default();
            found.extend(read.into_iter().filter(|name| seen.insert(name)));
            next += 1;
        }
        found
    }

    fn unclear(&self, candidates: &[Candidate<'_>], imported: &Imported) -> String {
        let describe = |output: &ValueInfo| match imported.scope.get(&output.name) {
            Some(value) => format!("{} {}", output.name, show_shape(value.shape())),
            None => show_output(output),
        };
        let shapes: Vec<String> = self.graph.outputs.iter().map(describe).collect();
        let shapes = shapes.join(", ");
        if candidates.is_empty() {
            return format!("none of its outputs is logits (B, K) that depend on the images: {shapes}");
        }
        format!("several of its outputs may be the logits: {shapes}; ask for one of them by its name")
    }

    /// Returns the name of the value before the softmax or sigmoid that ends in a value, and the operator.
    fn without_softmax(&self, output: &'a str, imported: &Imported) -> Option<(&'a str, &'a str)> {
        let mut name = output;
        for _ in 0..self.graph.nodes.len() {
            let node = *self.producers.get(name)?;
            let input = node.inputs.first()?.as_str();
            match node.op.as_str() {
                "Softmax" | "LogSoftmax" => {
                    let value = imported.scope.get(input)?;
                    return self.is_over_classes(node, value.shape()).then_some((input, node.op.as_str()));
                }
                "Sigmoid" => return Some((input, node.op.as_str())),
                // The quotient of exponentials and their sum.
                "Div" => {
                    let exp = self.producers.get(input).filter(|exp| exp.op == "Exp")?;
                    let sum = self.producers.get(node.inputs.get(1)?.as_str()).filter(|sum| sum.op == "ReduceSum")?;
                    let x = exp.inputs.first()?.as_str();
                    let value = imported.scope.get(x)?;
                    let sums = sum.inputs.first().is_some_and(|summed| summed == input);
                    let alone =
                        imported.scope.get(sum.outputs.first()?)?.shape().iter().all(|&dim| dim == 1 || dim == BATCH);
                    return (sums && alone && count_classes(value.shape()).is_some()).then_some((x, "Softmax"));
                }
                // The logarithm of a softmax.
                "Log" => name = input,
                _ if moves_classes(node) => name = input,
                _ => return None,
            }
        }
        None
    }

    /// Returns whether a softmax of a value `(B, K)`, `(B, K, 1, 1)` and so on runs along the classes.
    fn is_over_classes(&self, node: &NodeProto<'_>, shape: &[usize]) -> bool {
        let rank = shape.len() as i64;
        let given = node.attributes.iter().find(|attribute| attribute.name == "axis").map(|attribute| attribute.i);
        let joins = self.opset < 13;
        let axis = given.unwrap_or(if joins { 1 } else { -1 });
        let Ok(axis) = usize::try_from(if axis < 0 { axis + rank } else { axis }) else { return false };
        let Some(classes) = shape.iter().rposition(|&dim| dim != 1 && dim != BATCH) else {
            return shape.get(axis).is_some_and(|&dim| dim == 1);
        };
        // Older versions of the operator join all dimensions from the axis on.
        if joins { axis <= classes && !shape[axis..].contains(&BATCH) } else { axis == classes }
    }
}

/// Returns the number of classes of logits `(B, K)`, `(B, K, 1, 1)`, `(B, 1, 1, K)`, or `(K)` per image.
fn count_classes(shape: &[usize]) -> Option<usize> {
    let batch = shape.iter().position(|&dim| grows(dim))?;
    let (before, after) = (&shape[..batch], &shape[batch + 1..]);
    let is_vector = before.iter().all(|&dim| dim == 1) && after.iter().filter(|&&dim| dim != 1).count() <= 1;
    let per_image = shape[batch] / BATCH;
    let length: usize = after.iter().product();
    (is_vector && length > 0 && (per_image == 1 || length == 1)).then_some(per_image * length)
}

/// Returns whether a node keeps the values of the classes and their order.
fn moves_classes(node: &NodeProto<'_>) -> bool {
    match node.op.as_str() {
        "Identity" | "Dropout" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => true,
        "Cast" => node.attributes.iter().any(|to| to.name == "to" && is_float(to.i)),
        _ => false,
    }
}

/// Returns whether a type of elements is float, float16, double or bfloat16, or not stated.
pub(crate) fn is_float(data_type: i64) -> bool {
    [0, 1, 10, 11, 16].contains(&data_type)
}

/// Returns whether an output's name, or the last part of it, is `name`, without case and numbers.
fn is_called(output: &str, name: &str) -> bool {
    let lower = output.to_ascii_lowercase();
    let without_number = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').to_owned();
    let whole = lower.split(':').next().unwrap_or_default();
    let last = whole.rsplit(['/', '.']).next().unwrap_or_default();
    [whole, last].iter().any(|text| *text == name || without_number(text) == name)
}

/// Formats an output as the file states it, for example `label int64 (B)`.
fn show_output(output: &ValueInfo) -> String {
    let kind = if is_float(output.data_type) { String::new() } else { format!(" {}", type_name(output.data_type)) };
    let dim = |(i, dim): (usize, &Option<i64>)| match dim {
        Some(dim) => dim.to_string(),
        None if i == 0 => "B".to_owned(),
        None => "?".to_owned(),
    };
    let shape = output.shape.as_ref().map(|shape| shape.iter().enumerate().map(dim).collect::<Vec<_>>().join(", "));
    format!("{}{kind}{}", output.name, shape.map(|shape| format!(" ({shape})")).unwrap_or_default())
}

/// Returns the name of a type of elements (`TensorProto.DataType`).
pub(crate) fn type_name(data_type: i64) -> &'static str {
    const NAMES: [&str; 17] = [
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    usize::try_from(data_type).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or("an unknown type")
}

/// Returns for each node whether one of the values needs it.
pub(crate) fn needed_nodes(graph: &GraphProto<'_>, values: &[&str]) -> Vec<bool> {
    let mut wanted: std::collections::HashSet<&str> = values.iter().copied().collect();
    let mut needed = vec![false; graph.nodes.len()];
    // Nodes are in the order of computation, so each comes after those that it reads.
    for (node, needed) in graph.nodes.iter().zip(&mut needed).rev() {
        if node.outputs.iter().any(|name| wanted.contains(name.as_str())) {
            *needed = true;
            wanted.extend(names_read(node));
        }
    }
    needed
}

/// Returns the names of the values that a node reads, also from within its branches.
pub(crate) fn names_read<'a>(node: &'a NodeProto<'_>) -> Vec<&'a str> {
    let mut names: Vec<&str> = node.inputs.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let branch = |attribute: &'a AttributeProto<'_>| attribute.graph.as_deref();
    for graph in node.attributes.iter().filter_map(branch) {
        names.extend(graph.nodes.iter().flat_map(names_read));
        names.extend(graph.outputs.iter().map(|output| output.name.as_str()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_logits() {
        let check = |shape: &[usize], want| assert_eq!(count_classes(shape), want, "{shape:?}");
        check(&[BATCH, 5], Some(5));
        check(&[BATCH, 5, 1, 1], Some(5));
        check(&[BATCH, 1, 1, 5], Some(5));
        check(&[1, BATCH, 5], Some(5));
        check(&[5 * BATCH], Some(5));
        check(&[BATCH, 1], Some(1));
        check(&[BATCH], Some(1));
        check(&[BATCH, 5, 7, 7], None);
        check(&[2 * BATCH, 5], None);
        check(&[5, BATCH], None);
        check(&[1, 5], None);
    }

    #[test]
    fn names_of_outputs() {
        let check = |output, name, want| assert_eq!(is_called(output, name), want, "{output}");
        check("logits", "logits", true);
        check("model/Logits:0", "logits", true);
        check("classifier.fc", "fc", true);
        check("output_0", "output", true);
        check("aux_logits", "logits", false);
        check("output_features", "output", false);
    }
}

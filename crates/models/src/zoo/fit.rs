//! Fits a model of the zoo to a file of weights.

use crate::families::{Row, rows};
use crate::loading::{Difference, Fitted, NamedWeights, WeightTable, Weights, last_linear};
use crate::model_name::without_tag;
use crate::text_head::{TEXTS, add_text_head, with_text_head};
use crate::{Graph, ModelError, ModelSpec};

/// Reads the table of a weights file and finds in it the weights of the graph with the head that the file has.
pub(super) fn fit(row: &Row, weights: &Weights) -> Result<(WeightTable, Graph, ModelSpec), ModelError> {
    let mut table = WeightTable::read(weights, row.name)?;
    let count = row.architecture.graph(row.classes)?.parameters().len();
    let fit = |named: &NamedWeights| {
        let (graph, of) = fit_head(row, named)?;
        Ok(Fitted { graph, of })
    };
    let Fitted { graph, of: spec } = table.find_network(row.name, count, fit, looks_like)?;
    Ok((table, graph, spec))
}

/// Returns the graph with the head that the weights have: as many classes as the last layer has rows and as many
/// features as it has columns, and a comparison with texts if the features of texts are there.
fn fit_head(row: &Row, weights: &NamedWeights) -> Result<(Graph, ModelSpec), ModelError> {
    let graph = row.architecture.graph(row.classes)?;
    let head = last_linear(&graph).and_then(|name| weights.shape(name));
    let (outputs, graph) = match head {
        Some(&[outputs, features, ..]) => (outputs, row.architecture.graph_for(outputs, features)?),
        _ => (row.classes, graph),
    };
    let spec = row.spec(outputs);
    match weights.shape(TEXTS).and_then(|shape| shape.first()) {
        Some(&classes) => Ok((add_text_head(&graph, outputs, classes)?, with_text_head(spec, classes))),
        None => Ok((graph, spec)),
    }
}

/// Returns the architecture, a name without tag, that the weights fit.
fn looks_like(weights: &NamedWeights) -> Option<&'static str> {
    rows().find_map(|row| {
        let (graph, _) = fit_head(row, weights).ok()?;
        let difference = Difference::new(weights, &graph.parameters());
        difference.describe().is_none().then_some(without_tag(row.name))
    })
}

//! The head of a classifier that compares images with texts.

use crate::{Graph, ModelError, ModelSpec};
use candle_core::{DType, Tensor};
use hard_imagenet_graph::{Activation, Binary, GraphBuilder, Layout, Reduction};

/// The name of the weight `(K, D)` that holds the features of texts, one row per class, multiplied by the scale of the
/// logits.
pub(crate) const TEXTS: &str = "zero_shot.texts.weight";

/// Appends to the graph of an image embedding of that length its cosines with texts.
pub(crate) fn add_text_head(graph: &Graph, length: usize, classes: usize) -> Result<Graph, ModelError> {
    let mut g = GraphBuilder::from_graph(graph);
    let x = graph.output();
    let logits = g.scope("zero_shot", |g| {
        let square = g.activation("square", x, Activation::Power(2.0));
        let sum = g.reduce("sum", square, Reduction::Sum, &[1], true);
        let norm = g.activation("norm", sum, Activation::Sqrt);
        let embedding = g.binary("embedding", Binary::Div, x, norm);
        g.set_layout(embedding, Layout::Vector);
        g.linear("texts", embedding, length, classes, false)
    });
    Ok(g.finish(logits)?)
}

/// Returns the description of a model whose graph [`add_text_head`] extended.
pub(crate) fn with_text_head(spec: ModelSpec, classes: usize) -> ModelSpec {
    ModelSpec { classes, class_names: None, feature_node: "zero_shot.embedding".into(), ..spec }
}

/// Scales each row to length 1, in f32.
pub(crate) fn to_unit_length(rows: &Tensor) -> Result<Tensor, ModelError> {
    let rows = rows.to_dtype(DType::F32)?;
    Ok(rows.broadcast_div(&rows.sqr()?.sum_keepdim(1)?.sqrt()?)?)
}

//! What class activation maps have in common: cut the network at a node, weight its channels, scale the map.

use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor, Var};
use hard_imagenet_kernels::gradient;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::{Cut, Model, Node, Positions};

/// A map that is computed from a node's activations and gradients alone.
pub(crate) trait Formula: Send + Sync {
    /// The explainer's word, without a node.
    const WORD: &'static str;

    /// Returns the node to look from; `None` for the model's `cam_node`.
    fn node(&self) -> Option<&str>;

    /// Returns the raw maps `(B, h · w)`. `activations` and `gradients` of each image's target logit are `(B, h · w,
    /// C)`.
    fn raw(activations: &Tensor, gradients: &Tensor) -> candle_core::Result<Tensor>;
}

impl<F: Formula> Explain for F {
    fn id(&self) -> String {
        id(F::WORD, Formula::node(self))
    }

    fn node(&self) -> Option<&str> {
        Formula::node(self)
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        Ok(with_logits::<F>(Formula::node(self), &request)?.1)
    }
}

/// Returns the logits `(B, K)` f32 and the explanations, from one pass through the trunk.
pub(crate) fn with_logits<F: Formula>(
    node: Option<&str>,
    request: &ExplainRequest<'_>,
) -> Result<(Tensor, Vec<Explanation>), ExplainError> {
    let (_, height, width) = request.image_size()?;
    let model = request.model;
    let cut = cut(model, node)?;
    let node = model.graph().node(cut.node());

    let mut value = model.trunk(&cut, request.x)?;
    let activation = Var::from_tensor(&value.at)?;
    value.at = activation.as_tensor().clone();
    let logits = model.head(&cut, &value)?;
    let slope = gradient(&targets(&logits, request.classes)?.sum_all()?, &activation)?;

    let Positions { values: activations, h, w } = places(node, &activation.as_detached_tensor())?;
    let raw = F::raw(&activations, &places(node, &slope)?.values)?;
    Ok((logits.detach(), explanations(&raw, (h, w), (height, width))?))
}

/// Returns an explainer's id: its word and the chosen node, if there is one.
pub(crate) fn id(word: &str, node: Option<&str>) -> String {
    match node {
        None => word.into(),
        Some(node) => format!("{word}:{node}"),
    }
}

/// Cuts the model at the node, or at its own `cam_node`.
pub(crate) fn cut(model: &Model, node: Option<&str>) -> Result<Cut, ExplainError> {
    Ok(model.cut(node.unwrap_or(&model.spec().cam_node))?)
}

/// Returns a node's value by places, f32.
pub(crate) fn places(node: &Node, value: &Tensor) -> Result<Positions, ExplainError> {
    let none = || ExplainError::Place { node: node.name.clone(), layout: node.layout };
    node.layout.positions(&value.to_dtype(DType::F32)?)?.ok_or_else(none)
}

/// Returns each image's target logit, `(B)`, from logits `(B, K)`.
pub(crate) fn targets(logits: &Tensor, classes: &[u32]) -> Result<Tensor, ExplainError> {
    let count = logits.dim(1)?;
    if let Some(&class) = classes.iter().find(|class| **class as usize >= count) {
        return Err(ExplainError::Class { class, classes: count });
    }
    let index = Tensor::new(classes, logits.device())?.unsqueeze(1)?;
    Ok(logits.gather(&index, 1)?.squeeze(1)?)
}

/// Turns raw maps `(B, h · w)` into explanations for an input of `height` × `width`.
pub(crate) fn explanations(
    raw: &Tensor,
    (h, w): (usize, usize),
    (height, width): (usize, usize),
) -> Result<Vec<Explanation>, ExplainError> {
    let explanation = |values| {
        let raw = Heatmap::from_vec(h, w, values).expect("one value per pixel");
        Explanation { map: scaled(&raw, height, width), raw }
    };
    Ok(raw.to_vec2::<f32>()?.into_iter().map(explanation).collect())
}

/// Sets the negative part of a raw map to zero, scales the map to [0, 1], resizes it bilinearly to the input's size and
/// scales it again, as pytorch-grad-cam does for every CAM. A map without positive values becomes zeros, and so does
/// NaN.
pub(crate) fn scaled(raw: &Heatmap, height: usize, width: usize) -> Heatmap {
    // f32::max gives 0 for NaN.
    let positive = |map: &Heatmap| {
        let values = map.as_slice().iter().map(|v| v.max(0.0)).collect();
        Heatmap::from_vec(map.height(), map.width(), values).expect("one value per pixel")
    };
    positive(&positive(raw).min_max_scale().resize(height, width)).min_max_scale()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_map_without_positive_values_becomes_zeros() {
        let raw = Heatmap::from_vec(1, 2, vec![-1.0, f32::NAN]).unwrap();
        assert!(scaled(&raw, 4, 4).as_slice().iter().all(|v| *v == 0.0));
    }
}

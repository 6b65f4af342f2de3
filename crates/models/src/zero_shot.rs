//! Classifiers of nothing but names: CLIP's image tower, its pictures compared with texts that name the classes (Radford et
//! al. 2021, section 3.1).

use crate::loading::last_linear;
use crate::text_head::TEXTS;
use crate::{ClipText, ModelError, Network, Weights, zoo};
use hard_imagenet_graph::WeightMap;
use std::path::Path;

/// What is said of a picture of a class, `{}` being its name.
pub const TEMPLATES: [&str; 7] = [
    "a photo of a {}.",
    "a photo of the {}.",
    "a picture that shows a {}.",
    "a close view of a {}.",
    "a {} seen from afar.",
    "a dark photo of a {}.",
    "part of a {} in a photo.",
];

/// The weights of an image tower of the zoo, and with them the features of classes made by the text tower of the same
/// checkpoint, as tensor "zero_shot.texts.weight" `(classes, D)`; and the sha256 of the checkpoint. Saved, they are a
/// weights file of that model, which [`zoo::load`] makes a classifier of.
///
/// `tokenizer` is the `tokenizer.json` that belongs to the checkpoint.
///
/// # Errors
/// As [`zoo::read`], [`ClipText::open`] and [`ClipText::classes`]; towers that do not belong together.
pub fn weights(
    model: &str,
    checkpoint: &Path,
    tokenizer: &Path,
    classes: &[impl AsRef<str>],
    templates: &[impl AsRef<str>],
) -> Result<(WeightMap, String), ModelError> {
    let spec = zoo::spec(model)?;
    // OpenAI's text towers have its activation, whatever their image towers are taken for.
    let tower = ClipText::open(checkpoint, tokenizer, spec.name.contains(".openai"))?;
    let texts = (tower.classes(classes, templates)? * tower.scale())?;
    let Network { mut weights, weights_sha256, .. } = zoo::read(model, &Weights::File(checkpoint.to_owned()))?;
    let graph = zoo::graph(model, spec.classes)?;
    let outputs = last_linear(&graph).and_then(|name| weights.get(name)).map(|weight| weight.dims()[0]);
    if outputs != Some(texts.dims()[1]) {
        let message = format!("{model} does not embed pictures as {} does texts", checkpoint.display());
        return Err(ModelError::Input(message));
    }
    weights.insert(TEXTS.into(), texts);
    Ok((weights, weights_sha256))
}

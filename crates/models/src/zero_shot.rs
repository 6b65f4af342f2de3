//! Zero-shot classifiers: CLIP's image tower, whose embeddings are compared with those of texts that name the classes
//! (Radford et al. 2021, section 3.1).

use crate::loading::last_linear;
use crate::text_head::TEXTS;
use crate::{ClipText, ModelError, Network, Weights, zoo};
use hard_imagenet_graph::WeightMap;
use std::path::Path;

/// Texts about an image of a class, in which `{}` stands for the name of the class.
pub const TEMPLATES: [&str; 7] = [
    "a photo of a {}.",
    "a photo of the {}.",
    "a picture that shows a {}.",
    "a close view of a {}.",
    "a {} seen from afar.",
    "a dark photo of a {}.",
    "part of a {} in a photo.",
];

/// Returns the weights of a zero-shot classifier and the SHA-256 of the checkpoint that they come from.
///
/// The weights (f32, on the CPU) are those of an image tower of the zoo, and the tensor "zero_shot.texts.weight"
/// `(classes, D)`: the features that the text tower of the same checkpoint gives for the classes, multiplied by the
/// scale of the logits. Saved to a file, they are weights of the model from which [`zoo::load`] makes a classifier.
/// `tokenizer` is the `tokenizer.json` that belongs to the checkpoint.
///
/// # Errors
/// Fails like [`zoo::read`], [`ClipText::open`] and [`ClipText::classes`], and if the towers have embeddings of
/// different lengths.
pub fn weights(
    model: &str,
    checkpoint: &Path,
    tokenizer: &Path,
    classes: &[impl AsRef<str>],
    templates: &[impl AsRef<str>],
) -> Result<(WeightMap, String), ModelError> {
    let spec = zoo::spec(model)?;
    // OpenAI's text towers need its activation, also when timm runs the image tower with another one.
    let tower = ClipText::open(checkpoint, tokenizer, spec.name.contains(".openai"))?;
    let texts = (tower.classes(classes, templates)? * tower.scale())?;
    let Network { mut weights, weights_sha256, .. } = zoo::read(model, &Weights::File(checkpoint.to_owned()))?;
    let graph = zoo::graph(model, spec.classes)?;
    let outputs = last_linear(&graph).and_then(|name| weights.get(name)).map(|weight| weight.dims()[0]);
    if outputs != Some(texts.dims()[1]) {
        let message =
            format!("the embeddings of {model} and of the texts in {} differ in length", checkpoint.display());
        return Err(ModelError::Input(message));
    }
    weights.insert(TEXTS.into(), texts);
    Ok((weights, weights_sha256))
}

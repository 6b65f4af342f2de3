//! CLIP's text tower in the files of transformers, OpenAI and open_clip. Where it has the same parts as the image
//! tower, the weights get the same names.

use super::authors;
use super::scheme::{Scheme, WeightsByName};
use super::weight::Weight;

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme {
        ignored: &["vision_model.", "visual_projection."],
        then: super::transformers::CLIP_BLOCK,
        ..Scheme::new("text_model.embeddings.", TRANSFORMERS)
    },
    Scheme {
        ignored: &["visual."],
        then: authors::CLIP_BLOCK,
        amend: transpose_projection,
        ..Scheme::new("token_embedding.", OPENAI)
    },
];

const TRANSFORMERS: &[(&str, &str)] = &[
    ("text_model.embeddings.token_embedding.weight", "token_embedding"),
    ("text_model.embeddings.position_embedding.weight", "pos_embed"),
    ("text_model.encoder.layers.", "blocks."),
    ("text_model.final_layer_norm.", "norm."),
    ("text_projection.weight", "head.weight"),
];

const OPENAI: &[(&str, &str)] = &[
    ("token_embedding.weight", "token_embedding"),
    ("positional_embedding", "pos_embed"),
    ("transformer.resblocks.", "blocks."),
    ("ln_final.", "norm."),
    ("text_projection", "head.weight"),
];

/// CLIP multiplies embeddings by the projection from the right, so it is a transposed linear layer.
fn transpose_projection(weights: &mut WeightsByName) {
    if let Some(weight) = weights.remove("head.weight").map(Weight::transposed) {
        weights.insert("head.weight".into(), weight);
    }
}

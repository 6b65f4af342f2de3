//! The half of CLIP that reads, in the files of transformers, OpenAI and open_clip. Its names here are those of the other
//! half, as far as it has the same parts.

use super::authors;
use super::scheme::{Named, Scheme};
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
        amend: projection,
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

/// It is a linear layer the other way round.
fn projection(named: &mut Named) {
    if let Some(weight) = named.remove("head.weight").map(Weight::transposed) {
        named.insert("head.weight".into(), weight);
    }
}

//! The files of the authors of models, if their names differ from timm's.

use super::scheme::{Scheme, WeightsByName};
use super::transformers;
use super::weight::Weight;

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme {
        ignored: TEXTS,
        then: CLIP_BLOCK,
        amend: transpose_projection,
        ..Scheme::new("visual.transformer.resblocks.", CLIP_VIT)
    },
    Scheme { ignored: TEXTS, ..Scheme::new("visual.attnpool.", CLIP_RESNET) },
    Scheme { ignored: MASKED, amend: transformers::split_positions, ..Scheme::new("register_tokens", DINO) },
    Scheme { ignored: MASKED, ..Scheme::new("mask_token", DINO) },
    Scheme::new("layers.0.downsample.reduction.", SWIN),
];

/// The weights of CLIP's text tower.
const TEXTS: &[&str] =
    &["transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection", "logit_scale"];

/// The names of OpenAI and open_clip.
const CLIP_VIT: &[(&str, &str)] = &[
    ("visual.class_embedding", "cls_token"),
    ("visual.positional_embedding", "pos_embed"),
    ("visual.conv1.", "patch_embed.proj."),
    ("visual.ln_pre.", "norm_pre."),
    ("visual.ln_post.", "norm."),
    ("visual.proj", "head.weight"),
    ("visual.transformer.resblocks.", "blocks."),
];

/// The names in a block of either tower.
pub(super) const CLIP_BLOCK: &[(&str, &str)] = &[
    (".ln_1.", ".norm1."),
    (".ln_2.", ".norm2."),
    (".attn.in_proj_", ".attn.qkv."),
    (".attn.out_proj.", ".attn.proj."),
    (".mlp.c_fc.", ".mlp.fc1."),
    (".mlp.c_proj.", ".mlp.fc2."),
];

/// CLIP multiplies embeddings by the projection from the right, so it is a transposed linear layer without a bias.
fn transpose_projection(weights: &mut WeightsByName) {
    if let Some(weight) = weights.remove("head.weight").map(Weight::transposed) {
        weights.insert("head.bias".into(), Weight::zeros(weight.shape.get(..1).unwrap_or_default()));
        weights.insert("head.weight".into(), weight);
    }
}

const CLIP_RESNET: &[(&str, &str)] = &[
    ("visual.conv1.", "stem.conv1.conv."),
    ("visual.bn1.", "stem.conv1.bn."),
    ("visual.conv2.", "stem.conv2.conv."),
    ("visual.bn2.", "stem.conv2.bn."),
    ("visual.conv3.", "stem.conv3.conv."),
    ("visual.bn3.", "stem.conv3.bn."),
    ("visual.layer1.", "stages.0."),
    ("visual.layer2.", "stages.1."),
    ("visual.layer3.", "stages.2."),
    ("visual.layer4.", "stages.3."),
    ("visual.attnpool.positional_embedding", "head.pos_embed"),
    ("visual.attnpool.q_proj.", "head.q."),
    ("visual.attnpool.k_proj.", "head.k."),
    ("visual.attnpool.v_proj.", "head.v."),
    ("visual.attnpool.c_proj.", "head.proj."),
    // These follow the replacements of the stem, whose layers have the same names without a number before them.
    ("0.downsample.0.", "0.shortcut.conv.conv."),
    ("0.downsample.1.", "0.shortcut.conv.bn."),
    (".conv1.weight", ".conv1_1x1.conv.weight"),
    (".bn1.", ".conv1_1x1.bn."),
    (".conv2.weight", ".conv2_kxk.conv.weight"),
    (".bn2.", ".conv2_kxk.bn."),
    (".conv3.weight", ".conv3_1x1.conv.weight"),
    (".bn3.", ".conv3_1x1.bn."),
];

/// The token that replaces hidden patches in training.
const MASKED: &[&str] = &["mask_token", "backbone.mask_token"];

const DINO: &[(&str, &str)] = &[("backbone.", ""), ("linear_head.", "head."), ("register_tokens", "reg_token")];

/// Microsoft's files count the reduction of the resolution to the end of a stage, timm to the beginning of the next
/// one.
const SWIN: &[(&str, &str)] = &[
    ("layers.2.downsample.", "layers.3.downsample."),
    ("layers.1.downsample.", "layers.2.downsample."),
    ("layers.0.downsample.", "layers.1.downsample."),
    ("head.", "head.fc."),
];

//! The names of Hugging Face transformers. Version 5 changed some of them; files on the hub have the older ones.

use super::scheme::{Scheme, WeightsByName};
use super::weight::Weight;

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme::new("resnet.embedder.", RESNET),
    Scheme::new("convnext.embeddings.", CONVNEXT),
    Scheme { ignored: TEXTS, then: CLIP_BLOCK, amend: add_zero_bias, ..Scheme::new("vision_model.embeddings.", CLIP) },
    Scheme { ignored: MASKED, amend: split_positions, ..Scheme::new("embeddings.register_tokens", VIT) },
    Scheme { ignored: MASKED, ..Scheme::new(".layer_scale1.lambda1", VIT) },
    Scheme::new("vit.embeddings.", VIT),
    Scheme::new("deit.embeddings.", VIT),
    Scheme::new("swin.embeddings.", SWIN),
];

const RESNET: &[(&str, &str)] = &[
    ("resnet.embedder.embedder.convolution.", "conv1."),
    ("resnet.embedder.embedder.normalization.", "bn1."),
    ("resnet.encoder.stages.0.layers.", "layer1."),
    ("resnet.encoder.stages.1.layers.", "layer2."),
    ("resnet.encoder.stages.2.layers.", "layer3."),
    ("resnet.encoder.stages.3.layers.", "layer4."),
    (".layer.0.convolution.", ".conv1."),
    (".layer.0.normalization.", ".bn1."),
    (".layer.1.convolution.", ".conv2."),
    (".layer.1.normalization.", ".bn2."),
    (".layer.2.convolution.", ".conv3."),
    (".layer.2.normalization.", ".bn3."),
    (".shortcut.convolution.", ".downsample.0."),
    (".shortcut.normalization.", ".downsample.1."),
    ("classifier.1.", "fc."),
];

const CONVNEXT: &[(&str, &str)] = &[
    ("convnext.embeddings.patch_embeddings.", "stem.0."),
    ("convnext.embeddings.layernorm.", "stem.1."),
    ("convnext.encoder.stages.", "stages."),
    ("convnext.layernorm.", "head.norm."),
    (".downsampling_layer.", ".downsample."),
    (".layers.", ".blocks."),
    (".dwconv.", ".conv_dw."),
    (".layernorm.", ".norm."),
    (".pwconv1.", ".mlp.fc1."),
    (".pwconv2.", ".mlp.fc2."),
    (".layer_scale_parameter", ".gamma"),
    ("classifier.", "head.fc."),
];

/// The weights of CLIP's text tower.
const TEXTS: &[&str] = &["text_model.", "text_projection.", "logit_scale"];

const CLIP: &[(&str, &str)] = &[
    ("vision_model.embeddings.class_embedding", "cls_token"),
    ("vision_model.embeddings.position_embedding.weight", "pos_embed"),
    ("vision_model.embeddings.patch_embedding.", "patch_embed.proj."),
    // This is the library's spelling.
    ("vision_model.pre_layrnorm.", "norm_pre."),
    ("vision_model.post_layernorm.", "norm."),
    ("vision_model.encoder.layers.", "blocks."),
    ("visual_projection.", "head."),
];

/// The names in a block of either tower.
pub(super) const CLIP_BLOCK: &[(&str, &str)] = &[
    (".layer_norm1.", ".norm1."),
    (".layer_norm2.", ".norm2."),
    (".self_attn.q_proj.", ".attn.qkv#0."),
    (".self_attn.k_proj.", ".attn.qkv#1."),
    (".self_attn.v_proj.", ".attn.qkv#2."),
    (".self_attn.out_proj.", ".attn.proj."),
];

/// The projection of an image's embedding has no bias in these files.
fn add_zero_bias(weights: &mut WeightsByName) {
    if let Some(rows) = weights.get("head.weight").and_then(|weight| weight.shape.first().copied()) {
        weights.insert("head.bias".into(), Weight::zeros(&[rows]));
    }
}

/// The token that replaces hidden patches in training.
const MASKED: &[&str] =
    &["embeddings.mask_token", "dinov2.embeddings.mask_token", "dinov2_with_registers.embeddings.mask_token"];

/// In networks with registers, timm gives positions only to patches. The position of the class token is added to the
/// token.
pub(super) fn split_positions(weights: &mut WeightsByName) {
    let Some(places) = weights.remove("pos_embed") else { return };
    let of = |start, length| places.parts.iter().cloned().map(|part| part.narrow(1, start, length)).collect();
    let (class, patches): (Option<Vec<_>>, Option<Vec<_>>) =
        (of(0, 1), of(1, places.shape.get(1).map_or(0, |count| count.saturating_sub(1))));
    match (weights.get_mut("cls_token"), class, patches) {
        (Some(token), Some(class), Some(patches)) => {
            token.add(class);
            weights.insert("pos_embed".into(), Weight::rows(patches));
        }
        // The file does not belong to this scheme after all. The comparison with the graph will report what is missing.
        _ => {
            weights.insert("pos_embed".into(), places);
        }
    }
}

/// The names of ViT, DeiT and DINOv2.
const VIT: &[(&str, &str)] = &[
    ("deit.", ""),
    ("vit.", ""),
    ("dinov2_with_registers.", ""),
    ("dinov2.", ""),
    ("embeddings.register_tokens", "reg_token"),
    (".layer_scale1.lambda1", ".ls1.gamma"),
    (".layer_scale2.lambda1", ".ls2.gamma"),
    ("embeddings.cls_token", "cls_token"),
    ("embeddings.distillation_token", "dist_token"),
    ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("encoder.layer.", "layers."),
    ("layers.", "blocks."),
    ("attention.attention.", "attention."),
    ("attention.query.", "attn.qkv#0."),
    ("attention.key.", "attn.qkv#1."),
    ("attention.value.", "attn.qkv#2."),
    ("attention.q_proj.", "attn.qkv#0."),
    ("attention.k_proj.", "attn.qkv#1."),
    ("attention.v_proj.", "attn.qkv#2."),
    ("attention.output.dense.", "attn.proj."),
    ("attention.o_proj.", "attn.proj."),
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("layernorm.", "norm."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
    ("distillation_classifier.", "head_dist."),
    ("cls_classifier.", "head."),
    ("classifier.", "head."),
];

/// transformers counts the reduction of the resolution to the end of a stage, timm to the beginning of the next one.
const SWIN: &[(&str, &str)] = &[
    ("swin.", ""),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("embeddings.norm.", "patch_embed.norm."),
    ("encoder.layers.", "layers."),
    ("layers.2.downsample.", "layers.3.downsample."),
    ("layers.1.downsample.", "layers.2.downsample."),
    ("layers.0.downsample.", "layers.1.downsample."),
    ("attention.self.", "attention."),
    ("attention.query.", "attn.qkv#0."),
    ("attention.key.", "attn.qkv#1."),
    ("attention.value.", "attn.qkv#2."),
    ("attention.q_proj.", "attn.qkv#0."),
    ("attention.k_proj.", "attn.qkv#1."),
    ("attention.v_proj.", "attn.qkv#2."),
    ("attention.output.dense.", "attn.proj."),
    ("attention.o_proj.", "attn.proj."),
    ("attention.relative_position_bias.", "attention."),
    ("attention.relative_position_bias_table", "attn.relative_position_bias_table"),
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("layernorm.", "norm."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
    ("classifier.", "head.fc."),
];

//! Hugging Face transformers. Its version 5 spells some names anew; files on the hub have the older ones.

use super::Scheme;

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme { mark: "resnet.embedder.", replacements: RESNET },
    Scheme { mark: "vit.embeddings.", replacements: VIT },
    Scheme { mark: "deit.embeddings.", replacements: VIT },
    Scheme { mark: "swin.embeddings.", replacements: SWIN },
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

/// DeiT too.
const VIT: &[(&str, &str)] = &[
    ("deit.", ""),
    ("vit.", ""),
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

/// It reduces the resolution at the end of a stage, timm at the beginning of the next.
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

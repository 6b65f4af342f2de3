//! torchvision, and the files that papers published. ResNets need nothing: timm's names are torchvision's.

use super::Scheme;

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme { mark: "encoder.layers.encoder_layer_0.", replacements: VIT },
    Scheme { mark: "features.1.0.attn.relative_position_bias_table", replacements: SWIN },
    Scheme { mark: "classifier.6.", replacements: VGG },
    Scheme { mark: "layers.0.downsample.reduction.", replacements: SWIN_MICROSOFT },
    Scheme { mark: "denselayer1.norm.1.", replacements: DENSENET_OLD },
];

const VIT: &[(&str, &str)] = &[
    ("class_token", "cls_token"),
    ("conv_proj.", "patch_embed.proj."),
    ("encoder.pos_embedding", "pos_embed"),
    ("encoder.layers.encoder_layer_", "blocks."),
    ("encoder.ln.", "norm."),
    (".ln_1.", ".norm1."),
    (".ln_2.", ".norm2."),
    (".self_attention.in_proj_", ".attn.qkv."),
    (".self_attention.out_proj.", ".attn.proj."),
    (".mlp.0.", ".mlp.fc1."),
    (".mlp.3.", ".mlp.fc2."),
    // Its first release.
    (".mlp.linear_1.", ".mlp.fc1."),
    (".mlp.linear_2.", ".mlp.fc2."),
    ("heads.head.", "head."),
];

const SWIN: &[(&str, &str)] = &[
    ("features.0.0.", "patch_embed.proj."),
    ("features.0.2.", "patch_embed.norm."),
    ("features.1.", "layers.0.blocks."),
    ("features.2.", "layers.1.downsample."),
    ("features.3.", "layers.1.blocks."),
    ("features.4.", "layers.2.downsample."),
    ("features.5.", "layers.2.blocks."),
    ("features.6.", "layers.3.downsample."),
    ("features.7.", "layers.3.blocks."),
    (".mlp.0.", ".mlp.fc1."),
    (".mlp.3.", ".mlp.fc2."),
    ("head.", "head.fc."),
];

/// Its authors' files reduce the resolution at the end of a stage, timm at the beginning of the next.
const SWIN_MICROSOFT: &[(&str, &str)] = &[
    ("layers.2.downsample.", "layers.3.downsample."),
    ("layers.1.downsample.", "layers.2.downsample."),
    ("layers.0.downsample.", "layers.1.downsample."),
    ("head.", "head.fc."),
];

/// What timm has as convolutions over the whole picture of features, it has as linear layers.
const VGG: &[(&str, &str)] =
    &[("classifier.0.", "pre_logits.fc1."), ("classifier.3.", "pre_logits.fc2."), ("classifier.6.", "head.fc.")];

/// torchvision's files of DenseNets are older than its names.
const DENSENET_OLD: &[(&str, &str)] =
    &[(".norm.1.", ".norm1."), (".norm.2.", ".norm2."), (".conv.1.", ".conv1."), (".conv.2.", ".conv2.")];

//! The names of torchvision. ResNets need no scheme, because timm uses torchvision's names.

use super::scheme::{Scheme, WeightsByName};

pub(super) const SCHEMES: &[Scheme] = &[
    Scheme::new("encoder.layers.encoder_layer_0.", VIT),
    Scheme::new("features.1.0.attn.relative_position_bias_table", SWIN),
    Scheme::new("features.1.0.layer_scale", CONVNEXT),
    Scheme { then: MOBILE_BLOCK, ..Scheme::new("features.1.0.block.0.0.", EFFICIENTNET) },
    Scheme { then: MOBILE_BLOCK, amend: adapt_epsilon, ..Scheme::new("features.16.0.", MOBILENET_LARGE) },
    Scheme { then: MOBILE_BLOCK, amend: adapt_epsilon, ..Scheme::new("features.12.0.", MOBILENET_SMALL) },
    Scheme::new("classifier.6.", VGG),
    Scheme::new("denselayer1.norm.1.", DENSENET_OLD),
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
    // The first release of these weights.
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

const CONVNEXT: &[(&str, &str)] = &[
    ("features.0.0.", "stem.0."),
    ("features.0.1.", "stem.1."),
    ("features.1.", "stages.0.blocks."),
    ("features.2.", "stages.1.downsample."),
    ("features.3.", "stages.1.blocks."),
    ("features.4.", "stages.2.downsample."),
    ("features.5.", "stages.2.blocks."),
    ("features.6.", "stages.3.downsample."),
    ("features.7.", "stages.3.blocks."),
    (".layer_scale", ".gamma"),
    (".block.0.", ".conv_dw."),
    (".block.2.", ".norm."),
    (".block.3.", ".mlp.fc1."),
    (".block.5.", ".mlp.fc2."),
    ("classifier.0.", "head.norm."),
    ("classifier.2.", "head.fc."),
];

/// The blocks of the first stage, one or two, have no expanding convolution.
#[rustfmt::skip]
const EFFICIENTNET: &[(&str, &str)] = &[
    ("features.0.0.", "conv_stem."), ("features.0.1.", "bn1."),
    ("features.1.0.block.0.0.", "blocks.0.0.conv_dw."), ("features.1.0.block.0.1.", "blocks.0.0.bn1."),
    ("features.1.0.block.2.0.", "blocks.0.0.conv_pw."), ("features.1.0.block.2.1.", "blocks.0.0.bn2."),
    ("features.1.1.block.0.0.", "blocks.0.1.conv_dw."), ("features.1.1.block.0.1.", "blocks.0.1.bn1."),
    ("features.1.1.block.2.0.", "blocks.0.1.conv_pw."), ("features.1.1.block.2.1.", "blocks.0.1.bn2."),
    ("features.1.", "blocks.0."), ("features.2.", "blocks.1."), ("features.3.", "blocks.2."),
    ("features.4.", "blocks.3."), ("features.5.", "blocks.4."), ("features.6.", "blocks.5."),
    ("features.7.", "blocks.6."), ("features.8.0.", "conv_head."), ("features.8.1.", "bn2."),
    ("classifier.1.", "classifier."),
];

/// The names in a block of EfficientNet or MobileNetV3.
#[rustfmt::skip]
const MOBILE_BLOCK: &[(&str, &str)] = &[
    (".block.0.0.", ".conv_pw."), (".block.0.1.", ".bn1."), (".block.1.0.", ".conv_dw."), (".block.1.1.", ".bn2."),
    (".block.2.0.", ".conv_pwl."), (".block.2.1.", ".bn3."), (".block.3.0.", ".conv_pwl."), (".block.3.1.", ".bn3."),
    (".block.1.fc1.", ".se.conv_reduce."), (".block.1.fc2.", ".se.conv_expand."),
    (".block.2.fc1.", ".se.conv_reduce."), (".block.2.fc2.", ".se.conv_expand."),
];

#[rustfmt::skip]
const MOBILENET_LARGE: &[(&str, &str)] = &[
    ("features.0.0.", "conv_stem."), ("features.0.1.", "bn1."),
    ("features.1.block.0.0.", "blocks.0.0.conv_dw."), ("features.1.block.0.1.", "blocks.0.0.bn1."),
    ("features.1.block.1.0.", "blocks.0.0.conv_pw."), ("features.1.block.1.1.", "blocks.0.0.bn2."),
    ("features.1.", "blocks.0.0."), ("features.2.", "blocks.1.0."), ("features.3.", "blocks.1.1."),
    ("features.4.", "blocks.2.0."), ("features.5.", "blocks.2.1."), ("features.6.", "blocks.2.2."),
    ("features.7.", "blocks.3.0."), ("features.8.", "blocks.3.1."), ("features.9.", "blocks.3.2."),
    ("features.10.", "blocks.3.3."), ("features.11.", "blocks.4.0."), ("features.12.", "blocks.4.1."),
    ("features.13.", "blocks.5.0."), ("features.14.", "blocks.5.1."), ("features.15.", "blocks.5.2."),
    ("features.16.0.", "blocks.6.0.conv."), ("features.16.1.", "blocks.6.0.bn1."),
    ("classifier.0.", "conv_head."), ("classifier.3.", "classifier."),
];

#[rustfmt::skip]
const MOBILENET_SMALL: &[(&str, &str)] = &[
    ("features.0.0.", "conv_stem."), ("features.0.1.", "bn1."),
    ("features.1.block.0.0.", "blocks.0.0.conv_dw."), ("features.1.block.0.1.", "blocks.0.0.bn1."),
    ("features.1.block.2.0.", "blocks.0.0.conv_pw."), ("features.1.block.2.1.", "blocks.0.0.bn2."),
    ("features.1.", "blocks.0.0."), ("features.2.", "blocks.1.0."), ("features.3.", "blocks.1.1."),
    ("features.4.", "blocks.2.0."), ("features.5.", "blocks.2.1."), ("features.6.", "blocks.2.2."),
    ("features.7.", "blocks.3.0."), ("features.8.", "blocks.3.1."), ("features.9.", "blocks.4.0."),
    ("features.10.", "blocks.4.1."), ("features.11.", "blocks.4.2."),
    ("features.12.0.", "blocks.5.0.conv."), ("features.12.1.", "blocks.5.0.bn1."),
    ("classifier.0.", "conv_head."), ("classifier.3.", "classifier."),
];

/// The batch norms of torchvision's MobileNets add 1e-3 to the variance, those of timm 1e-5. The difference is added to
/// the stored variances.
fn adapt_epsilon(weights: &mut WeightsByName) {
    for (_, variance) in weights.iter_mut().filter(|(name, _)| name.ends_with("running_var")) {
        variance.shift(1e-3 - 1e-5);
    }
}

/// torchvision has linear layers where timm has convolutions over the whole feature map.
const VGG: &[(&str, &str)] =
    &[("classifier.0.", "pre_logits.fc1."), ("classifier.3.", "pre_logits.fc2."), ("classifier.6.", "head.fc.")];

/// torchvision's files of DenseNets have names from before its present ones.
const DENSENET_OLD: &[(&str, &str)] =
    &[(".norm.1.", ".norm1."), (".norm.2.", ".norm2."), (".conv.1.", ".conv1."), (".conv.2.", ".conv2.")];

//! Small convolutional networks of each family. The golden scripts build the same in timm and torchvision.

#![allow(dead_code, reason = "each test uses some of the networks")]

use hard_imagenet_graph::Activation;
use hard_imagenet_models::families::blocks::MobileBlock::{Conv, Fused, Inverted, Separable, Universal};
use hard_imagenet_models::families::clip_resnet::ClipResNet;
use hard_imagenet_models::families::convnext::ConvNeXt;
use hard_imagenet_models::families::densenet::DenseNet;
use hard_imagenet_models::families::efficientnet::EfficientNet;
use hard_imagenet_models::families::mobilenet::MobileNet;
use hard_imagenet_models::families::resnet::{Block, ResNet, Stem};
use hard_imagenet_models::families::vgg::Vgg;

pub(crate) const RESNEXT: ResNet = ResNet {
    stem: Stem::ImageNet,
    stem_width: 64,
    block: Block::Grouped { groups: 4, width: 4 },
    stages: &[(64, 1), (128, 2), (256, 1), (512, 1)],
};
pub(crate) const VGG: Vgg = Vgg { stages: &[(8, 1), (16, 2)], batch_norm: false, hidden: 12, side: 7 };
pub(crate) const VGG_BN: Vgg = Vgg { batch_norm: true, ..VGG };
pub(crate) const DENSENET: DenseNet = DenseNet { stem_width: 16, growth: 8, blocks: &[2, 3] };
pub(crate) const CLIP: ClipResNet = ClipResNet { image: 32, width: 16, blocks: &[1, 2], heads: 2 };

/// The factor of the weights of convolutions. Without it, squeeze-and-excitation and SiLU would damp small values so
/// much that logits would hardly depend on the image.
pub(crate) const GAIN: f64 = 1.75;

pub(crate) const CONVNEXT: ConvNeXt = ConvNeXt { stages: &[(16, 1), (24, 1), (32, 2), (40, 1)] };
pub(crate) const EFFICIENTNET: EfficientNet = EfficientNet { width: 0.25, depth: 0.5 };
pub(crate) const MOBILENET_V3: MobileNet = MobileNet {
    stem: 16,
    stages: &[
        &[Separable { kernel: 3, stride: 1, outputs: 16, squeezed: 8 }],
        &[
            Inverted { kernel: 5, stride: 2, expanded: 32, outputs: 24, squeezed: 8 },
            Inverted { kernel: 3, stride: 1, expanded: 72, outputs: 24, squeezed: 0 },
        ],
        &[Conv { kernel: 1, stride: 1, outputs: 48 }],
    ],
    activation: Activation::HardSwish,
    relu_stages: 1,
    features: 32,
    head_norm: false,
};
pub(crate) const MOBILENET_V4: MobileNet = MobileNet {
    stem: 16,
    stages: &[
        &[Conv { kernel: 3, stride: 2, outputs: 16 }, Fused { kernel: 3, stride: 1, expanded: 32, outputs: 16 }],
        &[
            Universal { start: 5, middle: 5, stride: 2, expanded: 48, outputs: 24 },
            Universal { start: 0, middle: 3, stride: 1, expanded: 48, outputs: 24 },
            Universal { start: 3, middle: 0, stride: 1, expanded: 96, outputs: 24 },
            Universal { start: 0, middle: 0, stride: 1, expanded: 48, outputs: 24 },
        ],
        &[
            Universal { start: 3, middle: 0, stride: 2, expanded: 48, outputs: 32 },
            Conv { kernel: 1, stride: 1, outputs: 48 },
        ],
    ],
    activation: Activation::Relu,
    relu_stages: 0,
    features: 32,
    head_norm: true,
};

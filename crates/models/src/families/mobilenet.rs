//! MobileNetV3 (Howard et al. 2019) and the convolutional MobileNetV4 (Qin et al. 2024). Names are timm's. The pooled
//! values pass through one more layer before the classifier.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::{Activations, MobileBlock, mean, stages, stem};
use crate::preprocessing::{imagenet, imagenet_at};
use hard_imagenet_graph::{Activation, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout};
use hard_imagenet_images::Filter;

/// The numbers that describe one MobileNet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MobileNet {
    /// The channels of the stem.
    pub stem: usize,
    /// The blocks of each stage.
    pub stages: &'static [&'static [MobileBlock]],
    /// The activation of stem, stages and head.
    pub activation: Activation,
    /// The number of stages at the beginning that use ReLU instead.
    pub relu_stages: usize,
    /// The length of the features.
    pub features: usize,
    /// Whether the features pass through a batch norm before their activation. If not, they have a bias.
    pub head_norm: bool,
}

impl Architecture for MobileNet {
    /// Returns a graph that accepts any input size.
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let by = |stage| Activations {
            main: if stage < self.relu_stages { Activation::Relu } else { self.activation },
            squeezed: Activation::Relu,
            gate: Activation::HardSigmoid,
        };
        let blocks: Vec<_> = self.stages.iter().enumerate().map(|(i, blocks)| (*blocks, by(i))).collect();
        let mut g = GraphBuilder::new();
        let x = g.input();
        let x = stem(&mut g, x, self.stem, self.activation);
        let (x, channels) = stages(&mut g, x, self.stem, &blocks);
        let x = mean(&mut g, "global_pool", x);
        let head = Conv2d { bias: !self.head_norm, ..Conv2d::new(channels, self.features, 1) };
        let mut x = g.conv2d("conv_head", x, head);
        if self.head_norm {
            x = g.batch_norm_act("norm_head", x, self.features, self.activation);
        } else {
            x = g.activation("act2", x, self.activation);
        }
        let x = g.reshape("flatten", x, &[Extent::Same, Extent::Rest]);
        g.set_layout(x, Layout::Vector);
        let x = g.linear("classifier", x, self.features, classes, true);
        g.finish(x)
    }

    /// Returns the node that is pooled.
    fn cam_node(&self) -> String {
        format!("blocks.{}", self.stages.len() - 1)
    }

    fn feature_node(&self) -> String {
        "flatten".to_owned()
    }
}

const fn v3(relu_stages: usize, features: usize, stages: &'static [&'static [MobileBlock]]) -> MobileNet {
    MobileNet { stem: 16, stages, activation: Activation::HardSwish, relu_stages, features, head_norm: false }
}

const fn v4(stem: usize, stages: &'static [&'static [MobileBlock]]) -> MobileNet {
    MobileNet { stem, stages, activation: Activation::Relu, relu_stages: 0, features: 1280, head_norm: true }
}

const fn conv(kernel: usize, stride: usize, outputs: usize) -> MobileBlock {
    MobileBlock::Conv { kernel, stride, outputs }
}

const fn separable(kernel: usize, stride: usize, outputs: usize, squeezed: usize) -> MobileBlock {
    MobileBlock::Separable { kernel, stride, outputs, squeezed }
}

const fn inverted(kernel: usize, stride: usize, expanded: usize, outputs: usize, squeezed: usize) -> MobileBlock {
    MobileBlock::Inverted { kernel, stride, expanded, outputs, squeezed }
}

const fn fused(kernel: usize, stride: usize, expanded: usize, outputs: usize) -> MobileBlock {
    MobileBlock::Fused { kernel, stride, expanded, outputs }
}

const fn universal(start: usize, middle: usize, stride: usize, expanded: usize, outputs: usize) -> MobileBlock {
    MobileBlock::Universal { start, middle, stride, expanded, outputs }
}

#[rustfmt::skip]
const V3_SMALL: MobileNet = v3(2, 1024, &[
    &[separable(3, 2, 16, 8)],
    &[inverted(3, 2, 72, 24, 0), inverted(3, 1, 88, 24, 0)],
    &[inverted(5, 2, 96, 40, 24), inverted(5, 1, 240, 40, 64), inverted(5, 1, 240, 40, 64)],
    &[inverted(5, 1, 120, 48, 32), inverted(5, 1, 144, 48, 40)],
    &[inverted(5, 2, 288, 96, 72), inverted(5, 1, 576, 96, 144), inverted(5, 1, 576, 96, 144)],
    &[conv(1, 1, 576)],
]);

#[rustfmt::skip]
const V3_LARGE: MobileNet = v3(3, 1280, &[
    &[separable(3, 1, 16, 0)],
    &[inverted(3, 2, 64, 24, 0), inverted(3, 1, 72, 24, 0)],
    &[inverted(5, 2, 72, 40, 24), inverted(5, 1, 120, 40, 32), inverted(5, 1, 120, 40, 32)],
    &[inverted(3, 2, 240, 80, 0), inverted(3, 1, 200, 80, 0), inverted(3, 1, 184, 80, 0), inverted(3, 1, 184, 80, 0)],
    &[inverted(3, 1, 480, 112, 120), inverted(3, 1, 672, 112, 168)],
    &[inverted(5, 2, 672, 160, 168), inverted(5, 1, 960, 160, 240), inverted(5, 1, 960, 160, 240)],
    &[conv(1, 1, 960)],
]);

#[rustfmt::skip]
const V4_SMALL: MobileNet = v4(32, &[
    &[conv(3, 2, 32), conv(1, 1, 32)],
    &[conv(3, 2, 96), conv(1, 1, 64)],
    &[
        universal(5, 5, 2, 192, 96), universal(0, 3, 1, 192, 96), universal(0, 3, 1, 192, 96),
        universal(0, 3, 1, 192, 96), universal(0, 3, 1, 192, 96), universal(3, 0, 1, 384, 96),
    ],
    &[
        universal(3, 3, 2, 576, 128), universal(5, 5, 1, 512, 128), universal(0, 5, 1, 512, 128),
        universal(0, 5, 1, 384, 128), universal(0, 3, 1, 512, 128), universal(0, 3, 1, 512, 128),
    ],
    &[conv(1, 1, 960)],
]);

#[rustfmt::skip]
const V4_MEDIUM: MobileNet = v4(32, &[
    &[fused(3, 2, 128, 48)],
    &[universal(3, 5, 2, 192, 80), universal(3, 3, 1, 160, 80)],
    &[
        universal(3, 5, 2, 480, 160), universal(3, 3, 1, 640, 160), universal(3, 3, 1, 640, 160),
        universal(3, 5, 1, 640, 160), universal(3, 3, 1, 640, 160), universal(3, 0, 1, 640, 160),
        universal(0, 0, 1, 320, 160), universal(3, 0, 1, 640, 160),
    ],
    &[
        universal(5, 5, 2, 960, 256), universal(5, 5, 1, 1024, 256), universal(3, 5, 1, 1024, 256),
        universal(3, 5, 1, 1024, 256), universal(0, 0, 1, 1024, 256), universal(3, 0, 1, 1024, 256),
        universal(3, 5, 1, 512, 256), universal(5, 5, 1, 1024, 256), universal(0, 0, 1, 1024, 256),
        universal(0, 0, 1, 1024, 256), universal(5, 0, 1, 512, 256),
    ],
    &[conv(1, 1, 960)],
]);

#[rustfmt::skip]
const V4_LARGE: MobileNet = v4(24, &[
    &[fused(3, 2, 96, 48)],
    &[universal(3, 5, 2, 192, 96), universal(3, 3, 1, 384, 96)],
    &[
        universal(3, 5, 2, 384, 192), universal(3, 3, 1, 768, 192), universal(3, 3, 1, 768, 192),
        universal(3, 3, 1, 768, 192), universal(3, 5, 1, 768, 192), universal(5, 3, 1, 768, 192),
        universal(5, 3, 1, 768, 192), universal(5, 3, 1, 768, 192), universal(5, 3, 1, 768, 192),
        universal(5, 3, 1, 768, 192), universal(3, 0, 1, 768, 192),
    ],
    &[
        universal(5, 5, 2, 768, 512), universal(5, 5, 1, 2048, 512), universal(5, 5, 1, 2048, 512),
        universal(5, 5, 1, 2048, 512), universal(5, 0, 1, 2048, 512), universal(5, 3, 1, 2048, 512),
        universal(5, 0, 1, 2048, 512), universal(5, 0, 1, 2048, 512), universal(5, 3, 1, 2048, 512),
        universal(5, 5, 1, 2048, 512), universal(5, 0, 1, 2048, 512), universal(5, 0, 1, 2048, 512),
        universal(5, 0, 1, 2048, 512),
    ],
    &[conv(1, 1, 960)],
]);

/// A name without tag means the first row of that name.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "mobilenetv3_small_100.lamb_in1k", architecture: &V3_SMALL, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "mobilenetv3_large_100.ra_in1k", architecture: &V3_LARGE, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "mobilenetv4_conv_small.e2400_r224_in1k", architecture: &V4_SMALL, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "mobilenetv4_conv_small.e1200_r224_in1k", architecture: &V4_SMALL, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "mobilenetv4_conv_medium.e500_r256_in1k", architecture: &V4_MEDIUM, preprocess: imagenet_at(256, 269), classes: 1000 },
    Row { name: "mobilenetv4_conv_medium.e500_r224_in1k", architecture: &V4_MEDIUM, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "mobilenetv4_conv_large.e600_r384_in1k", architecture: &V4_LARGE, preprocess: imagenet_at(384, 404), classes: 1000 },
    Row { name: "mobilenetv4_conv_large.e500_r256_in1k", architecture: &V4_LARGE, preprocess: imagenet_at(256, 269), classes: 1000 },
];

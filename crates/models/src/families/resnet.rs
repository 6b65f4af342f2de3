//! Residual networks (He et al. 2016). Parameters have torchvision's names, other nodes those of timm's modules.

use crate::Architecture;
use crate::families::Row;
use crate::preprocessing::{imagenet, planted};
use hard_imagenet_graph::{Activation, Conv2d, Graph, GraphBuilder, GraphError, NodeId, Pool2d};
use hard_imagenet_images::{Filter, Preprocessing};

/// The kind of block in a residual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Two 3 × 3 convolutions.
    Basic,
    /// Convolutions of 1 × 1, 3 × 3 and 1 × 1, the last with four times as many channels.
    Bottleneck,
    /// A bottleneck whose 3 × 3 convolution has `groups` groups. This is ResNeXt (Xie et al. 2017) and, with one group,
    /// the wide residual network (Zagoruyko and Komodakis 2016).
    Grouped {
        /// The number of groups of channels, which are convolved separately.
        groups: usize,
        /// The channels of a group in the first stage. Each further stage has twice as many.
        width: usize,
    },
}

/// The first layers of a residual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// A 7 × 7 convolution of stride 2 and a max pool, which reduce the resolution to a quarter.
    ImageNet,
    /// A 3 × 3 convolution of stride 2, for small images.
    Small,
}

/// The numbers that describe one residual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResNet {
    /// The first layers.
    pub stem: Stem,
    /// The channels of the stem.
    pub stem_width: usize,
    /// The kind of block.
    pub block: Block,
    /// The width of each stage (that of a plain block's 3 × 3 convolutions) and its number of blocks. The first stage
    /// keeps the resolution, and each further one halves it.
    pub stages: &'static [(usize, usize)],
}

impl ResNet {
    /// Builds one block and returns its value and channels. The node of the block's name is its last activation.
    fn block(&self, g: &mut GraphBuilder, x: NodeId, channels: usize, width: usize, stride: usize) -> (NodeId, usize) {
        let bottleneck = |groups, inner| {
            let middle = Conv2d { stride, padding: 1, groups, ..Conv2d::new(inner, inner, 3) };
            (vec![Conv2d::new(channels, inner, 1), middle, Conv2d::new(inner, 4 * width, 1)], 4 * width)
        };
        let (convs, outputs) = match self.block {
            Block::Basic => {
                let three = |inputs, stride| Conv2d { stride, padding: 1, ..Conv2d::new(inputs, width, 3) };
                (vec![three(channels, stride), three(width, 1)], width)
            }
            Block::Bottleneck => bottleneck(1, width),
            Block::Grouped { groups, width: group_width } => {
                bottleneck(groups, groups * group_width * width / self.stages.first().map_or(width, |stage| stage.0))
            }
        };
        let mut y = x;
        for (i, conv) in convs.iter().enumerate() {
            let number = i + 1;
            y = g.conv2d(&format!("conv{number}"), y, *conv);
            y = g.batch_norm(&format!("bn{number}"), y, conv.outputs);
            if number < convs.len() {
                y = g.activation(&format!("act{number}"), y, Activation::Relu);
            }
        }
        let mut shortcut = x;
        if stride != 1 || channels != outputs {
            shortcut = g.conv2d("downsample.0", x, Conv2d { stride, ..Conv2d::new(channels, outputs, 1) });
            shortcut = g.batch_norm("downsample.1", shortcut, outputs);
        }
        let sum = g.add("add", y, shortcut);
        (g.activation("", sum, Activation::Relu), outputs)
    }
}

impl Architecture for ResNet {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let (kernel, padding) = match self.stem {
            Stem::ImageNet => (7, 3),
            Stem::Small => (3, 1),
        };
        let x = g.conv2d("conv1", x, Conv2d { stride: 2, padding, ..Conv2d::new(3, self.stem_width, kernel) });
        let x = g.batch_norm("bn1", x, self.stem_width);
        let mut x = g.activation("act1", x, Activation::Relu);
        if self.stem == Stem::ImageNet {
            x = g.max_pool2d("maxpool", x, Pool2d { stride: 2, padding: 1, ..Pool2d::new(3) });
        }
        let mut channels = self.stem_width;
        for (stage, &(width, blocks)) in self.stages.iter().enumerate() {
            let name = format!("layer{}", stage + 1);
            for block in 0..blocks {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                (x, channels) = g.scope(&format!("{name}.{block}"), |g| self.block(g, x, channels, width, stride));
            }
            g.alias(&name, x);
        }
        let x = g.global_average_pool("global_pool", x);
        let x = g.linear("fc", x, channels, classes, true);
        g.finish(x)
    }

    fn cam_node(&self) -> String {
        format!("layer{}", self.stages.len())
    }
}

const fn imagenet_resnet(block: Block, stages: &'static [(usize, usize)]) -> ResNet {
    ResNet { stem: Stem::ImageNet, stem_width: 64, block, stages }
}

const RESNET18: ResNet = imagenet_resnet(Block::Basic, &[(64, 2), (128, 2), (256, 2), (512, 2)]);
const RESNET34: ResNet = imagenet_resnet(Block::Basic, &[(64, 3), (128, 4), (256, 6), (512, 3)]);
const RESNET50: ResNet = imagenet_resnet(Block::Bottleneck, &[(64, 3), (128, 4), (256, 6), (512, 3)]);
const RESNET101: ResNet = imagenet_resnet(Block::Bottleneck, &[(64, 3), (128, 4), (256, 23), (512, 3)]);
const RESNET152: ResNet = imagenet_resnet(Block::Bottleneck, &[(64, 3), (128, 8), (256, 36), (512, 3)]);

const WIDE: Block = Block::Grouped { groups: 1, width: 128 };
const WIDE50: ResNet = imagenet_resnet(WIDE, RESNET50.stages);
const WIDE101: ResNet = imagenet_resnet(WIDE, RESNET101.stages);
const RESNEXT50: ResNet = imagenet_resnet(Block::Grouped { groups: 32, width: 4 }, RESNET50.stages);
const RESNEXT101_8: ResNet = imagenet_resnet(Block::Grouped { groups: 32, width: 8 }, RESNET101.stages);
const RESNEXT101_64: ResNet = imagenet_resnet(Block::Grouped { groups: 64, width: 4 }, RESNET101.stages);

/// The small network of the planted-cue images, with about 174,000 parameters.
const PLANTED: ResNet =
    ResNet { stem: Stem::Small, stem_width: 24, block: Block::Basic, stages: &[(24, 1), (48, 1), (96, 1)] };

/// A name without tag means the first row of that name: torchvision's first weights, which the paper used (Q24).
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "resnet18.tv_in1k", architecture: &RESNET18, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet18.a1_in1k", architecture: &RESNET18, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "resnet34.tv_in1k", architecture: &RESNET34, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet34.a1_in1k", architecture: &RESNET34, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "resnet50.tv_in1k", architecture: &RESNET50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet50.tv2_in1k", architecture: &RESNET50, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet50.a1_in1k", architecture: &RESNET50, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "resnet101.tv_in1k", architecture: &RESNET101, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet101.tv2_in1k", architecture: &RESNET101, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet101.a1_in1k", architecture: &RESNET101, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "resnet152.tv_in1k", architecture: &RESNET152, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet152.tv2_in1k", architecture: &RESNET152, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet152.a1_in1k", architecture: &RESNET152, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "wide_resnet50_2.tv_in1k", architecture: &WIDE50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "wide_resnet50_2.tv2_in1k", architecture: &WIDE50, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "wide_resnet50_2.racm_in1k", architecture: &WIDE50, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "wide_resnet101_2.tv_in1k", architecture: &WIDE101, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "wide_resnet101_2.tv2_in1k", architecture: &WIDE101, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "resnext50_32x4d.tv_in1k", architecture: &RESNEXT50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnext50_32x4d.tv2_in1k", architecture: &RESNEXT50, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "resnext50_32x4d.a1_in1k", architecture: &RESNEXT50, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "resnext101_32x8d.tv_in1k", architecture: &RESNEXT101_8, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnext101_32x8d.tv2_in1k", architecture: &RESNEXT101_8, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    Row { name: "resnext101_64x4d.tv_in1k", architecture: &RESNEXT101_64, preprocess: imagenet(232, Filter::Bilinear), classes: 1000 },
    // Adversarially robust networks (Salman et al. 2020), trained against l2 balls of radius 3 or linf balls of radius
    // 4 / 255.
    Row { name: "resnet18.robust_l2_eps3", architecture: &RESNET18, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet18.robust_linf_eps4", architecture: &RESNET18, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet50.robust_l2_eps3", architecture: &RESNET50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "resnet50.robust_linf_eps4", architecture: &RESNET50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "wide_resnet50_2.robust_l2_eps3", architecture: &WIDE50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "wide_resnet50_2.robust_linf_eps4", architecture: &WIDE50, preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    // Contrastive pretraining without labels (Chen et al. 2020) and a linear probe. Images in [0, 1] are not
    // normalized.
    Row { name: "resnet50.simclr", architecture: &RESNET50, preprocess: Preprocessing { mean: [0.0; 3], std: [1.0; 3], ..imagenet(256, Filter::Bilinear) }, classes: 1000 },
    Row { name: "planted_resnet", architecture: &PLANTED, preprocess: planted(), classes: 8 },
    Row { name: "planted_resnet.cue", architecture: &PLANTED, preprocess: planted(), classes: 8 },
    Row { name: "planted_resnet.object", architecture: &PLANTED, preprocess: planted(), classes: 8 },
];

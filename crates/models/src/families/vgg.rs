//! VGG (Simonyan and Zisserman 2015). Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::preprocessing::imagenet;
use hard_imagenet_graph::{Activation, Conv2d, Graph, GraphBuilder, GraphError, Pool2d};
use hard_imagenet_images::Filter;

/// The numbers that describe one VGG network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vgg {
    /// The channels and number of 3 × 3 convolutions of each stage. Each stage ends with a max pool.
    pub stages: &'static [(usize, usize)],
    /// Whether a batch norm follows each convolution.
    pub batch_norm: bool,
    /// The channels of the two hidden layers of the head.
    pub hidden: usize,
    /// The side of the feature map that the head takes: that of the image, halved once for each stage.
    pub side: usize,
}

impl Architecture for Vgg {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let mut x = g.input();
        let mut channels = 3;
        let mut layer = 0;
        // The layers of a torch Sequential are named by their number.
        let mut next = || {
            layer += 1;
            format!("features.{}", layer - 1)
        };
        for &(width, convolutions) in self.stages {
            for _ in 0..convolutions {
                x = g.conv2d(&next(), x, Conv2d { padding: 1, bias: true, ..Conv2d::new(channels, width, 3) });
                if self.batch_norm {
                    x = g.batch_norm(&next(), x, width);
                }
                x = g.activation(&next(), x, Activation::Relu);
                channels = width;
            }
            x = g.max_pool2d(&next(), x, Pool2d::new(2));
        }
        g.alias("features", x);
        // timm has the hidden layers as convolutions over the whole map, so larger images give several vectors, which
        // are averaged.
        let hidden = self.hidden;
        let x = g.conv2d("pre_logits.fc1", x, Conv2d { bias: true, ..Conv2d::new(channels, hidden, self.side) });
        let x = g.activation("pre_logits.act1", x, Activation::Relu);
        let x = g.conv2d("pre_logits.fc2", x, Conv2d { bias: true, ..Conv2d::new(hidden, hidden, 1) });
        let x = g.activation("pre_logits.act2", x, Activation::Relu);
        let x = g.global_average_pool("head.global_pool", x);
        let x = g.linear("head.fc", x, hidden, classes, true);
        g.finish(x)
    }

    /// Returns the last max pool, of 7 × 7 positions.
    fn cam_node(&self) -> String {
        "features".to_owned()
    }

    fn feature_node(&self) -> String {
        "head.global_pool".to_owned()
    }
}

const fn vgg(stages: &'static [(usize, usize)], batch_norm: bool) -> Vgg {
    Vgg { stages, batch_norm, hidden: 4096, side: 7 }
}

const VGG11: &[(usize, usize)] = &[(64, 1), (128, 1), (256, 2), (512, 2), (512, 2)];
const VGG13: &[(usize, usize)] = &[(64, 2), (128, 2), (256, 2), (512, 2), (512, 2)];
const VGG16: &[(usize, usize)] = &[(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];
const VGG19: &[(usize, usize)] = &[(64, 2), (128, 2), (256, 4), (512, 4), (512, 4)];

#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "vgg11.tv_in1k", architecture: &vgg(VGG11, false), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg11_bn.tv_in1k", architecture: &vgg(VGG11, true), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg13.tv_in1k", architecture: &vgg(VGG13, false), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg13_bn.tv_in1k", architecture: &vgg(VGG13, true), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg16.tv_in1k", architecture: &vgg(VGG16, false), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg16_bn.tv_in1k", architecture: &vgg(VGG16, true), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg19.tv_in1k", architecture: &vgg(VGG19, false), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
    Row { name: "vgg19_bn.tv_in1k", architecture: &vgg(VGG19, true), preprocess: imagenet(256, Filter::Bilinear), classes: 1000 },
];

//! Densely connected networks (Huang et al. 2017). Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::preprocessing::imagenet;
use hard_imagenet_graph::{Activation, Conv2d, Graph, GraphBuilder, GraphError, Layout, NodeId, Pool2d};
use hard_imagenet_images::Filter;

/// The numbers that describe one DenseNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseNet {
    /// The channels of the stem.
    pub stem_width: usize,
    /// The channels that each layer adds.
    pub growth: usize,
    /// The number of layers of each block.
    pub blocks: &'static [usize],
}

/// The channels inside a layer, as a multiple of the growth.
const BOTTLENECK: usize = 4;

impl Architecture for DenseNet {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let (x, channels) = g.scope("features", |g| self.features(g, x));
        g.alias("features", x);
        let x = g.global_average_pool("global_pool", x);
        let x = g.linear("classifier", x, channels, classes, true);
        g.finish(x)
    }

    /// Returns the last norm and its activation.
    fn cam_node(&self) -> String {
        "features".to_owned()
    }
}

impl DenseNet {
    fn features(&self, g: &mut GraphBuilder, x: NodeId) -> (NodeId, usize) {
        let mut channels = self.stem_width;
        let x = g.conv2d("conv0", x, Conv2d { stride: 2, padding: 3, ..Conv2d::new(3, channels, 7) });
        let x = g.batch_norm_act("norm0", x, channels, Activation::Relu);
        let mut x = g.max_pool2d("pool0", x, Pool2d { stride: 2, padding: 1, ..Pool2d::new(3) });
        for (i, &layers) in self.blocks.iter().enumerate() {
            let number = i + 1;
            (x, channels) = g.scope(&format!("denseblock{number}"), |g| self.block(g, x, channels, layers));
            if number < self.blocks.len() {
                x = g.scope(&format!("transition{number}"), |g| {
                    let y = g.batch_norm_act("norm", x, channels, Activation::Relu);
                    let y = g.conv2d("conv", y, Conv2d::new(channels, channels / 2, 1));
                    let y = g.avg_pool2d("pool", y, Pool2d::new(2), true);
                    g.alias("", y);
                    y
                });
                channels /= 2;
            }
        }
        (g.batch_norm_act("norm5", x, channels, Activation::Relu), channels)
    }

    /// Builds a block, in which each layer takes the concatenated outputs of all layers before it.
    fn block(&self, g: &mut GraphBuilder, x: NodeId, channels: usize, layers: usize) -> (NodeId, usize) {
        let inner = BOTTLENECK * self.growth;
        let (mut seen, mut channels) = (x, channels);
        for layer in 1..=layers {
            seen = g.scope(&format!("denselayer{layer}"), |g| {
                let y = g.batch_norm_act("norm1", seen, channels, Activation::Relu);
                let y = g.conv2d("conv1", y, Conv2d::new(channels, inner, 1));
                let y = g.batch_norm_act("norm2", y, inner, Activation::Relu);
                let y = g.conv2d("conv2", y, Conv2d { padding: 1, ..Conv2d::new(inner, self.growth, 3) });
                g.alias("", y);
                let seen = g.concat("concat", &[seen, y], 1);
                g.set_layout(seen, Layout::Nchw);
                seen
            });
            channels += self.growth;
        }
        g.alias("", seen);
        (seen, channels)
    }
}

const DENSENET121: DenseNet = DenseNet { stem_width: 64, growth: 32, blocks: &[6, 12, 24, 16] };
const DENSENET161: DenseNet = DenseNet { stem_width: 96, growth: 48, blocks: &[6, 12, 36, 24] };
const DENSENET169: DenseNet = DenseNet { stem_width: 64, growth: 32, blocks: &[6, 12, 32, 32] };
const DENSENET201: DenseNet = DenseNet { stem_width: 64, growth: 32, blocks: &[6, 12, 48, 32] };

#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "densenet121.tv_in1k", architecture: &DENSENET121, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "densenet121.ra_in1k", architecture: &DENSENET121, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "densenet161.tv_in1k", architecture: &DENSENET161, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "densenet169.tv_in1k", architecture: &DENSENET169, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "densenet201.tv_in1k", architecture: &DENSENET201, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
];

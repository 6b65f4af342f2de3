//! EfficientNet (Tan and Le 2019): one network and variants that are wider and deeper by a factor. Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::{Activations, MobileBlock, conv_norm, stages, stem};
use crate::preprocessing::imagenet_at;
use hard_imagenet_graph::{Activation, Conv2d, Graph, GraphBuilder, GraphError};

/// The numbers that describe one EfficientNet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EfficientNet {
    /// The factor of the channels of B0; the results are rounded to multiples of 8.
    pub width: f64,
    /// The factor of the blocks in each stage of B0; the results are rounded up.
    pub depth: f64,
}

/// The stages of B0: side of the window, stride of the first block, factor of the channels in the middle of a block,
/// output channels, number of blocks.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];

const ACTIVATIONS: Activations =
    Activations { main: Activation::Silu, squeezed: Activation::Silu, gate: Activation::Sigmoid };

impl EfficientNet {
    /// Returns the blocks of each stage for a stem with that many channels. The squeeze-and-excitation has a quarter of
    /// a block's input channels.
    fn blocks(&self, stem: usize) -> Vec<Vec<MobileBlock>> {
        let mut inputs = stem;
        STAGES
            .iter()
            .map(|&(kernel, stride, expansion, outputs, count)| {
                let outputs = self.channels(outputs);
                let count = (count as f64 * self.depth).ceil() as usize;
                let block = |i| {
                    let stride = if i == 0 { stride } else { 1 };
                    let (expanded, squeezed) = (inputs * expansion, inputs / 4);
                    inputs = outputs;
                    match expansion {
                        1 => MobileBlock::Separable { kernel, stride, outputs, squeezed },
                        _ => MobileBlock::Inverted { kernel, stride, expanded, outputs, squeezed },
                    }
                };
                (0..count).map(block).collect()
            })
            .collect()
    }

    /// Returns the nearest multiple of 8, or the next larger one if that removes more than a tenth of the channels.
    fn channels(&self, b0_channels: usize) -> usize {
        let exact = b0_channels as f64 * self.width;
        let near = ((exact + 4.0) as usize / 8 * 8).max(8);
        if (near as f64) < 0.9 * exact { near + 8 } else { near }
    }
}

impl Architecture for EfficientNet {
    /// Returns a graph that accepts any input size.
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let (first, last) = (self.channels(32), self.channels(1280));
        let blocks = self.blocks(first);
        let blocks: Vec<_> = blocks.iter().map(|stage| (stage.as_slice(), ACTIVATIONS)).collect();
        let mut g = GraphBuilder::new();
        let x = g.input();
        let x = stem(&mut g, x, first, ACTIVATIONS.main);
        let (x, channels) = stages(&mut g, x, first, &blocks);
        let head = Conv2d::new(channels, last, 1);
        let x = conv_norm(&mut g, ["conv_head", "bn2"], x, head, Some(ACTIVATIONS.main));
        let x = g.global_average_pool("global_pool", x);
        let x = g.linear("classifier", x, last, classes, true);
        g.finish(x)
    }

    /// Returns the node that is pooled.
    fn cam_node(&self) -> String {
        "bn2".to_owned()
    }
}

const B0: EfficientNet = EfficientNet { width: 1.0, depth: 1.0 };
const B1: EfficientNet = EfficientNet { width: 1.0, depth: 1.1 };
const B2: EfficientNet = EfficientNet { width: 1.1, depth: 1.2 };
const B3: EfficientNet = EfficientNet { width: 1.2, depth: 1.4 };
const B4: EfficientNet = EfficientNet { width: 1.4, depth: 1.8 };

/// The input sizes are those at which timm tests. From B1 on, they are larger than in training.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "efficientnet_b0.ra_in1k", architecture: &B0, preprocess: imagenet_at(224, 256), classes: 1000 },
    Row { name: "efficientnet_b1.ft_in1k", architecture: &B1, preprocess: imagenet_at(256, 256), classes: 1000 },
    Row { name: "efficientnet_b2.ra_in1k", architecture: &B2, preprocess: imagenet_at(288, 288), classes: 1000 },
    Row { name: "efficientnet_b3.ra2_in1k", architecture: &B3, preprocess: imagenet_at(320, 320), classes: 1000 },
    Row { name: "efficientnet_b4.ra2_in1k", architecture: &B4, preprocess: imagenet_at(384, 384), classes: 1000 },
];

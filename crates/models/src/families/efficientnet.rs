//! EfficientNet (Tan & Le 2019), with timm's names: one network, and others that are wider and deeper by a factor.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::{Activations, MobileBlock, conv_norm, stages, stem};
use crate::preprocessing::imagenet_at;
use hard_imagenet_graph::{Activation, Conv2d, Graph, GraphBuilder, GraphError};

/// The numbers that make one EfficientNet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EfficientNet {
    /// Times as many channels as B0, rounded to multiples of 8.
    pub width: f64,
    /// Times as many blocks in each stage as B0, rounded up.
    pub depth: f64,
}

/// B0's stages: side of the window, stride of the first block, times as many channels in the middle of a block,
/// channels after, blocks.
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
    /// The blocks of each stage, given the stem's channels. The squeeze is a quarter of a block's input.
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

    /// The nearest multiple of 8, or the next one where that would take more than a tenth away.
    fn channels(&self, of_b0: usize) -> usize {
        let exact = of_b0 as f64 * self.width;
        let near = ((exact + 4.0) as usize / 8 * 8).max(8);
        if (near as f64) < 0.9 * exact { near + 8 } else { near }
    }
}

impl Architecture for EfficientNet {
    /// Any input size.
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

    /// What is pooled.
    fn cam_node(&self) -> String {
        "bn2".to_owned()
    }
}

const B0: EfficientNet = EfficientNet { width: 1.0, depth: 1.0 };
const B1: EfficientNet = EfficientNet { width: 1.0, depth: 1.1 };
const B2: EfficientNet = EfficientNet { width: 1.1, depth: 1.2 };
const B3: EfficientNet = EfficientNet { width: 1.2, depth: 1.4 };
const B4: EfficientNet = EfficientNet { width: 1.4, depth: 1.8 };

/// At the sizes that timm tests them at; from B1 on these are larger than the sizes of training.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "efficientnet_b0.ra_in1k", architecture: &B0, preprocess: imagenet_at(224, 256), classes: 1000 },
    Row { name: "efficientnet_b1.ft_in1k", architecture: &B1, preprocess: imagenet_at(256, 256), classes: 1000 },
    Row { name: "efficientnet_b2.ra_in1k", architecture: &B2, preprocess: imagenet_at(288, 288), classes: 1000 },
    Row { name: "efficientnet_b3.ra2_in1k", architecture: &B3, preprocess: imagenet_at(320, 320), classes: 1000 },
    Row { name: "efficientnet_b4.ra2_in1k", architecture: &B4, preprocess: imagenet_at(384, 384), classes: 1000 },
];

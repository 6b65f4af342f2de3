//! ConvNeXt (Liu et al. 2022): residual networks whose blocks are those of a transformer with a depthwise convolution
//! instead of attention. Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::preprocessing::imagenet;
use hard_imagenet_graph::{Activation, Conv2d, Graph, GraphBuilder, GraphError, NodeId};
use hard_imagenet_images::Filter;

/// The numbers that describe one ConvNeXt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvNeXt {
    /// The channels and number of blocks of each stage. The first stage has a quarter of the image's resolution, and
    /// each further one halves it.
    pub stages: &'static [(usize, usize)],
}

/// The epsilon of the layer norms, timm's.
const EPS: f64 = 1e-6;

impl ConvNeXt {
    /// Builds one block. The node of the block's name is its sum.
    fn block(g: &mut GraphBuilder, x: NodeId, width: usize) -> NodeId {
        let window = Conv2d { padding: 3, groups: width, bias: true, ..Conv2d::new(width, width, 7) };
        let y = g.conv2d("conv_dw", x, window);
        let y = g.to_nhwc("nhwc", y);
        let y = g.layer_norm("norm", y, width, EPS);
        let y = g.linear("mlp.fc1", y, width, 4 * width, true);
        let y = g.activation("mlp.act", y, Activation::Gelu);
        let y = g.linear("mlp.fc2", y, 4 * width, width, true);
        g.alias("mlp", y);
        let gamma = g.parameter("gamma", &[width]);
        let y = g.mul("scaled", y, gamma);
        let y = g.to_nchw("nchw", y);
        g.add("", y, x)
    }
}

impl Architecture for ConvNeXt {
    /// Returns a graph that accepts input sizes from 32 × 32 on.
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let mut x = g.input();
        let mut channels = 3;
        for (stage, &(width, blocks)) in self.stages.iter().enumerate() {
            let smaller = |side| Conv2d { stride: side, bias: true, ..Conv2d::new(channels, width, side) };
            let name = format!("stages.{stage}");
            if stage == 0 {
                x = g.conv2d("stem.0", x, smaller(4));
                x = g.layer_norm2d("stem.1", x, width, EPS);
                g.alias("stem", x);
            } else {
                x = g.layer_norm2d(&format!("{name}.downsample.0"), x, channels, EPS);
                x = g.conv2d(&format!("{name}.downsample.1"), x, smaller(2));
                g.alias(&format!("{name}.downsample"), x);
            }
            for block in 0..blocks {
                x = g.scope(&format!("{name}.blocks.{block}"), |g| Self::block(g, x, width));
            }
            g.alias(&name, x);
            channels = width;
        }
        let x = g.global_average_pool("head.global_pool", x);
        let x = g.layer_norm("head.norm", x, channels, EPS);
        let x = g.linear("head.fc", x, channels, classes, true);
        g.finish(x)
    }

    fn cam_node(&self) -> String {
        format!("stages.{}", self.stages.len() - 1)
    }

    fn feature_node(&self) -> String {
        "head.norm".to_owned()
    }
}

const TINY: ConvNeXt = ConvNeXt { stages: &[(96, 3), (192, 3), (384, 9), (768, 3)] };
const SMALL: ConvNeXt = ConvNeXt { stages: &[(96, 3), (192, 3), (384, 27), (768, 3)] };
const BASE: ConvNeXt = ConvNeXt { stages: &[(128, 3), (256, 3), (512, 27), (1024, 3)] };

/// A name without tag means the first row of that name.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "convnext_tiny.fb_in1k", architecture: &TINY, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convnext_tiny.fb_in22k_ft_in1k", architecture: &TINY, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convnext_tiny.in12k_ft_in1k", architecture: &TINY, preprocess: imagenet(235, Filter::Bicubic), classes: 1000 },
    Row { name: "convnext_small.fb_in1k", architecture: &SMALL, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convnext_small.fb_in22k_ft_in1k", architecture: &SMALL, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convnext_base.fb_in1k", architecture: &BASE, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convnext_base.fb_in22k_ft_in1k", architecture: &BASE, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
];

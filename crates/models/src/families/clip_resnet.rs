//! The residual networks that are image towers of CLIP (Radford et al. 2021). Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::conv_norm_module;
use crate::preprocessing::clip;
use hard_imagenet_graph::{
    Activation, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout, NodeId, Pool2d, Reduction,
};

/// The numbers that describe one image tower. Its output is the embedding that is compared with those of texts. A
/// linear probe has as many outputs as classes instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipResNet {
    /// The side of the square image, in pixels.
    pub image: usize,
    /// The channels of the stem. The blocks of the stages have 1, 2, 4 and 8 times as many inside and four times that
    /// outside.
    pub width: usize,
    /// The number of blocks of each stage.
    pub blocks: &'static [usize],
    /// The number of heads of the attention that pools at the end.
    pub heads: usize,
}

const RELU: Option<Activation> = Some(Activation::Relu);

impl Architecture for ClipResNet {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let mut x = g.scope("stem", |g| self.stem(g, x));
        let mut channels = self.width;
        for (stage, &blocks) in self.blocks.iter().enumerate() {
            let name = format!("stages.{stage}");
            for block in 0..blocks {
                let halve = block == 0 && stage > 0;
                let scope = format!("{name}.{block}");
                (x, channels) = g.scope(&scope, |g| bottleneck(g, x, channels, self.width << stage, halve));
            }
            g.alias(&name, x);
        }
        // The stem reduces the resolution to a quarter, and each stage except the first halves it.
        let side = self.image / (4 << (self.blocks.len() - 1));
        let x = g.scope("head", |g| self.attention_pool(g, x, channels, side, classes));
        g.finish(x)
    }

    fn cam_node(&self) -> String {
        format!("stages.{}", self.blocks.len() - 1)
    }

    fn feature_node(&self) -> String {
        "head.pooled".to_owned()
    }
}

impl ClipResNet {
    fn stem(&self, g: &mut GraphBuilder, x: NodeId) -> NodeId {
        let (width, half) = (self.width, self.width / 2);
        let three = |inputs, outputs| Conv2d { padding: 1, ..Conv2d::new(inputs, outputs, 3) };
        let x = conv_norm_module(g, "conv1", x, Conv2d { stride: 2, ..three(3, half) }, RELU);
        let x = conv_norm_module(g, "conv2", x, three(half, half), RELU);
        let x = conv_norm_module(g, "conv3", x, three(half, width), RELU);
        let x = g.avg_pool2d("pool", x, Pool2d::new(2), true);
        g.alias("", x);
        x
    }

    /// Builds the attention from the mean of all positions to the positions. No other query is used.
    fn attention_pool(&self, g: &mut GraphBuilder, x: NodeId, channels: usize, side: usize, classes: usize) -> NodeId {
        let size = channels / self.heads;
        let tokens = Layout::Tokens { prefix: 1, h: side, w: side };
        let x = g.reshape("flatten", x, &[Extent::Same, Extent::Same, Extent::Rest]);
        let x = g.permute("tokens", x, &[0, 2, 1]);
        g.set_layout(x, Layout::Tokens { prefix: 0, h: side, w: side });
        let mean = g.reduce("mean", x, Reduction::Mean, &[1], true);
        let x = g.concat("concat", &[mean, x], 1);
        g.set_layout(x, tokens);
        let positions = g.parameter("pos_embed", &[side * side + 1, channels]);
        let x = g.add("positions", x, positions);
        let query = g.narrow("query", x, 1, 0, 1);
        let heads = |g: &mut GraphBuilder, name: &str, x: NodeId| {
            let x = g.linear(name, x, channels, channels, true);
            let extents = [Extent::Same, Extent::Same, Extent::Is(self.heads), Extent::Is(size)];
            let x = g.reshape(&format!("{name}.split"), x, &extents);
            g.permute(&format!("{name}.heads"), x, &[0, 2, 1, 3])
        };
        let (q, k, v) = (heads(g, "q", query), heads(g, "k", x), heads(g, "v", x));
        let q = g.scale("q.scaled", q, (size as f64).powf(-0.5));
        let scores = g.matmul("scores", q, k, true);
        let weights = g.softmax("softmax", scores);
        let x = g.matmul("context", weights, v, false);
        let x = g.reshape("pooled", x, &[Extent::Same, Extent::Is(channels)]);
        g.set_layout(x, Layout::Vector);
        g.linear("proj", x, channels, classes, true)
    }
}

/// Builds one block and returns its value and channels. An average pool halves the resolution, not a stride, so no
/// pixel is skipped.
fn bottleneck(g: &mut GraphBuilder, x: NodeId, channels: usize, width: usize, halve: bool) -> (NodeId, usize) {
    let outputs = 4 * width;
    let y = conv_norm_module(g, "conv1_1x1", x, Conv2d::new(channels, width, 1), RELU);
    let mut y = conv_norm_module(g, "conv2_kxk", y, Conv2d { padding: 1, ..Conv2d::new(width, width, 3) }, RELU);
    if halve {
        y = g.avg_pool2d("conv2_kxk.aa", y, Pool2d::new(2), true);
    }
    let y = conv_norm_module(g, "conv3_1x1", y, Conv2d::new(width, outputs, 1), None);
    let mut shortcut = x;
    if halve {
        shortcut = g.avg_pool2d("shortcut.pool", x, Pool2d::new(2), true);
    }
    if channels != outputs {
        shortcut = conv_norm_module(g, "shortcut.conv", shortcut, Conv2d::new(channels, outputs, 1), None);
    }
    let sum = g.add("add", y, shortcut);
    (g.activation("", sum, Activation::Relu), outputs)
}

const RN50: ClipResNet = ClipResNet { image: 224, width: 64, blocks: &[3, 4, 6, 3], heads: 32 };
const RN101: ClipResNet = ClipResNet { image: 224, width: 64, blocks: &[3, 4, 23, 3], heads: 32 };

/// `classes` is the length of the embedding.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "resnet50_clip.openai", architecture: &RN50, preprocess: clip(248), classes: 1024 },
    Row { name: "resnet101_clip.openai", architecture: &RN101, preprocess: clip(248), classes: 512 },
];

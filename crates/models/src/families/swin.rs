//! Swin transformers (Liu et al. 2021): attention within windows, which are shifted in every other block. Names are
//! timm's, and values are `(B, H, W, C)`.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::{join_heads, mlp, scores, split_heads};
use crate::preprocessing::imagenet;
use hard_imagenet_graph::{
    Activation, Constant, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout, NodeId, Reduction,
};
use hard_imagenet_images::Filter;

/// The numbers that describe one Swin transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwinTransformer {
    /// The side of the square image, in pixels. Other sizes are errors.
    pub image: usize,
    /// The side of a patch, in pixels.
    pub patch: usize,
    /// The side of a window, in patches. It must divide the side of every stage.
    pub window: usize,
    /// The channels of the first stage. Each further stage has twice as many at half the resolution.
    pub width: usize,
    /// The number of blocks and the number of attention heads of each stage.
    pub stages: &'static [(usize, usize)],
}

/// The epsilon of the layer norms, timm's.
const EPS: f64 = 1e-5;

/// The number that is added to the score of two positions that come from opposite edges of the image into one shifted
/// window.
const APART: f32 = -100.0;

/// One stage: `side` × `side` positions with `width` channels.
#[derive(Clone, Copy)]
struct Stage {
    side: usize,
    width: usize,
    heads: usize,
    window: usize,
}

/// Merges four neighboring positions into one with twice as many channels.
fn merge(g: &mut GraphBuilder, x: NodeId, side: usize, width: usize) -> NodeId {
    let half = Extent::Is(side / 2);
    let pairs = [Extent::Same, half, Extent::Is(2), half, Extent::Is(2), Extent::Is(width)];
    let x = g.reshape("pairs", x, &pairs);
    let x = g.permute("neighbours", x, &[0, 1, 3, 4, 2, 5]);
    let x = g.reshape("join", x, &[Extent::Same, Extent::Same, Extent::Same, Extent::Is(4 * width)]);
    g.set_layout(x, Layout::Nhwc);
    let x = g.layer_norm("norm", x, 4 * width, EPS);
    let x = g.linear("reduction", x, 4 * width, 2 * width, false);
    g.alias("", x);
    x
}

impl Stage {
    /// Builds the blocks. The node of the stage's name is the last block.
    fn blocks(self, g: &mut GraphBuilder, x: NodeId, count: usize) -> NodeId {
        // A single window covers everything, so a shift would change nothing.
        let shift = if self.side > self.window { self.window / 2 } else { 0 };
        let mask = (shift > 0 && count > 1).then(|| g.constant("attn_mask", self.mask(shift)));
        let mut x = x;
        for block in 0..count {
            let shifted = if block % 2 == 1 { mask.map(|mask| (shift, mask)) } else { None };
            x = g.scope(&format!("blocks.{block}"), |g| self.block(g, x, shifted));
        }
        g.alias("", x);
        x
    }

    /// Builds one block. The node of the block's name is its last sum.
    fn block(self, g: &mut GraphBuilder, x: NodeId, shifted: Option<(usize, NodeId)>) -> NodeId {
        let y = g.layer_norm("norm1", x, self.width, EPS);
        let y = g.scope("attn", |g| self.attention(g, y, shifted));
        let x = g.add("residual", x, y);
        let y = g.layer_norm("norm2", x, self.width, EPS);
        let y = mlp(g, y, self.width, Activation::Gelu);
        g.add("", x, y)
    }

    /// Builds the attention within windows, from and to the order of the image. The projection at the end acts on each
    /// position separately, so it can follow the step that puts the windows together.
    fn attention(self, g: &mut GraphBuilder, x: NodeId, shifted: Option<(usize, NodeId)>) -> NodeId {
        let Self { side, width, heads, window } = self;
        let (each, area, across) = (Extent::Is(window), window * window, Extent::Is(side / window));
        let shift = shifted.map_or(0, |(shift, _)| shift as i32);
        let x = roll(g, "shift", x, -shift);
        let x = g.reshape("windows.split", x, &[Extent::Same, across, each, across, each, Extent::Is(width)]);
        let x = g.permute("windows.order", x, &[0, 1, 3, 2, 4, 5]);
        let x = g.reshape("windows", x, &[Extent::Rest, Extent::Is(area), Extent::Is(width)]);

        let x = g.linear("qkv", x, width, 3 * width, true);
        let [q, k, v] = split_heads(g, "qkv", x, ["q", "k", "v"], width, heads);
        let scores = scores(g, q, k, width / heads);
        let squares = [Extent::Is(heads), Extent::Is(area), Extent::Is(area)];
        let by_window = [&[Extent::Rest, Extent::Is((side / window).pow(2))], &squares[..]].concat();
        let scores = g.reshape("scores.windows", scores, &by_window);
        let bias = self.position_bias(g, shifted.map(|(_, mask)| mask));
        let scores = g.add("scores.biased", scores, bias);
        let weights = g.softmax("softmax.windows", scores);
        let weights = g.reshape("softmax", weights, &[&[Extent::Rest], &squares[..]].concat());
        let x = join_heads(g, weights, v, width);

        let x = g.reshape("picture.split", x, &[Extent::Rest, across, across, each, each, Extent::Is(width)]);
        let x = g.permute("picture.order", x, &[0, 1, 3, 2, 4, 5]);
        let x = g.reshape("picture", x, &[Extent::Same, Extent::Is(side), Extent::Is(side), Extent::Is(width)]);
        let x = roll(g, "unshift", x, shift);
        g.set_layout(x, Layout::Nhwc);
        let x = g.linear("proj", x, width, width, true);
        g.alias("", x);
        x
    }

    /// Builds the numbers that are added to the scores: for each head, a learned number for each offset between two
    /// positions, and the mask.
    fn position_bias(self, g: &mut GraphBuilder, mask: Option<NodeId>) -> NodeId {
        let (window, area) = (self.window, self.window * self.window);
        let span = 2 * window - 1;
        let table = g.parameter("relative_position_bias_table", &[span * span, self.heads]);
        let offset = |from: usize, to: usize| from + window - 1 - to;
        let indices: Vec<u32> = (0..area * area)
            .map(|i| (i / area, i % area))
            .map(|(a, b)| offset(a / window, b / window) * span + offset(a % window, b % window))
            .map(|index| index as u32)
            .collect();
        let bias = g.index_select("bias.pairs", table, 0, &indices);
        let bias = g.reshape("bias.square", bias, &[Extent::Is(area), Extent::Is(area), Extent::Is(self.heads)]);
        let bias = g.permute("bias", bias, &[2, 0, 1]);
        match mask {
            Some(mask) => g.add("bias.masked", mask, bias),
            None => bias,
        }
    }

    /// Returns the mask `(windows, 1, area, area)`: 0 for two positions of a shifted window that belong to the same
    /// part of the image, and [`APART`] otherwise.
    fn mask(self, shift: usize) -> Constant {
        let (side, window, area) = (self.side, self.window, self.window * self.window);
        // After the shift, rows and columns belong to whole windows, or to the last window's own part, or wrapped
        // around.
        let part = |i: usize| usize::from(i >= side - window) + usize::from(i >= side - shift);
        let across = side / window;
        let place = |index: usize, i: usize| {
            let (row, column) = (index / across * window + i / window, index % across * window + i % window);
            (part(row), part(column))
        };
        let values = (0..across * across * area * area).map(|i| {
            let (index, a, b) = (i / (area * area), i / area % area, i % area);
            if place(index, a) == place(index, b) { 0.0 } else { APART }
        });
        Constant::new(&[across * across, 1, area, area], values.collect())
    }
}

/// Shifts rows and columns cyclically. The result has no layout, because its positions are not those of the image.
fn roll(g: &mut GraphBuilder, name: &str, x: NodeId, shift: i32) -> NodeId {
    if shift == 0 {
        return x;
    }
    let mut x = x;
    for (axis, dim) in [("rows", 1), ("columns", 2)] {
        x = g.roll(&format!("{name}.{axis}"), x, dim, shift);
        g.set_layout(x, Layout::Other);
    }
    x
}

impl Architecture for SwinTransformer {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let patches = Conv2d { stride: self.patch, bias: true, ..Conv2d::new(3, self.width, self.patch) };
        let x = g.conv2d("patch_embed.proj", x, patches);
        let x = g.to_nhwc("patch_embed.places", x);
        let mut x = g.layer_norm("patch_embed.norm", x, self.width, EPS);
        g.alias("patch_embed", x);
        let (mut side, mut width) = (self.image / self.patch, self.width);
        for (i, &(blocks, heads)) in self.stages.iter().enumerate() {
            if i > 0 {
                x = g.scope(&format!("layers.{i}.downsample"), |g| merge(g, x, side, width));
                (side, width) = (side / 2, 2 * width);
            }
            let stage = Stage { side, width, heads, window: self.window };
            x = g.scope(&format!("layers.{i}"), |g| stage.blocks(g, x, blocks));
        }
        let x = g.layer_norm("norm", x, width, EPS);
        let x = g.reduce("head.global_pool", x, Reduction::Mean, &[1, 2], false);
        g.set_layout(x, Layout::Vector);
        let x = g.linear("head.fc", x, width, classes, true);
        g.finish(x)
    }

    /// Returns the first norm of the last block, as pytorch-grad-cam recommends.
    fn cam_node(&self) -> String {
        let last = self.stages.len() - 1;
        format!("layers.{last}.blocks.{}.norm1", self.stages[last].0 - 1)
    }

    fn feature_node(&self) -> String {
        "head.global_pool".to_owned()
    }
}

const fn patch4_window7(width: usize, stages: &'static [(usize, usize)]) -> SwinTransformer {
    SwinTransformer { image: 224, patch: 4, window: 7, width, stages }
}

const TINY: SwinTransformer = patch4_window7(96, &[(2, 3), (2, 6), (6, 12), (2, 24)]);
const SMALL: SwinTransformer = patch4_window7(96, &[(2, 3), (2, 6), (18, 12), (2, 24)]);
const BASE: SwinTransformer = patch4_window7(128, &[(2, 4), (2, 8), (18, 16), (2, 32)]);

/// A name without tag means the first row of that name, which is timm's choice.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "swin_tiny_patch4_window7_224.ms_in1k", architecture: &TINY, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "swin_tiny_patch4_window7_224.ms_in22k_ft_in1k", architecture: &TINY, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "swin_small_patch4_window7_224.ms_in22k_ft_in1k", architecture: &SMALL, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "swin_small_patch4_window7_224.ms_in1k", architecture: &SMALL, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "swin_base_patch4_window7_224.ms_in22k_ft_in1k", architecture: &BASE, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "swin_base_patch4_window7_224.ms_in1k", architecture: &BASE, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
];

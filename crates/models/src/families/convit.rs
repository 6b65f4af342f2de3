//! ConViT (d'Ascoli et al. 2021): a vision transformer whose first blocks also attend by position. Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::{attention, join_heads, mlp, patch_embed, scores, split_heads};
use crate::preprocessing::imagenet;
use hard_imagenet_graph::{Activation, Constant, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout, NodeId};
use hard_imagenet_images::Filter;

/// The numbers that describe one ConViT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConVit {
    /// The side of the square image, in pixels. Other sizes are errors, because each position has its own embedding.
    pub image: usize,
    /// The side of a patch, in pixels.
    pub patch: usize,
    /// The length of a token.
    pub width: usize,
    /// The number of blocks.
    pub depth: usize,
    /// The number of attention heads.
    pub heads: usize,
    /// The number of blocks at the beginning that also attend by position. The class token joins after them.
    pub local: usize,
}

/// The epsilon of the layer norms, timm's.
const EPS: f64 = 1e-6;

impl ConVit {
    /// Builds one block. The node of the block's name is its last sum.
    fn block(&self, g: &mut GraphBuilder, x: NodeId, offsets: Option<NodeId>) -> NodeId {
        let y = g.layer_norm("norm1", x, self.width, EPS);
        let y = match offsets {
            Some(offsets) => g.scope("attn", |g| self.gated_attention(g, y, offsets)),
            None => attention(g, y, self.width, self.heads, false, None),
        };
        let x = g.add("residual", x, y);
        let y = g.layer_norm("norm2", x, self.width, EPS);
        let y = mlp(g, y, self.width, Activation::Gelu);
        g.add("", x, y)
    }

    /// Builds (1 - σ(λ)) · attention by content + σ(λ) · attention by position, with one λ for each head. The rows of
    /// both attentions sum to 1, so those of the result do too, and timm's division by their sum is omitted.
    fn gated_attention(&self, g: &mut GraphBuilder, x: NodeId, offsets: NodeId) -> NodeId {
        let (width, heads, layout) = (self.width, self.heads, g.layout(x));
        let gate = g.parameter("gating_param", &[heads]);
        let gate = g.reshape("gate.heads", gate, &[Extent::Is(heads), Extent::Is(1), Extent::Is(1)]);
        let to_position = g.activation("gate.position", gate, Activation::Sigmoid);
        let gate = g.scale("gate.negative", gate, -1.0);
        let to_content = g.activation("gate.content", gate, Activation::Sigmoid);

        let qk = g.linear("qk", x, width, 2 * width, false);
        let [q, k] = split_heads(g, "qk", qk, ["q", "k"], width, heads);
        let content = scores(g, q, k, width / heads);
        let content = g.softmax("softmax.content", content);
        let position = g.linear("pos_proj", offsets, 3, heads, true);
        let position = g.permute("pos_proj.heads", position, &[2, 0, 1]);
        let position = g.softmax("softmax.position", position);
        let content = g.mul("content", content, to_content);
        let position = g.mul("position", position, to_position);
        let weights = g.add("softmax", content, position);

        let v = g.linear("v", x, width, width, false);
        let [v] = split_heads(g, "v", v, ["v.only"], width, heads);
        let x = join_heads(g, weights, v, width);
        g.set_layout(x, layout);
        let x = g.linear("proj", x, width, width, true);
        g.alias("", x);
        x
    }
}

/// Returns the constant `(positions, positions, 3)`: the columns, rows and squared distance from each position to each
/// other one, in patches.
fn offsets(side: usize) -> Constant {
    let places = side * side;
    let values = (0..places * places).flat_map(|i| {
        let (from, to) = (i / places, i % places);
        let columns = (to % side) as f32 - (from % side) as f32;
        let rows = (to / side) as f32 - (from / side) as f32;
        [columns, rows, columns * columns + rows * rows]
    });
    Constant::new(&[places, places, 3], values.collect())
}

impl Architecture for ConVit {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let (side, width) = (self.image / self.patch, self.width);
        let mut g = GraphBuilder::new();
        let x = g.input();
        let patches = Conv2d { stride: self.patch, bias: true, ..Conv2d::new(3, width, self.patch) };
        let x = patch_embed(&mut g, x, patches, side);
        let positions = g.parameter("pos_embed", &[1, side * side, width]);
        let mut x = g.add("pos_drop", x, positions);
        let offsets = g.constant("rel_indices", offsets(side));
        for block in 0..self.depth {
            if block == self.local {
                let class = g.parameter("cls_token", &[1, 1, width]);
                let class = g.expand_batch("cls_token.expand", class, x);
                x = g.concat("cls_token.concat", &[class, x], 1);
                g.set_layout(x, Layout::Tokens { prefix: 1, h: side, w: side });
            }
            let offsets = (block < self.local).then_some(offsets);
            x = g.scope(&format!("blocks.{block}"), |g| self.block(g, x, offsets));
        }
        let x = g.layer_norm("norm", x, width, EPS);
        let x = g.select("global_pool", x, 1, 0);
        g.set_layout(x, Layout::Vector);
        let x = g.linear("head", x, width, classes, true);
        g.finish(x)
    }

    /// Returns the first norm of the last block, as for other vision transformers.
    fn cam_node(&self) -> String {
        format!("blocks.{}.norm1", self.depth - 1)
    }
}

const fn patch16(heads: usize) -> ConVit {
    ConVit { image: 224, patch: 16, width: 48 * heads, depth: 12, heads, local: 10 }
}

const TINY: ConVit = patch16(4);
const SMALL: ConVit = patch16(9);
const BASE: ConVit = patch16(16);

#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "convit_tiny.fb_in1k", architecture: &TINY, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convit_small.fb_in1k", architecture: &SMALL, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
    Row { name: "convit_base.fb_in1k", architecture: &BASE, preprocess: imagenet(256, Filter::Bicubic), classes: 1000 },
];

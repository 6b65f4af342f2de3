//! Vision transformers (Dosovitskiy et al. 2021; DeiT: Touvron et al. 2021), with timm's names.

use crate::zoo::{Architecture, Row, imagenet, inception};
use hard_imagenet_graph::{Activation, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout, NodeId};
use hard_imagenet_images::Filter;

/// The numbers that make one vision transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisionTransformer {
    /// Side of the square picture, in pixels.
    pub image: usize,
    /// Side of a patch.
    pub patch: usize,
    /// Length of a token.
    pub width: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
}

/// Of the layer norms; timm's.
const EPS: f64 = 1e-6;

impl VisionTransformer {
    /// One block; its last sum is the node of the block's own name.
    fn block(&self, g: &mut GraphBuilder, x: NodeId, tokens: Layout) -> NodeId {
        let width = self.width;
        let y = g.layer_norm("norm1", x, width, EPS);
        let y = g.scope("attn", |g| self.attention(g, y, tokens));
        let x = g.add("residual", x, y);
        let y = g.layer_norm("norm2", x, width, EPS);
        let y = g.linear("mlp.fc1", y, width, 4 * width, true);
        let y = g.activation("mlp.act", y, Activation::Gelu);
        let y = g.linear("mlp.fc2", y, 4 * width, width, true);
        g.alias("mlp", y);
        g.add("", x, y)
    }

    /// softmax(q kᵀ / √d) v for each head, in primitives, so that the attention itself is the node "attn.softmax"
    /// `(B, heads, tokens, tokens)`.
    fn attention(&self, g: &mut GraphBuilder, x: NodeId, tokens: Layout) -> NodeId {
        let size = self.width / self.heads;
        let x = g.linear("qkv", x, self.width, 3 * self.width, true);
        let each = [Extent::Same, Extent::Same, Extent::Is(3), Extent::Is(self.heads), Extent::Is(size)];
        let x = g.reshape("qkv.split", x, &each);
        let x = g.permute("qkv.heads", x, &[2, 0, 3, 1, 4]);
        let [q, k, v] = [("q", 0), ("k", 1), ("v", 2)].map(|(name, i)| g.select(name, x, 0, i));
        let q = g.scale("q.scaled", q, (size as f64).powf(-0.5));
        let scores = g.matmul("scores", q, k, true);
        let weights = g.softmax("softmax", scores);
        let x = g.matmul("context", weights, v, false);
        let x = g.permute("context.tokens", x, &[0, 2, 1, 3]);
        let x = g.reshape("context.join", x, &[Extent::Same, Extent::Same, Extent::Is(self.width)]);
        g.set_layout(x, tokens);
        let x = g.linear("proj", x, self.width, self.width, true);
        g.alias("", x);
        x
    }
}

impl Architecture for VisionTransformer {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let side = self.image / self.patch;
        let tokens = Layout::Tokens { prefix: 1, h: side, w: side };
        let width = self.width;
        let mut g = GraphBuilder::new();
        let x = g.input();
        let patches = Conv2d { stride: self.patch, bias: true, ..Conv2d::new(3, width, self.patch) };
        let x = g.conv2d("patch_embed.proj", x, patches);
        let x = g.reshape("patch_embed.flatten", x, &[Extent::Same, Extent::Same, Extent::Rest]);
        let x = g.permute("patch_embed", x, &[0, 2, 1]);
        g.set_layout(x, Layout::Tokens { prefix: 0, h: side, w: side });
        let class = g.parameter("cls_token", &[1, 1, width]);
        let class = g.expand_batch("cls_token.expand", class, x);
        let x = g.concat("cls_token.concat", &[class, x], 1);
        g.set_layout(x, tokens);
        let positions = g.parameter("pos_embed", &[1, 1 + side * side, width]);
        let mut x = g.add("pos_drop", x, positions);
        for block in 0..self.depth {
            x = g.scope(&format!("blocks.{block}"), |g| self.block(g, x, tokens));
        }
        let x = g.layer_norm("norm", x, width, EPS);
        let x = g.select("global_pool", x, 1, 0);
        g.set_layout(x, Layout::Vector);
        let x = g.linear("head", x, width, classes, true);
        g.finish(x)
    }

    /// The first norm of the last block, as the original and the literature after it do.
    fn cam_node(&self) -> String {
        format!("blocks.{}.norm1", self.depth - 1)
    }
}

const fn patch16(width: usize, heads: usize) -> VisionTransformer {
    VisionTransformer { image: 224, patch: 16, width, depth: 12, heads }
}

const TINY: VisionTransformer = patch16(192, 3);
const SMALL: VisionTransformer = patch16(384, 6);
const BASE: VisionTransformer = patch16(768, 12);

/// The first row of each name is the one meant where the tag is left out.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "vit_tiny_patch16_224.augreg_in21k_ft_in1k", architecture: &TINY, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_small_patch16_224.augreg_in21k_ft_in1k", architecture: &SMALL, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_small_patch16_224.augreg_in1k", architecture: &SMALL, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch16_224.augreg2_in21k_ft_in1k", architecture: &BASE, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch16_224.augreg_in21k_ft_in1k", architecture: &BASE, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch16_224.augreg_in1k", architecture: &BASE, preprocess: inception(248), classes: 1000 },
    Row { name: "deit_tiny_patch16_224.fb_in1k", architecture: &TINY, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "deit_small_patch16_224.fb_in1k", architecture: &SMALL, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
    Row { name: "deit_base_patch16_224.fb_in1k", architecture: &BASE, preprocess: imagenet(248, Filter::Bicubic), classes: 1000 },
];

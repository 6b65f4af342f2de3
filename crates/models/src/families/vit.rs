//! Vision transformers (Dosovitskiy et al. 2021) and networks of the same design: DeiT (Touvron et al. 2021), DINOv2
//! (Oquab et al. 2024) and CLIP's image tower (Radford et al. 2021). Names are timm's.

use crate::Architecture;
use crate::families::Row;
use crate::families::blocks::{attention, mlp, patch_embed};
use crate::preprocessing::{clip, imagenet, inception};
use hard_imagenet_graph::{Activation, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout, NodeId, Reduction};
use hard_imagenet_images::{Filter, Preprocessing, Resize};

/// The numbers that describe one vision transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisionTransformer {
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
    /// The differences from the original design.
    pub variant: Variant,
}

/// The differences of a vision transformer from the original design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// There are none.
    Plain,
    /// A second token has its own head, which was trained to imitate another network. The logits are the mean of both
    /// heads' logits, so the features are both tokens, the class token first: `(B, 2 · width)`.
    Distilled,
    /// Learned factors scale the channels that a block adds. There can be registers: tokens without a position that
    /// keep artifacts out of the attention to patches (Darcet et al. 2024).
    DinoV2 {
        /// The number of registers, which can be 0.
        registers: usize,
        /// Whether the head takes the mean of the patches in addition to the class token, `(B, 2 · width)`, as the
        /// heads published for ImageNet do.
        mean: bool,
    },
    /// There is a norm before the first block, and the projection of the patches has no bias.
    Clip {
        /// Whether the activation is [`Activation::QuickGelu`], with which OpenAI trained, instead of
        /// [`Activation::Gelu`].
        quick_gelu: bool,
    },
}

impl VisionTransformer {
    /// Builds the tokens: patches and the tokens before them, with the embeddings of their positions. In networks with
    /// registers, only patches have positions.
    fn embed(&self, g: &mut GraphBuilder, x: NodeId) -> NodeId {
        let (side, width) = (self.image / self.patch, self.width);
        let bias = !matches!(self.variant, Variant::Clip { .. });
        let patches = Conv2d { stride: self.patch, bias, ..Conv2d::new(3, width, self.patch) };
        let x = patch_embed(g, x, patches, side);
        let registers = if let Variant::DinoV2 { registers, .. } = self.variant { registers } else { 0 };
        let mut prefix = vec![("cls_token", 1)];
        if self.variant == Variant::Distilled {
            prefix.push(("dist_token", 1));
        }
        if registers > 0 {
            prefix.push(("reg_token", registers));
        }
        let count = prefix.iter().map(|(_, count)| count).sum();
        let layout = Layout::Tokens { prefix: count, h: side, w: side };
        let token = |(name, count)| {
            let token = g.parameter(name, &[1, count, width]);
            g.expand_batch(&format!("{name}.expand"), token, x)
        };
        let mut tokens: Vec<NodeId> = prefix.into_iter().map(token).collect();
        let positioned = if registers > 0 { 0 } else { count };
        let positions = g.parameter("pos_embed", &[1, positioned + side * side, width]);
        if registers > 0 {
            tokens.push(g.add("pos_embed.add", x, positions));
            let x = g.concat("pos_drop", &tokens, 1);
            g.set_layout(x, layout);
            return x;
        }
        tokens.push(x);
        let x = g.concat("cls_token.concat", &tokens, 1);
        g.set_layout(x, layout);
        g.add("pos_drop", x, positions)
    }

    /// Builds one block. The node of the block's name is its last sum.
    fn block(&self, g: &mut GraphBuilder, x: NodeId) -> NodeId {
        let activation = match self.variant {
            Variant::Clip { quick_gelu: true } => Activation::QuickGelu,
            _ => Activation::Gelu,
        };
        let y = g.layer_norm("norm1", x, self.width, self.eps());
        let y = attention(g, y, self.width, self.heads, true, None);
        let y = self.layer_scale(g, "ls1", y);
        let x = g.add("residual", x, y);
        let y = g.layer_norm("norm2", x, self.width, self.eps());
        let y = mlp(g, y, self.width, activation);
        let y = self.layer_scale(g, "ls2", y);
        g.add("", x, y)
    }

    fn layer_scale(&self, g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
        let Variant::DinoV2 { .. } = self.variant else { return x };
        let gamma = g.parameter(&format!("{name}.gamma"), &[self.width]);
        g.mul(name, x, gamma)
    }

    /// Builds the layers after the last norm.
    fn head(&self, g: &mut GraphBuilder, x: NodeId, classes: usize) -> NodeId {
        let width = self.width;
        if let Variant::DinoV2 { registers, mean: true } = self.variant {
            let class = g.select("norm.class", x, 1, 0);
            let patches = g.narrow("norm.patches", x, 1, 1 + registers, (self.image / self.patch).pow(2));
            let mean = g.reduce("norm.mean", patches, Reduction::Mean, &[1], false);
            let both = g.concat("global_pool", &[class, mean], 1);
            [class, mean, both].into_iter().for_each(|x| g.set_layout(x, Layout::Vector));
            return g.linear("head", both, 2 * width, classes, true);
        }
        if self.variant != Variant::Distilled {
            let x = g.select("global_pool", x, 1, 0);
            g.set_layout(x, Layout::Vector);
            return g.linear("head", x, width, classes, true);
        }
        let both = g.narrow("norm.tokens", x, 1, 0, 2);
        let both = g.reshape("global_pool", both, &[Extent::Same, Extent::Rest]);
        g.set_layout(both, Layout::Vector);
        let [class, distilled] = [("head", 0), ("head_dist", width)].map(|(name, start)| {
            let token = g.narrow(&format!("{name}.token"), both, 1, start, width);
            g.set_layout(token, Layout::Vector);
            g.linear(name, token, width, classes, true)
        });
        let sum = g.add("logits.sum", class, distilled);
        g.scale("logits", sum, 0.5)
    }

    /// Returns the epsilon of the layer norms, timm's.
    fn eps(&self) -> f64 {
        if let Variant::Clip { .. } = self.variant { 1e-5 } else { 1e-6 }
    }
}

impl Architecture for VisionTransformer {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let mut x = self.embed(&mut g, x);
        if let Variant::Clip { .. } = self.variant {
            x = g.layer_norm("norm_pre", x, self.width, self.eps());
        }
        for block in 0..self.depth {
            x = g.scope(&format!("blocks.{block}"), |g| self.block(g, x));
        }
        let x = g.layer_norm("norm", x, self.width, self.eps());
        let x = self.head(&mut g, x, classes);
        g.finish(x)
    }

    fn graph_for(&self, classes: usize, features: usize) -> Result<Graph, GraphError> {
        match self.variant {
            Variant::DinoV2 { registers, .. } => {
                let variant = Variant::DinoV2 { registers, mean: features == 2 * self.width };
                Self { variant, ..*self }.graph(classes)
            }
            _ => self.graph(classes),
        }
    }

    /// Returns the first norm of the last block, as the paper's code and the literature do.
    fn cam_node(&self) -> String {
        format!("blocks.{}.norm1", self.depth - 1)
    }
}

const fn tiny(image: usize, variant: Variant) -> VisionTransformer {
    VisionTransformer { image, patch: 16, width: 192, depth: 12, heads: 3, variant }
}

const fn small(image: usize, patch: usize, variant: Variant) -> VisionTransformer {
    VisionTransformer { image, patch, width: 384, depth: 12, heads: 6, variant }
}

const fn base(image: usize, patch: usize, variant: Variant) -> VisionTransformer {
    VisionTransformer { image, patch, width: 768, depth: 12, heads: 12, variant }
}

const TINY: VisionTransformer = tiny(224, Variant::Plain);
const SMALL: VisionTransformer = small(224, 16, Variant::Plain);
const BASE: VisionTransformer = base(224, 16, Variant::Plain);
const SMALL_32: VisionTransformer = small(224, 32, Variant::Plain);
const BASE_32: VisionTransformer = base(224, 32, Variant::Plain);
const TINY_384: VisionTransformer = tiny(384, Variant::Plain);
const SMALL_384: VisionTransformer = small(384, 16, Variant::Plain);
const BASE_384: VisionTransformer = base(384, 16, Variant::Plain);
const BASE_32_384: VisionTransformer = base(384, 32, Variant::Plain);
const TINY_DISTILLED: VisionTransformer = tiny(224, Variant::Distilled);
const SMALL_DISTILLED: VisionTransformer = small(224, 16, Variant::Distilled);
const BASE_DISTILLED: VisionTransformer = base(224, 16, Variant::Distilled);
const BASE_DISTILLED_384: VisionTransformer = base(384, 16, Variant::Distilled);
const SMALL_DINO: VisionTransformer = small(518, 14, Variant::DinoV2 { registers: 0, mean: false });
const BASE_DINO: VisionTransformer = base(518, 14, Variant::DinoV2 { registers: 0, mean: false });
const SMALL_DINO_REG4: VisionTransformer = small(518, 14, Variant::DinoV2 { registers: 4, mean: false });
const BASE_DINO_REG4: VisionTransformer = base(518, 14, Variant::DinoV2 { registers: 4, mean: false });
const CLIP: VisionTransformer = base(224, 16, Variant::Clip { quick_gelu: false });
const CLIP_32: VisionTransformer = base(224, 32, Variant::Clip { quick_gelu: false });
const QUICK_CLIP: VisionTransformer = base(224, 16, Variant::Clip { quick_gelu: true });
const QUICK_CLIP_32: VisionTransformer = base(224, 32, Variant::Clip { quick_gelu: true });

const fn bicubic(shorter: usize) -> Preprocessing {
    imagenet(shorter, Filter::Bicubic)
}

/// Returns the preprocessing without a crop of the shorter side, for another input size.
const fn whole(side: usize, like: Preprocessing) -> Preprocessing {
    Preprocessing { resize: Resize::ShorterSide(side), input: (side, side), ..like }
}

/// A name without tag means the first row of that name. This is timm's choice, except for CLIP's quickgelu, where it is
/// OpenAI's own network; its weights are published under the name without that word. DINOv2 is published without a
/// head: add one on the class token, or on the class token and the mean of the patches. CLIP's own weights end in the
/// projection to the 512 numbers that are compared with texts.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { name: "vit_tiny_patch16_224.augreg_in21k_ft_in1k", architecture: &TINY, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_small_patch16_224.augreg_in21k_ft_in1k", architecture: &SMALL, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_small_patch16_224.augreg_in1k", architecture: &SMALL, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch16_224.augreg2_in21k_ft_in1k", architecture: &BASE, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch16_224.augreg_in21k_ft_in1k", architecture: &BASE, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch16_224.augreg_in1k", architecture: &BASE, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_small_patch32_224.augreg_in21k_ft_in1k", architecture: &SMALL_32, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch32_224.augreg_in21k_ft_in1k", architecture: &BASE_32, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_base_patch32_224.augreg_in1k", architecture: &BASE_32, preprocess: inception(248), classes: 1000 },
    Row { name: "vit_tiny_patch16_384.augreg_in21k_ft_in1k", architecture: &TINY_384, preprocess: whole(384, inception(384)), classes: 1000 },
    Row { name: "vit_small_patch16_384.augreg_in21k_ft_in1k", architecture: &SMALL_384, preprocess: whole(384, inception(384)), classes: 1000 },
    Row { name: "vit_base_patch16_384.augreg_in21k_ft_in1k", architecture: &BASE_384, preprocess: whole(384, inception(384)), classes: 1000 },
    Row { name: "vit_base_patch32_384.augreg_in21k_ft_in1k", architecture: &BASE_32_384, preprocess: whole(384, inception(384)), classes: 1000 },
    Row { name: "deit_tiny_patch16_224.fb_in1k", architecture: &TINY, preprocess: bicubic(248), classes: 1000 },
    Row { name: "deit_small_patch16_224.fb_in1k", architecture: &SMALL, preprocess: bicubic(248), classes: 1000 },
    Row { name: "deit_base_patch16_224.fb_in1k", architecture: &BASE, preprocess: bicubic(248), classes: 1000 },
    Row { name: "deit_base_patch16_384.fb_in1k", architecture: &BASE_384, preprocess: whole(384, bicubic(384)), classes: 1000 },
    Row { name: "deit_tiny_distilled_patch16_224.fb_in1k", architecture: &TINY_DISTILLED, preprocess: bicubic(248), classes: 1000 },
    Row { name: "deit_small_distilled_patch16_224.fb_in1k", architecture: &SMALL_DISTILLED, preprocess: bicubic(248), classes: 1000 },
    Row { name: "deit_base_distilled_patch16_224.fb_in1k", architecture: &BASE_DISTILLED, preprocess: bicubic(248), classes: 1000 },
    Row { name: "deit_base_distilled_patch16_384.fb_in1k", architecture: &BASE_DISTILLED_384, preprocess: whole(384, bicubic(384)), classes: 1000 },
    Row { name: "vit_small_patch14_dinov2.lvd142m", architecture: &SMALL_DINO, preprocess: whole(518, bicubic(518)), classes: 1000 },
    Row { name: "vit_base_patch14_dinov2.lvd142m", architecture: &BASE_DINO, preprocess: whole(518, bicubic(518)), classes: 1000 },
    Row { name: "vit_small_patch14_reg4_dinov2.lvd142m", architecture: &SMALL_DINO_REG4, preprocess: whole(518, bicubic(518)), classes: 1000 },
    Row { name: "vit_base_patch14_reg4_dinov2.lvd142m", architecture: &BASE_DINO_REG4, preprocess: whole(518, bicubic(518)), classes: 1000 },
    Row { name: "vit_base_patch16_clip_224.laion2b_ft_in12k_in1k", architecture: &CLIP, preprocess: clip(235), classes: 1000 },
    Row { name: "vit_base_patch16_clip_224.laion2b_ft_in1k", architecture: &CLIP, preprocess: clip(224), classes: 1000 },
    Row { name: "vit_base_patch16_clip_224.openai_ft_in12k_in1k", architecture: &CLIP, preprocess: clip(235), classes: 1000 },
    Row { name: "vit_base_patch16_clip_224.openai_ft_in1k", architecture: &CLIP, preprocess: clip(248), classes: 1000 },
    Row { name: "vit_base_patch16_clip_224.laion2b", architecture: &CLIP, preprocess: clip(224), classes: 512 },
    Row { name: "vit_base_patch16_clip_224.openai", architecture: &CLIP, preprocess: clip(248), classes: 512 },
    Row { name: "vit_base_patch32_clip_224.laion2b_ft_in12k_in1k", architecture: &CLIP_32, preprocess: clip(248), classes: 1000 },
    Row { name: "vit_base_patch32_clip_224.laion2b_ft_in1k", architecture: &CLIP_32, preprocess: clip(248), classes: 1000 },
    Row { name: "vit_base_patch32_clip_224.openai_ft_in1k", architecture: &CLIP_32, preprocess: clip(248), classes: 1000 },
    Row { name: "vit_base_patch32_clip_224.laion2b", architecture: &CLIP_32, preprocess: clip(248), classes: 512 },
    Row { name: "vit_base_patch32_clip_224.openai", architecture: &CLIP_32, preprocess: clip(248), classes: 512 },
    Row { name: "vit_base_patch16_clip_quickgelu_224.openai", architecture: &QUICK_CLIP, preprocess: clip(248), classes: 512 },
    Row { name: "vit_base_patch32_clip_quickgelu_224.openai", architecture: &QUICK_CLIP_32, preprocess: clip(248), classes: 512 },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_dinov2s_head_selects_its_input() {
        let dinov2 = |mean| VisionTransformer {
            image: 32,
            patch: 8,
            width: 16,
            depth: 1,
            heads: 2,
            variant: Variant::DinoV2 { registers: 4, mean },
        };
        for mean in [false, true] {
            assert_eq!(dinov2(false).graph_for(5, 16).unwrap(), dinov2(mean).graph_for(5, 16).unwrap());
            assert_eq!(dinov2(true).graph(5).unwrap(), dinov2(mean).graph_for(5, 32).unwrap());
        }
    }
}

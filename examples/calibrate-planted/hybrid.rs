//! A small transformer that learns from few images.

use hard_imagenet::graph::{Activation, Conv2d, Extent, Graph, GraphBuilder, GraphError, Layout, NodeId, Reduction};
use hard_imagenet::models::Architecture;

/// A vision transformer behind two convolutions, each of stride 2, in place of the patches (Xiao et al. 2021, *Early
/// convolutions help transformers see better*), whose tokens are averaged instead of read from a class token (Beyer et
/// al. 2022, *Better plain ViT baselines for ImageNet-1k*).
///
/// When only shapes reveal the class, a plain transformer of this size recognizes a quarter of the images after as many steps as a
/// study of sixty models can afford.
pub(crate) struct Hybrid {
    /// Side of the square image, in pixels.
    pub(crate) image: usize,
    /// Channels between the convolutions.
    pub(crate) stem: usize,
    /// Length of a token.
    pub(crate) width: usize,
    pub(crate) depth: usize,
    pub(crate) heads: usize,
}

impl Hybrid {
    fn convolution(g: &mut GraphBuilder, number: usize, x: NodeId, inputs: usize, outputs: usize) -> NodeId {
        let conv = Conv2d { stride: 2, padding: 1, ..Conv2d::new(inputs, outputs, 3) };
        let x = g.conv2d(&format!("stem.conv{number}"), x, conv);
        let x = g.batch_norm(&format!("stem.bn{number}"), x, outputs);
        g.activation(&format!("stem.act{number}"), x, Activation::Relu)
    }

    fn attention(&self, g: &mut GraphBuilder, x: NodeId) -> NodeId {
        let (width, heads) = (self.width, self.heads);
        let qkv = g.linear("qkv", x, width, 3 * width, true);
        let each = [Extent::Same, Extent::Same, Extent::Is(3), Extent::Is(heads), Extent::Is(width / heads)];
        let qkv = g.reshape("qkv.split", qkv, &each);
        let qkv = g.permute("qkv.heads", qkv, &[2, 0, 3, 1, 4]);
        let [q, k, v] = [("q", 0), ("k", 1), ("v", 2)].map(|(name, i)| g.select(name, qkv, 0, i));
        let q = g.scale("q.scaled", q, ((width / heads) as f64).powf(-0.5));
        let scores = g.matmul("scores", q, k, true);
        let weights = g.softmax("softmax", scores);
        let x = g.matmul("context", weights, v, false);
        let x = g.permute("context.tokens", x, &[0, 2, 1, 3]);
        let x = g.reshape("context.join", x, &[Extent::Same, Extent::Same, Extent::Is(width)]);
        g.linear("proj", x, width, width, true)
    }

    fn block(&self, g: &mut GraphBuilder, x: NodeId) -> NodeId {
        let width = self.width;
        let y = g.layer_norm("norm1", x, width, 1e-6);
        let y = g.scope("attn", |g| self.attention(g, y));
        let x = g.add("residual", x, y);
        let y = g.layer_norm("norm2", x, width, 1e-6);
        let y = g.linear("mlp.fc1", y, width, 2 * width, true);
        let y = g.activation("mlp.act", y, Activation::Gelu);
        let y = g.linear("mlp.fc2", y, 2 * width, width, true);
        g.add("", x, y)
    }
}

impl Architecture for Hybrid {
    fn graph(&self, classes: usize) -> Result<Graph, GraphError> {
        let (side, width) = (self.image / 4, self.width);
        let layout = Layout::Tokens { prefix: 0, h: side, w: side };
        let mut g = GraphBuilder::new();
        let x = g.input();
        let x = Self::convolution(&mut g, 1, x, 3, self.stem);
        let x = Self::convolution(&mut g, 2, x, self.stem, width);
        let x = g.reshape("tokens.flatten", x, &[Extent::Same, Extent::Same, Extent::Rest]);
        let x = g.permute("tokens", x, &[0, 2, 1]);
        g.set_layout(x, layout);
        let positions = g.parameter("pos_embed", &[1, side * side, width]);
        let mut x = g.add("pos_drop", x, positions);
        for block in 0..self.depth {
            x = g.scope(&format!("blocks.{block}"), |g| self.block(g, x));
        }
        let x = g.layer_norm("norm", x, width, 1e-6);
        let x = g.reduce("global_pool", x, Reduction::Mean, &[1], false);
        g.set_layout(x, Layout::Vector);
        let x = g.linear("head", x, width, classes, true);
        g.finish(x)
    }

    /// The first norm of the last block, as with other vision transformers.
    fn cam_node(&self) -> String {
        format!("blocks.{}.norm1", self.depth - 1)
    }
}

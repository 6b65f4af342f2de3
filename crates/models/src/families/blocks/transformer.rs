//! The parts that transformers have in common. Names are timm's.

use hard_imagenet_graph::{Activation, Conv2d, Extent, GraphBuilder, Layout, NodeId};

/// Builds the embedding of an image as `side` × `side` tokens, one per patch.
pub(crate) fn patch_embed(g: &mut GraphBuilder, x: NodeId, patches: Conv2d, side: usize) -> NodeId {
    let x = g.conv2d("patch_embed.proj", x, patches);
    let x = g.reshape("patch_embed.flatten", x, &[Extent::Same, Extent::Same, Extent::Rest]);
    let x = g.permute("patch_embed", x, &[0, 2, 1]);
    g.set_layout(x, Layout::Tokens { prefix: 0, h: side, w: side });
    x
}

/// Builds softmax(q kᵀ / √d) v for each head of `(B, tokens, width)`. It consists of primitive operations, so the
/// attention itself is the node "attn.softmax" `(B, heads, tokens, tokens)`. A mask is added to the scores before the
/// softmax.
pub(crate) fn attention(
    g: &mut GraphBuilder,
    x: NodeId,
    width: usize,
    heads: usize,
    bias: bool,
    mask: Option<NodeId>,
) -> NodeId {
    let layout = g.layout(x);
    g.scope("attn", |g| {
        let x = g.linear("qkv", x, width, 3 * width, bias);
        let [q, k, v] = split_heads(g, "qkv", x, ["q", "k", "v"], width, heads);
        let mut scores = scores(g, q, k, width / heads);
        if let Some(mask) = mask {
            scores = g.add("scores.masked", scores, mask);
        }
        let weights = g.softmax("softmax", scores);
        let x = join_heads(g, weights, v, width);
        g.set_layout(x, layout);
        let x = g.linear("proj", x, width, width, true);
        g.alias("", x);
        x
    })
}

/// Splits `(B, tokens, N · width)` into `N` values `(B, heads, tokens, width / heads)`.
pub(crate) fn split_heads<const N: usize>(
    g: &mut GraphBuilder,
    name: &str,
    x: NodeId,
    parts: [&str; N],
    width: usize,
    heads: usize,
) -> [NodeId; N] {
    let each = [Extent::Same, Extent::Same, Extent::Is(N), Extent::Is(heads), Extent::Is(width / heads)];
    let x = g.reshape(&format!("{name}.split"), x, &each);
    let x = g.permute(&format!("{name}.heads"), x, &[2, 0, 3, 1, 4]);
    std::array::from_fn(|i| g.select(parts[i], x, 0, i))
}

/// Builds q kᵀ / √d, where d is the length of both.
pub(crate) fn scores(g: &mut GraphBuilder, q: NodeId, k: NodeId, length: usize) -> NodeId {
    let q = g.scale("q.scaled", q, (length as f64).powf(-0.5));
    g.matmul("scores", q, k, true)
}

/// Builds the values weighted by the attention and joins the heads: `(B, tokens, width)`.
pub(crate) fn join_heads(g: &mut GraphBuilder, weights: NodeId, v: NodeId, width: usize) -> NodeId {
    let x = g.matmul("context", weights, v, false);
    let x = g.permute("context.tokens", x, &[0, 2, 1, 3]);
    g.reshape("context.join", x, &[Extent::Same, Extent::Same, Extent::Is(width)])
}

/// Builds two linear layers with four times the width in between.
pub(crate) fn mlp(g: &mut GraphBuilder, x: NodeId, width: usize, activation: Activation) -> NodeId {
    let x = g.linear("mlp.fc1", x, width, 4 * width, true);
    let x = g.activation("mlp.act", x, activation);
    let x = g.linear("mlp.fc2", x, 4 * width, width, true);
    g.alias("mlp", x);
    x
}

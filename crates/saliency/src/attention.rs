//! Maps from the product of the attention matrices of all blocks.

use crate::cam::{explanations, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{D, DType, Tensor, Var};
use hard_imagenet_kernels::{gradient, gradients};
use hard_imagenet_models::{Layout, Model, NodeId, Op};

/// Attention rollout (Abnar and Zuidema 2020): how much of each place would be in the token that the head reads if the
/// network consisted only of attention and residual connections.
///
/// Each block is A' = ½ (mean attention of its heads) + ½ I, and the rollout is the product of all blocks (eq. 1).
/// `raw` `(h, w)` is the row of the token that the head reads, restricted to tokens with a place. If the head reads
/// several tokens, as in a distilled DeiT, raw is the mean of their rows. It does not depend on the class. `map` is
/// raw, scaled and resized like GradCAM's map.
///
/// The method needs a transformer in which every token attends to every other, such as ViT, DeiT, DINOv2 and CLIP's.
/// Other networks are an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rollout;

impl Explain for Rollout {
    fn id(&self) -> String {
        "rollout".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let tokens = TokenAttention::find(request.model, request.x)?;
        let names: Vec<&str> =
            tokens.attention.iter().map(|id| request.model.graph().node(*id).name.as_str()).collect();
        let (_, values) = request.model.forward_with(request.x, &names)?;
        let half = |t: Tensor| t.affine(0.5, 0.0);
        let blocks = values.into_iter().map(|a| half(a.mean(1)?)).collect::<candle_core::Result<Vec<_>>>()?;
        let raw = tokens.roll_out(request.model, request.x, &blocks, 0.5)?;
        explanations(&raw, (tokens.h, tokens.w), (height, width))
    }
}

/// Attention weighted by its gradient (Chefer, Gur and Wolf 2021, *Generic attention-model explainability*): a rollout
/// of the attention that speaks for the class.
///
/// Each block is I + mean over heads of (∂y/∂A ⊙ A)⁺, where y is the target's logit (eq. 5 and 6), and the relevance is
/// the product of all blocks. `raw` `(h, w)` is the row of the token that the head reads, as for [`Rollout`], and `map`
/// is made in the same way. The method needs the same transformers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attention;

impl Explain for Attention {
    fn id(&self) -> String {
        "attention".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let (model, x) = (request.model, request.x);
        let tokens = TokenAttention::find(model, x)?;
        let (logits, watched) = model.forward_watching(x, &tokens.attention)?;
        let chosen = targets(&logits, request.classes)?.sum_all()?;
        let slopes = gradients(&chosen, watched.iter().map(|one| &one.tap))?;
        let relevance = |(one, slope): (&hard_imagenet_models::WatchPoint, &Tensor)| {
            (&one.value * slope)?.to_dtype(DType::F32)?.relu()?.mean(1)
        };
        let blocks = watched.iter().zip(&slopes).map(relevance).collect::<candle_core::Result<Vec<_>>>()?;
        let raw = tokens.roll_out(model, x, &blocks, 1.0)?;
        explanations(&raw, (tokens.h, tokens.w), (height, width))
    }
}

/// The nodes of a transformer's tokens and of their attention.
struct TokenAttention {
    /// The softmax nodes `(B, heads, tokens, tokens)`, from the first block to the last.
    attention: Vec<NodeId>,
    /// The last node whose value is tokens, which the head reads.
    last: NodeId,
    prefix: usize,
    h: usize,
    w: usize,
}

impl TokenAttention {
    /// Finds the tokens and their attention.
    ///
    /// # Errors
    /// Returns [`ExplainError::Attention`] for a network in which not every softmax is over all tokens.
    fn find(model: &Model, x: &Tensor) -> Result<Self, ExplainError> {
        let graph = model.graph();
        let none = |reason: String| ExplainError::Attention { model: model.spec().name.clone(), reason };
        let shapes = graph.shapes(x.dims()).map_err(hard_imagenet_models::ModelError::from)?;
        let nodes = || graph.nodes().iter().zip(&shapes).enumerate();
        let tokens = nodes().rev().find_map(|(i, (node, _))| match node.layout {
            Layout::Tokens { prefix, h, w } => Some((i, prefix, h, w)),
            _ => None,
        });
        let (last, prefix, h, w) = tokens.ok_or_else(|| none("it has no tokens".into()))?;
        let count = prefix + h * w;
        let mut attention = Vec::new();
        // A softmax over (B, K) is over classes.
        for (_, (node, shape)) in nodes().filter(|(_, (node, shape))| node.op == Op::Softmax && shape.len() > 2) {
            if shape.len() != 4 || shape[2..] != [count, count] {
                return Err(none(format!(
                    "the attention at {:?} has shape {shape:?} and is not over all {count} tokens",
                    node.name
                )));
            }
            attention.push(graph.find(&node.name).map_err(hard_imagenet_models::ModelError::from)?);
        }
        if attention.is_empty() {
            return Err(none("it has no attention".into()));
        }
        let last = graph.find(&graph.nodes()[last].name).map_err(hard_imagenet_models::ModelError::from)?;
        Ok(Self { attention, last, prefix, h, w })
    }

    /// Returns the rows that the head reads, `(B, h · w)`, of the product of all (block + `residual` · I), with the
    /// last block leftmost. Blocks are `(B, tokens, tokens)`.
    fn roll_out(&self, model: &Model, x: &Tensor, blocks: &[Tensor], residual: f64) -> Result<Tensor, ExplainError> {
        let mut rows = self.read_tokens(model, x)?;
        for block in blocks.iter().rev() {
            rows = (rows.matmul(block)? + rows.affine(residual, 0.0)?)?;
        }
        Ok(rows.squeeze(1)?.narrow(1, self.prefix, self.h * self.w)?)
    }

    /// Returns equal weights of sum 1 on the tokens that the head reads, `(B, 1, tokens)`. These are the tokens for
    /// which the logits have a gradient.
    fn read_tokens(&self, model: &Model, x: &Tensor) -> Result<Tensor, ExplainError> {
        let name = &model.graph().node(self.last).name;
        let cut = model.cut(name)?;
        if !cut.carried().is_empty() {
            let reason = format!("the logits depend on more than the tokens at {name:?}");
            return Err(ExplainError::Attention { model: model.spec().name.clone(), reason });
        }
        let mut value = model.trunk(&cut, x)?;
        let tokens = Var::from_tensor(&value.at)?;
        value.at = tokens.as_tensor().clone();
        let slope = gradient(&model.head(&cut, &value)?.sqr()?.sum_all()?, &tokens)?;
        let read = slope.to_dtype(DType::F32)?.abs()?.max(D::Minus1)?.gt(0.0)?.to_dtype(DType::F32)?;
        let share = read.broadcast_div(&read.sum_keepdim(1)?)?;
        Ok(share.unsqueeze(1)?)
    }
}

//! What attention says of the places: its matrices, from the first block to the last, multiplied.

use crate::cam::{explanations, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{D, DType, Tensor, Var};
use hard_imagenet_kernels::{gradient, gradients};
use hard_imagenet_models::{Layout, Model, NodeId, Op};

/// Attention rollout (Abnar and Zuidema 2020): how much of each place is in what the head reads, were there nothing but
/// attention and the way around it.
///
/// Each block is A' = ½ (mean of its heads' attention) + ½ I, and the rollout their product (eq. 1). `raw` `(h, w)` is
/// the row of the token that the head reads, or the mean of these rows where it reads several, as in a distilled DeiT;
/// places only. It asks for no class. `map` is raw, scaled and resized as GradCAM's.
///
/// It is for transformers in which every token attends to every other, ViT, DeiT, DINOv2 and CLIP's; others are an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rollout;

impl Explain for Rollout {
    fn id(&self) -> String {
        "rollout".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let tokens = Tokens::of(request.model, request.x)?;
        let names: Vec<&str> =
            tokens.attention.iter().map(|id| request.model.graph().node(*id).name.as_str()).collect();
        let (_, values) = request.model.forward_with(request.x, &names)?;
        let half = |t: Tensor| t.affine(0.5, 0.0);
        let blocks = values.into_iter().map(|a| half(a.mean(1)?)).collect::<candle_core::Result<Vec<_>>>()?;
        let raw = tokens.rolled(request.model, request.x, &blocks, 0.5)?;
        explanations(&raw, (tokens.h, tokens.w), (height, width))
    }
}

/// Attention weighted by its gradient (Chefer, Gur and Wolf 2021, *Generic attention-model explainability*): a rollout of
/// what speaks for the class.
///
/// Each block is I + mean over heads of (∂y/∂A ⊙ A)⁺, with y the target's logit (eq. 5 and 6), and the relevance their
/// product. `raw` `(h, w)` is the row of the token that the head reads, as for [`Rollout`]; `map` likewise. For the same
/// transformers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attention;

impl Explain for Attention {
    fn id(&self) -> String {
        "attention".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let (model, x) = (request.model, request.x);
        let tokens = Tokens::of(model, x)?;
        let (logits, watched) = model.forward_watching(x, &tokens.attention)?;
        let chosen = targets(&logits, request.classes)?.sum_all()?;
        let slopes = gradients(&chosen, watched.iter().map(|one| &one.tap))?;
        let relevance = |(one, slope): (&hard_imagenet_models::WatchPoint, &Tensor)| {
            (&one.value * slope)?.to_dtype(DType::F32)?.relu()?.mean(1)
        };
        let blocks = watched.iter().zip(&slopes).map(relevance).collect::<candle_core::Result<Vec<_>>>()?;
        let raw = tokens.rolled(model, x, &blocks, 1.0)?;
        explanations(&raw, (tokens.h, tokens.w), (height, width))
    }
}

/// Where a transformer's tokens and their attention are.
struct Tokens {
    /// The softmaxes `(B, heads, tokens, tokens)`, from the first block to the last.
    attention: Vec<NodeId>,
    /// The last value that is tokens; the head reads it.
    last: NodeId,
    prefix: usize,
    h: usize,
    w: usize,
}

impl Tokens {
    /// # Errors
    /// [`ExplainError::Attention`] for a network in which not every softmax is over all tokens.
    fn of(model: &Model, x: &Tensor) -> Result<Self, ExplainError> {
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
        // A softmax of (B, K) is of classes.
        for (_, (node, shape)) in nodes().filter(|(_, (node, shape))| node.op == Op::Softmax && shape.len() > 2) {
            if shape.len() != 4 || shape[2..] != [count, count] {
                return Err(none(format!(
                    "the attention of {:?} is {shape:?}, and not of all {count} tokens",
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

    /// Of blocks `(B, tokens, tokens)`: the rows that the head reads, `(B, h · w)`, of the product of all
    /// (block + `around` · I), the last block leftmost.
    fn rolled(&self, model: &Model, x: &Tensor, blocks: &[Tensor], around: f64) -> Result<Tensor, ExplainError> {
        let mut rows = self.read(model, x)?;
        for block in blocks.iter().rev() {
            rows = (rows.matmul(block)? + rows.affine(around, 0.0)?)?;
        }
        Ok(rows.squeeze(1)?.narrow(1, self.prefix, self.h * self.w)?)
    }

    /// The tokens that the head reads, each with the same weight, `(B, 1, tokens)`, of sum 1: those to which the logits
    /// have a gradient.
    fn read(&self, model: &Model, x: &Tensor) -> Result<Tensor, ExplainError> {
        let name = &model.graph().node(self.last).name;
        let cut = model.cut(name)?;
        if !cut.carried().is_empty() {
            let reason = format!("the logits know more of the picture than the tokens at {name:?}");
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

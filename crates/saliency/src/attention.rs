//! Where attention is in a network, and how it is followed from the tokens that the head reads to the patches.

use crate::ExplainError;
use candle_core::{DType, Tensor};
use hard_imagenet_models::{Layout, Model, ModelError, NodeId, Op};

/// The attentions of a transformer in which all tokens attend to all.
pub(crate) struct Attention {
    /// The node of each attention `(B, heads, tokens, tokens)`, in the order of the layers.
    pub(crate) layers: Vec<NodeId>,
    /// The node of the last tokens `(B, tokens, C)`, through which alone everything goes from the last attention to the
    /// logits.
    pub(crate) last: NodeId,
    /// Tokens before the patches, then rows and columns of those.
    prefix: usize,
    h: usize,
    w: usize,
}

impl Attention {
    /// Finds them, whatever the family: every softmax of the network must be one.
    ///
    /// # Errors
    /// [`ExplainError::Attention`] where one is not.
    pub(crate) fn of(model: &Model, x: &Tensor, explainer: &'static str) -> Result<Self, ExplainError> {
        let fail = |reason| ExplainError::Attention { explainer, reason };
        let graph = model.graph();
        let shapes = graph.shapes(x.dims()).map_err(ModelError::from)?;
        let layers: Vec<NodeId> = graph.ids().filter(|id| graph.node(*id).op == Op::Softmax).collect();
        let Some(behind) = layers.last() else { return Err(fail("it has no attention".into())) };

        let mut last = None;
        for id in graph.ids().rev().take_while(|id| id > behind) {
            let node = graph.node(id);
            if let Layout::Tokens { prefix, h, w } = node.layout
                && model.cut(&node.name)?.carried().is_empty()
            {
                last = Some((id, prefix, h, w));
                break;
            }
        }
        let Some((last, prefix, h, w)) = last.filter(|(_, prefix, ..)| *prefix > 0) else {
            return Err(fail("it has no class token".into()));
        };
        let tokens = prefix + h * w;
        for layer in &layers {
            let shape = &shapes[layer.index()];
            if !matches!(shape[..], [images, _, rows, columns] if images == x.dims()[0] && [rows, columns] == [tokens; 2])
            {
                let node = &graph.node(*layer).name;
                return Err(fail(format!("{node:?} is {shape:?}, where there are {tokens} tokens")));
            }
        }
        Ok(Self { layers, last, prefix, h, w })
    }

    /// Rows and columns of the patches.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.h, self.w)
    }

    /// The tokens that the head reads, `(B, 1, tokens)`, each with an equal share of 1: the class token, or two of them.
    /// They are those that have a gradient, of logits, at the last tokens.
    pub(crate) fn read(slope: &Tensor) -> candle_core::Result<Tensor> {
        let is_read = slope.abs()?.sum(2)?.gt(0f64)?.to_dtype(DType::F32)?;
        is_read.broadcast_div(&is_read.sum_keepdim(1)?)?.unsqueeze(1)
    }

    /// Raw maps `(B, h · w)` of relevances `(B, 1, tokens)`: those of the patches.
    pub(crate) fn patches(&self, relevances: &Tensor) -> candle_core::Result<Tensor> {
        relevances.squeeze(1)?.narrow(1, self.prefix, self.h * self.w)?.contiguous()
    }
}

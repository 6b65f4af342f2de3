use crate::attention::Attention;
use crate::cam::{explanations, targets};
use crate::{Explain, ExplainError, Explanation, Question};
use candle_core::{DType, Tensor};
use hard_imagenet_kernels::gradients;

/// Gradient-weighted attention (Chefer, Gur, Wolf 2021, equations 5 and 6, for self-attention): the attention of every
/// layer where it raises the target's logit.
///
/// With A_l the attention of layer l and ∇A_l the gradient of the logit, Ā_l is the mean over the heads of
/// (∇A_l ∘ A_l)⁺. Relevances begin as R = I and become R + Ā_l R from the first layer to the last; the map is the class
/// token's row of R, without the tokens that have no place. Where the head reads several tokens, as in the distilled
/// DeiT, it is the mean of their rows. Scaled as GradCAM's map.
///
/// For networks in which all tokens attend to all; of others [`ExplainError::Attention`].
#[derive(Clone, Copy, Debug, Default)]
pub struct GradientAttention;

impl Explain for GradientAttention {
    fn id(&self) -> String {
        "attention".into()
    }

    fn answer(&self, question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = question.size()?;
        let model = question.model;
        let attention = Attention::of(model, question.x, "attention")?;
        let nodes = [attention.layers.as_slice(), &[attention.last]].concat();
        let (logits, layers) = model.forward_tracked(question.x, &nodes)?;
        let variables: Vec<&Tensor> = layers.iter().map(|layer| layer.variable.as_tensor()).collect();
        let mut slopes = gradients(&targets(&logits, question.classes)?.sum_all()?, &variables)?;
        let mut row = Attention::read(&slopes.remove(attention.layers.len()))?;
        // A row of the product needs no product of whole matrices when it is taken from the last layer to the first.
        for (layer, slope) in layers.iter().zip(&slopes).rev() {
            let weighted = (layer.value.to_dtype(DType::F32)? * slope.to_dtype(DType::F32)?)?.relu()?.mean(1)?;
            row = (&row + row.matmul(&weighted)?)?;
        }
        explanations(&attention.patches(&row)?, attention.size(), (height, width))
    }
}

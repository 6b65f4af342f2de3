use crate::attention::Attention;
use crate::cam::explanations;
use crate::{Explain, ExplainError, Explanation, Question};
use candle_core::Var;
use hard_imagenet_kernels::gradient;
use hard_imagenet_models::AtCut;

/// Attention rollout (Abnar and Zuidema 2020, equation 1, section 3): how much of each patch reaches the class token if
/// attention alone mixed the tokens.
///
/// With A_l the mean over the heads of layer l, and Â_l = (A_l + I) / 2 for the residual connection, the map is the class
/// token's row of Â_L ⋯ Â_1, without the tokens that have no place. Where the head reads several tokens, as in the
/// distilled DeiT, it is the mean of their rows. It does not ask for a class. Scaled as GradCAM's map.
///
/// For networks in which all tokens attend to all; of others [`ExplainError::Attention`].
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionRollout;

impl Explain for AttentionRollout {
    fn id(&self) -> String {
        "rollout".into()
    }

    fn answer(&self, question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = question.size()?;
        let model = question.model;
        let attention = Attention::of(model, question.x, "rollout")?;
        let nodes = attention.layers.iter().chain([&attention.last]);
        let names: Vec<&str> = nodes.map(|id| model.graph().node(*id).name.as_str()).collect();
        let (_, mut layers) = model.forward_with(question.x, &names)?;
        let tokens = layers.remove(attention.layers.len());
        let tokens = Var::from_tensor(&tokens.to_dtype(model.dtype())?)?;
        let head = model.cut(names[attention.layers.len()])?;
        let logits = model.head(&head, &AtCut { at: tokens.as_tensor().clone(), carried: Vec::new() })?;
        let mut row = Attention::read(&gradient(&logits.sum_all()?, &tokens)?)?;
        // A row of the product needs no product of whole matrices when it is taken from the last layer to the first.
        for layer in layers.iter().rev() {
            row = ((&row + row.matmul(&layer.mean(1)?)?)? * 0.5)?;
        }
        explanations(&attention.patches(&row)?, attention.size(), (height, width))
    }
}

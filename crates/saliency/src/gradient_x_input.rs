use crate::{Explain, ExplainError, Explanation, Question, input_gradient, pixels};
use candle_core::DType;

/// Gradient × input (Shrikumar et al. 2016): what each pixel adds to the logit, were the network linear.
///
/// With y the target's logit, raw = Σ over channels of x ∂y/∂x (captum's `InputXGradient` before the sum), at the
/// input's resolution, signed, in logits. x is the normalised input, so that a pixel of the mean colour counts for
/// nothing. The map is raw without its negative part, scaled linearly to [0, 1]: what spoke for the class.
#[derive(Clone, Copy, Debug, Default)]
pub struct GradientXInput;

impl Explain for GradientXInput {
    fn id(&self) -> String {
        "gradient-x-input".into()
    }

    fn answer(&self, question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let slope = input_gradient(question.model, question.x, question.classes)?;
        pixels::explanations(&(question.x.to_dtype(DType::F32)? * slope)?.sum(1)?)
    }
}

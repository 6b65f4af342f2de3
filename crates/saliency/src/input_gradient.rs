use crate::cam::targets;
use crate::{Explain, ExplainError, Explanation, Question, pixels};
use candle_core::{DType, Tensor, Var};
use hard_imagenet_kernels::gradient;
use hard_imagenet_models::Model;

/// The gradient of each image's target logit with respect to the image: `(B, 3, H, W)`, f32.
///
/// `x` is the network's input `(B, 3, H, W)`, normalised, and `classes` one target an image; the unit is logits per unit
/// of the normalised input. Images of a batch do not see each other, so the gradient of the sum of their logits is each
/// one's own. The result carries no record: it cannot be differentiated again.
///
/// # Errors
/// Not one class for each image, a class beyond the head, an input of another shape than the network takes, an
/// operation without gradient.
pub fn input_gradient(model: &Model, x: &Tensor, classes: &[u32]) -> Result<Tensor, ExplainError> {
    match (x.dim(0)?, classes.len()) {
        (images, count) if images == count => (),
        (images, classes) => return Err(ExplainError::Count { images, classes }),
    }
    let x = Var::from_tensor(&x.detach().to_dtype(model.dtype())?)?;
    let logits = model.forward(&x)?;
    Ok(gradient(&targets(&logits, classes)?.sum_all()?, &x)?.to_dtype(DType::F32)?)
}

/// The input gradient's magnitude (Simonyan, Vedaldi, Zisserman 2013): how much a small change of a pixel would change
/// the logit, in whichever direction.
///
/// With y the target's logit, raw = max over channels of |∂y/∂x| (section 3.1 there; captum's `Saliency` before the
/// maximum), at the input's resolution and not negative. The map is raw scaled linearly from least and greatest to
/// [0, 1], without clipping of outliers: few pixels of a real gradient are bright.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputGradient;

impl Explain for InputGradient {
    fn id(&self) -> String {
        "gradient".into()
    }

    fn answer(&self, question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        pixels::explanations(&input_gradient(question.model, question.x, question.classes)?.abs()?.max(1)?)
    }
}

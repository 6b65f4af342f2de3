use crate::cam::{explanations, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor, Var};
use hard_imagenet_kernels::gradient;
use hard_imagenet_models::Model;

/// The gradient of each image's target logit with respect to its input: `x` `(B, 3, H, W)`, normalised, one class an
/// image; the answer is `(B, 3, H, W)`, f32, whatever the model's dtype.
///
/// # Errors
/// Not one class for each image, a class beyond the head, an input that the network does not take, an operation without
/// gradient.
pub fn input_gradient(model: &Model, x: &Tensor, classes: &[u32]) -> Result<Tensor, ExplainError> {
    let (images, _, _, _) = x.dims4()?;
    if classes.len() != images {
        return Err(ExplainError::Count { images, classes: classes.len() });
    }
    let x = Var::from_tensor(&x.to_dtype(DType::F32)?)?;
    let logits = model.forward(x.as_tensor())?;
    Ok(gradient(&targets(&logits, classes)?.sum_all()?, &x)?)
}

/// The largest magnitude over channels, `(B, 3, H, W)` to `(B, H · W)`: for gradients, whose sign says only whether a
/// brighter or a darker pixel would help.
pub(crate) fn magnitudes(gradients: &Tensor) -> candle_core::Result<Tensor> {
    gradients.abs()?.max(1)?.flatten_from(1)
}

/// The sum over channels, `(B, 3, H, W)` to `(B, H · W)`: for attributions, which are shares of the logit and add up.
pub(crate) fn sums(attributions: &Tensor) -> candle_core::Result<Tensor> {
    attributions.sum(1)?.flatten_from(1)
}

/// The input's gradient (Simonyan, Vedaldi and Zisserman 2014; captum's `Saliency`): how much does the target's logit
/// change with each pixel?
///
/// `raw` `(H, W)` is the largest |∂y/∂x| over the three channels of the normalised input, as in the paper. `map` is raw
/// scaled to [0, 1] as GradCAM's; a few bright pixels are not clipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gradient;

impl Explain for Gradient {
    fn id(&self) -> String {
        "gradient".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let slope = input_gradient(request.model, request.x, request.classes)?;
        explanations(&magnitudes(&slope)?, (height, width), (height, width))
    }
}

/// The input times its gradient (Shrikumar et al. 2016; captum's `InputXGradient`): the share of each pixel in the
/// logit, were the network linear. The mean colour, 0 of the normalised input, has none.
///
/// `raw` `(H, W)` is the sum of x · ∂y/∂x over channels, with its sign; `map` is its positive part, scaled to [0, 1] as
/// GradCAM's.
#[derive(Clone, Copy, Debug, Default)]
pub struct GradientXInput;

impl Explain for GradientXInput {
    fn id(&self) -> String {
        "gradient-x-input".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let slope = input_gradient(request.model, request.x, request.classes)?;
        let shares = (slope * request.x.to_dtype(DType::F32)?)?;
        explanations(&sums(&shares)?, (height, width), (height, width))
    }
}

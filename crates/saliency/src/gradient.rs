use crate::cam::{explanations, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor, Var};
use hard_imagenet_kernels::gradient;
use hard_imagenet_models::Model;

/// Returns the gradient of each image's target logit with respect to its input, `(B, 3, H, W)` f32 for every dtype of
/// the model. `x` `(B, 3, H, W)` is normalized, and `classes` has one target class per image.
///
/// # Errors
/// Returns [`ExplainError::Count`] or [`ExplainError::Class`] for wrong classes, and the model's error for an input
/// that it does not accept and for an operation without gradient.
pub fn input_gradient(model: &Model, x: &Tensor, classes: &[u32]) -> Result<Tensor, ExplainError> {
    let (images, _, _, _) = x.dims4()?;
    if classes.len() != images {
        return Err(ExplainError::Count { images, classes: classes.len() });
    }
    let x = Var::from_tensor(&x.to_dtype(DType::F32)?)?;
    let logits = model.forward(x.as_tensor())?;
    Ok(gradient(&targets(&logits, classes)?.sum_all()?, &x)?)
}

/// Returns the largest magnitude over channels, from `(B, 3, H, W)` to `(B, H · W)`. This is for gradients, whose sign
/// only says whether a brighter or a darker pixel would help.
pub(crate) fn magnitudes(gradients: &Tensor) -> candle_core::Result<Tensor> {
    gradients.abs()?.max(1)?.flatten_from(1)
}

/// Returns the sum over channels, from `(B, 3, H, W)` to `(B, H · W)`. This is for attributions, which are shares of
/// the logit and add up.
pub(crate) fn sums(attributions: &Tensor) -> candle_core::Result<Tensor> {
    attributions.sum(1)?.flatten_from(1)
}

/// The input's gradient (Simonyan, Vedaldi and Zisserman 2014; captum's `Saliency`): how much the target's logit
/// changes with each pixel.
///
/// `raw` `(H, W)` is the largest |∂y/∂x| over the three channels of the normalized input, as in the paper. `map` is
/// raw, scaled to [0, 1] like GradCAM's map. Single bright pixels are not clipped.
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

/// The input times its gradient (Shrikumar et al. 2016; captum's `InputXGradient`): each pixel's share of the logit if
/// the network were linear. The mean color, which is 0 in the normalized input, has no share.
///
/// `raw` `(H, W)` is the sum of x · ∂y/∂x over channels, with its sign. `map` is the positive part, scaled to [0, 1]
/// like GradCAM's map.
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

use crate::RankingError;
use candle_core::{Tensor, Var};
use hard_imagenet_kernels::gradient;
use hard_imagenet_models::Model;

/// Changes an image so that a feature becomes stronger, to show what the feature looks for (Singla et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureAttack {
    /// Number of steps.
    pub steps: usize,
    /// Length of a step, in units of pixel values in [0, 1].
    pub step_size: f64,
    /// Greatest Euclidean distance from the original image over all pixels and channels. The published code has such an
    /// argument, 500, and ignores it.
    pub max_distance: Option<f64>,
}

impl Default for FeatureAttack {
    /// Returns the attack of the published code: 100 steps of length 10 without a limit of the distance.
    fn default() -> Self {
        Self { steps: 100, step_size: 10.0, max_distance: None }
    }
}

/// The result of a [`FeatureAttack`] on a batch of images.
#[derive(Clone, Debug)]
pub struct AttackedImages {
    /// The changed images, `(B, 3, H, W)` in [0, 1].
    pub images: Tensor,
    /// The feature of each image before each step and after the last one: `steps + 1` lists of B values.
    pub activations: Vec<Vec<f32>>,
}

impl FeatureAttack {
    /// Attacks a batch of images. `x` `(B, 3, H, W)` is in [0, 1] and not normalized; `features` names one feature per
    /// image.
    ///
    /// A step moves each image by [`step_size`](Self::step_size) along the gradient of its feature, which is divided by
    /// its length + 1e-10. Then the image is brought back into the allowed distance and into [0, 1].
    ///
    /// # Errors
    /// Returns the model's error for a batch that it does not accept, and candle's error for a feature that the model
    /// does not have.
    pub fn run(&self, model: &Model, x: &Tensor, features: &[u32]) -> Result<AttackedImages, RankingError> {
        let index = Tensor::new(features, x.device())?.unsqueeze(1)?;
        let (start, mut images) = (x.clone(), x.clone());
        let mut activations = Vec::with_capacity(self.steps + 1);
        for _ in 0..self.steps {
            let variable = Var::from_tensor(&images)?;
            let chosen = model.features(&model.normalize(variable.as_tensor())?)?.gather(&index, 1)?;
            activations.push(chosen.flatten_all()?.to_vec1()?);
            let slope = gradient(&chosen.sum_all()?, &variable)?;
            let step = slope.broadcast_div(&(length(&slope)? + 1e-10)?)?.affine(self.step_size, 0.0)?;
            images = (variable.as_detached_tensor() + step)?;
            if let Some(max_distance) = self.max_distance {
                let moved = (&images - &start)?;
                let ratio = (length(&moved)?.affine(1.0 / max_distance, 0.0)?).maximum(1f64)?;
                images = (&start + moved.broadcast_div(&ratio)?)?;
            }
            images = images.clamp(0f64, 1f64)?.detach();
        }
        let last = model.features(&model.normalize(&images)?)?.gather(&index, 1)?;
        activations.push(last.flatten_all()?.to_vec1()?);
        Ok(AttackedImages { images, activations })
    }
}

/// Returns the Euclidean length of each image, `(B, 1, 1, 1)`.
fn length(x: &Tensor) -> candle_core::Result<Tensor> {
    x.sqr()?.sum_keepdim((1, 2, 3))?.sqrt()
}

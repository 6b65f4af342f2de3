use crate::RankingError;
use candle_core::{Tensor, Var};
use hard_imagenet_kernels::gradient;
use hard_imagenet_models::Model;

/// Makes a feature stronger in a picture, to see what it looks for (SPEC 11.5; Singla et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureAttack {
    /// Steps.
    pub steps: usize,
    /// Length of a step, in units of the picture's values, which lie in [0, 1].
    pub step_size: f64,
    /// Stay so near to the picture that one began with (Euclidean distance over all pixels and channels). The original has
    /// such an argument, 500, and ignores it.
    pub max_distance: Option<f64>,
}

impl Default for FeatureAttack {
    /// As the original: 100 steps of 10, no projection.
    fn default() -> Self {
        Self { steps: 100, step_size: 10.0, max_distance: None }
    }
}

impl FeatureAttack {
    /// The pictures after the attack, `(B, 3, H, W)` in [0, 1], and the features' values before each step and at the end
    /// (steps + 1 lists of B). `x` is not normalised; `features` names one feature for each picture.
    ///
    /// A step goes along the gradient of each picture's feature, of length [`step_size`](Self::step_size) (the gradient is divided by
    /// its length + 1e-10), then back into the distance allowed and into [0, 1].
    ///
    /// # Errors
    /// From the model, for a batch that it does not take; for a feature that is not there.
    pub fn run(&self, model: &Model, x: &Tensor, features: &[u32]) -> Result<(Tensor, Vec<Vec<f32>>), RankingError> {
        let index = Tensor::new(features, x.device())?.unsqueeze(1)?;
        let (start, mut at) = (x.clone(), x.clone());
        let mut values = Vec::with_capacity(self.steps + 1);
        for _ in 0..self.steps {
            let variable = Var::from_tensor(&at)?;
            let chosen = model.features(&model.normalize(variable.as_tensor())?)?.gather(&index, 1)?;
            values.push(chosen.flatten_all()?.to_vec1()?);
            let slope = gradient(&chosen.sum_all()?, &variable)?;
            let step = slope.broadcast_div(&(length(&slope)? + 1e-10)?)?.affine(self.step_size, 0.0)?;
            at = (variable.as_detached_tensor() + step)?;
            if let Some(max_distance) = self.max_distance {
                let moved = (&at - &start)?;
                let ratio = (length(&moved)?.affine(1.0 / max_distance, 0.0)?).maximum(1f64)?;
                at = (&start + moved.broadcast_div(&ratio)?)?;
            }
            at = at.clamp(0f64, 1f64)?.detach();
        }
        let last = model.features(&model.normalize(&at)?)?.gather(&index, 1)?;
        values.push(last.flatten_all()?.to_vec1()?);
        Ok((at, values))
    }
}

/// Euclidean length of each picture, `(B, 1, 1, 1)`.
fn length(x: &Tensor) -> candle_core::Result<Tensor> {
    x.sqr()?.sum_keepdim((1, 2, 3))?.sqrt()
}

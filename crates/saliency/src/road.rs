use crate::ExplainError;
use crate::faithfulness::{pixel_order, probabilities};
use crate::imputation::impute;
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::{NoiseKey, normals};

/// Remove and debias (Rong et al. 2022) on the target's probability, as in pytorch-grad-cam's `ROADCombined`.
///
/// Pixels are removed by imputing each from its neighbors, so that the shape of the removed part does not show, and by
/// adding a little noise. At percentile p, the pixels whose value is at or above p are removed (most relevant first),
/// or those at or below 1 - p (least relevant first). Pixels of equal value are removed in their order in the image, so
/// that as many are removed as without ties.
#[derive(Clone, Debug)]
pub struct Road {
    /// The percentiles, each in 0..100.
    pub percentiles: Vec<f64>,
    /// Standard deviation of the noise, in units of the normalized input.
    pub noise: f32,
    /// Number of images that go through the network at once.
    pub batch_size: usize,
}

impl Default for Road {
    fn default() -> Self {
        let percentiles = (1..10).map(|tenth| f64::from(10 * tenth)).collect();
        Self { percentiles, noise: 0.01, batch_size: 16 }
    }
}

/// How the target's probability changes at each percentile.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadScores {
    /// The probability without the most relevant pixels, minus that of the whole image. Low values are good.
    pub most_relevant_first: Vec<f32>,
    /// The probability without the least relevant pixels, minus that of the whole image. High values are good.
    pub least_relevant_first: Vec<f32>,
}

impl RoadScores {
    /// Returns (mean of least relevant first - mean of most relevant first) / 2. High values are good, and a map that
    /// knows nothing has 0. The value is undefined if there are no percentiles or a probability is NaN.
    pub fn combined(&self) -> Option<f64> {
        let mean = |scores: &[f32]| scores.iter().map(|v| f64::from(*v)).sum::<f64>() / scores.len() as f64;
        let combined = (mean(&self.least_relevant_first) - mean(&self.most_relevant_first)) / 2.0;
        Some(combined).filter(|value| !value.is_nan())
    }
}

impl Road {
    /// Returns the scores of a map of the image `x` `(1, 3, H, W)`, normalized. The noise follows from the image's key.
    /// The scores are undefined for a map that is constant or contains NaN, because such a map orders nothing.
    ///
    /// # Errors
    /// Returns [`ExplainError::Class`] for a class that the head does not have, [`ExplainError::Map`] for a map of
    /// another size than the image, and the model's error for an input that it does not accept.
    pub fn scores(
        &self,
        model: &Model,
        x: &Tensor,
        class: u32,
        map: &Heatmap,
        key: NoiseKey,
    ) -> Result<Option<RoadScores>, ExplainError> {
        let x = x.to_dtype(DType::F32)?;
        let Some(most) = pixel_order(map, &x)? else { return Ok(None) };
        let least: Vec<usize> = most.iter().rev().copied().collect();
        let whole = probabilities(model, &x, class)?[0];
        let mut without = Vec::new();
        for (name, order) in [("most", &most), ("least", &least)] {
            for percentile in &self.percentiles {
                let key = key.fork(&format!("road:{name}:{percentile}"));
                without.push(self.without(&x, &order[..self.removed(*percentile, order.len())], key)?);
            }
        }
        let mut changes = Vec::with_capacity(without.len());
        for images in without.chunks(self.batch_size.max(1)) {
            changes.extend(probabilities(model, &Tensor::cat(images, 0)?, class)?.iter().map(|p| p - whole));
        }
        let least_relevant_first = changes.split_off(self.percentiles.len());
        Ok(Some(RoadScores { most_relevant_first: changes, least_relevant_first }))
    }

    /// Returns how many of `count` different values are at or above their percentile, by NumPy's linear interpolation.
    /// At least one pixel stays.
    fn removed(&self, percentile: f64, count: usize) -> usize {
        let below = (percentile / 100.0 * (count - 1) as f64).ceil() as usize;
        count - below.clamp(1, count)
    }

    /// Returns the image without some of its pixels.
    fn without(&self, x: &Tensor, pixels: &[usize], key: NoiseKey) -> Result<Tensor, ExplainError> {
        let mut known = vec![true; x.dim(2)? * x.dim(3)?];
        pixels.iter().for_each(|pixel| known[*pixel] = false);
        let Some(imputed) = impute(&x.squeeze(0)?, &known)? else { return Ok(x.clone()) };
        let gone: Vec<f32> = known.iter().map(|known| if *known { 0.0 } else { self.noise }).collect();
        let gone = Tensor::from_vec(gone, (1, x.dim(2)?, x.dim(3)?), x.device())?;
        let noise = Tensor::from_vec(normals(key, x.elem_count()), imputed.shape(), x.device())?;
        Ok((imputed + noise.broadcast_mul(&gone)?)?.unsqueeze(0)?)
    }
}

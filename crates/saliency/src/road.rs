use crate::ExplainError;
use crate::faithfulness::{order, probabilities};
use crate::imputation::imputed;
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::{NoiseKey, normals};

/// Remove and debias (Rong et al. 2022), as pytorch-grad-cam's `ROADCombined` does it, on the target's probability.
///
/// Pixels are taken away by imputing each from its neighbours, so that the shape of what is missing does not show, and
/// adding a little noise. At percentile p those go whose value is at or above it (most relevant first), or else at or
/// below 1 - p (least relevant first); pixels of equal value go in their order in the picture, so that as many go as
/// without ties.
#[derive(Clone, Debug)]
pub struct Road {
    /// Each in 0..100.
    pub percentiles: Vec<f64>,
    /// Standard deviation of the noise, in units of the normalised input.
    pub noise: f32,
    /// Pictures that go through the network together.
    pub batch_size: usize,
}

impl Default for Road {
    fn default() -> Self {
        let percentiles = (1..10).map(|tenth| f64::from(10 * tenth)).collect();
        Self { percentiles, noise: 0.01, batch_size: 16 }
    }
}

/// What becomes of the target's probability, at each percentile.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadScores {
    /// Without the image's pixels that are most relevant, less that of the whole image: low is good.
    pub most_relevant_first: Vec<f32>,
    /// Without the least relevant ones, less that of the whole image: high is good.
    pub least_relevant_first: Vec<f32>,
}

impl RoadScores {
    /// (mean of least relevant first - mean of most relevant first) / 2: high is good; 0 of a map that knows nothing.
    /// `None` where there are no percentiles, or a probability is NaN.
    pub fn combined(&self) -> Option<f64> {
        let mean = |scores: &[f32]| scores.iter().map(|v| f64::from(*v)).sum::<f64>() / scores.len() as f64;
        let combined = (mean(&self.least_relevant_first) - mean(&self.most_relevant_first)) / 2.0;
        Some(combined).filter(|value| !value.is_nan())
    }
}

impl Road {
    /// Of a picture `x` `(1, 3, H, W)`, normalised, and a map of its size; noise follows from the image's key. `None` for
    /// a map that orders nothing: constant, or with a NaN.
    ///
    /// # Errors
    /// A class beyond the head, a map of another size than the picture, an input that the network does not take.
    pub fn scores(
        &self,
        model: &Model,
        x: &Tensor,
        class: u32,
        map: &Heatmap,
        key: NoiseKey,
    ) -> Result<Option<RoadScores>, ExplainError> {
        let x = x.to_dtype(DType::F32)?;
        let Some(most) = order(map, &x)? else { return Ok(None) };
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
        for pictures in without.chunks(self.batch_size.max(1)) {
            changes.extend(probabilities(model, &Tensor::cat(pictures, 0)?, class)?.iter().map(|p| p - whole));
        }
        let least_relevant_first = changes.split_off(self.percentiles.len());
        Ok(Some(RoadScores { most_relevant_first: changes, least_relevant_first }))
    }

    /// How many of `count` values that all differ are at or above their percentile, by NumPy's linear interpolation. One
    /// at least stays.
    fn removed(&self, percentile: f64, count: usize) -> usize {
        let below = (percentile / 100.0 * (count - 1) as f64).ceil() as usize;
        count - below.clamp(1, count)
    }

    /// The picture without some of its pixels.
    fn without(&self, x: &Tensor, pixels: &[usize], key: NoiseKey) -> Result<Tensor, ExplainError> {
        let mut known = vec![true; x.dim(2)? * x.dim(3)?];
        pixels.iter().for_each(|pixel| known[*pixel] = false);
        let Some(imputed) = imputed(&x.squeeze(0)?, &known)? else { return Ok(x.clone()) };
        let gone: Vec<f32> = known.iter().map(|known| if *known { 0.0 } else { self.noise }).collect();
        let gone = Tensor::from_vec(gone, (1, x.dim(2)?, x.dim(3)?), x.device())?;
        let noise = Tensor::from_vec(normals(key, x.elem_count()), imputed.shape(), x.device())?;
        Ok((imputed + noise.broadcast_mul(&gone)?)?.unsqueeze(0)?)
    }
}

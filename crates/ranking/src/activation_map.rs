use crate::{FeatureBank, FeatureExtractor, RankingError};
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Heatmap;

/// The activation of a feature at each place of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationMap {
    /// The activations as computed, `(h, w)`.
    pub raw: Heatmap,
    /// The activations divided by the largest one and enlarged to the input's size `(H, W)`, bilinearly as in OpenCV.
    /// The largest value is 1 before the enlargement, and the smallest is not moved to 0. Zeros if no activation is
    /// positive.
    pub map: Heatmap,
}

impl FeatureExtractor<'_> {
    /// Returns the neural activation maps of some features for each image of a batch, in the order of images and
    /// features. `x` `(B, 3, H, W)` is normalized. All maps come from one forward pass.
    ///
    /// The published code returns 1 − map, because its color scale runs in the other direction.
    ///
    /// # Errors
    /// Returns the model's error for a batch that it does not accept, and candle's error for a feature that the model
    /// does not have.
    pub fn activation_maps(&self, x: &Tensor, features: &[u32]) -> Result<Vec<Vec<ActivationMap>>, RankingError> {
        let (_, _, height, width) = x.dims4()?;
        let places = self.places(x)?;
        let (h, w) = (places.h, places.w);
        let chosen = Tensor::new(features, places.values.device())?;
        let channels = places.values.index_select(&chosen, 2)?.to_dtype(DType::F32)?;
        let channels = channels.transpose(1, 2)?.to_vec3::<f32>()?;
        let to_map = |values| activation_map(values, (h, w), (height, width));
        Ok(channels.into_iter().map(|image| image.into_iter().map(to_map).collect()).collect())
    }
}

/// Scales the activations `(h, w)` of a feature and enlarges them to the input's size.
fn activation_map(values: Vec<f32>, (h, w): (usize, usize), (height, width): (usize, usize)) -> ActivationMap {
    let largest = values.iter().fold(0f32, |most, &v| most.max(v));
    let scale = if largest > 0.0 { largest.recip() } else { 0.0 };
    let scaled = values.iter().map(|v| v * scale).collect();
    let heatmap = |values| Heatmap::from_vec(h, w, values).expect("a feature has one value per place");
    ActivationMap { raw: heatmap(values), map: heatmap(scaled).resize(height, width) }
}

/// Returns the rows of the `n` images of a class that activate a feature most, the most active one first.
///
/// # Panics
/// Panics if the bank does not have the feature.
pub fn top_images(bank: &FeatureBank, class: u32, feature: u32, n: usize) -> Vec<usize> {
    let mut rows = bank.labeled_rows(class);
    let activation = |row: &usize| bank.features(*row)[feature as usize];
    rows.sort_by(|a, b| activation(b).total_cmp(&activation(a)).then(a.cmp(b)));
    rows.truncate(n);
    rows
}

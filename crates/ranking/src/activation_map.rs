use crate::{FeatureBank, FeatureExtractor, RankingError};
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Heatmap;

/// A feature's activation in its places.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationMap {
    /// As computed, `(h, w)`.
    pub raw: Heatmap,
    /// Divided by its largest value and enlarged to the picture's size, bilinear as OpenCV's: at most 1, the minimum is
    /// not moved to 0. Zeros for a map without a positive value.
    pub map: Heatmap,
}

impl FeatureExtractor<'_> {
    /// Neural activation maps (SPEC 11.4) of some features for each picture of a batch, in their orders, from one pass; `x`
    /// `(B, 3, H, W)`, normalised.
    ///
    /// The original hands out 1 − map, for its colours run the other way.
    ///
    /// # Errors
    /// From the model, for a batch that it does not take; for a feature that is not there.
    #[allow(clippy::missing_panics_doc, reason = "the values match the extents by construction")]
    pub fn activation_maps(&self, x: &Tensor, features: &[u32]) -> Result<Vec<Vec<ActivationMap>>, RankingError> {
        let (_, _, height, width) = x.dims4()?;
        let (values, h, w) = self.places(x)?;
        let chosen = Tensor::new(features, values.device())?;
        let channels = values.index_select(&chosen, 2)?.to_dtype(DType::F32)?.transpose(1, 2)?.to_vec3::<f32>()?;
        let one = |raw: Vec<f32>| {
            let largest = raw.iter().fold(0f32, |most, &v| most.max(v));
            let scale = if largest > 0.0 { largest.recip() } else { 0.0 };
            let scaled = Heatmap::from_vec(h, w, raw.iter().map(|v| v * scale).collect()).expect("one value per pixel");
            ActivationMap {
                raw: Heatmap::from_vec(h, w, raw).expect("one value per pixel"),
                map: scaled.resize(height, width),
            }
        };
        Ok(channels.into_iter().map(|picture| picture.into_iter().map(one).collect()).collect())
    }
}

/// The `n` pictures of a class that activate a feature most, the most active first.
pub fn top_images(bank: &FeatureBank, class: u32, feature: u32, n: usize) -> Vec<usize> {
    let mut rows = bank.labeled_rows(class);
    let activation = |row: &usize| bank.features(*row)[feature as usize];
    rows.sort_by(|a, b| activation(b).total_cmp(&activation(a)).then(a.cmp(b)));
    rows.truncate(n);
    rows
}

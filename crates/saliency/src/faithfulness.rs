//! Measures whether a decision rests on the pixels that a map names: pixels are removed or inserted in the map's order.

use crate::ExplainError;
use crate::cam::targets;
use candle_core::{DType, Tensor};
use hard_imagenet_kernels::softmax;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::Model;

/// The target's probability while pixels are removed or inserted.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The probability at equal steps, from no replaced pixel to all pixels.
    pub scores: Vec<f32>,
}

impl Curve {
    /// Returns the area under the curve over [0, 1], by the trapezoidal rule. It is undefined if a probability is NaN.
    pub fn area(&self) -> Option<f64> {
        let sum: f64 = self.scores.windows(2).map(|pair| (f64::from(pair[0]) + f64::from(pair[1])) / 2.0).sum();
        Some(sum / (self.scores.len() - 1) as f64).filter(|area| !area.is_nan())
    }
}

/// What takes the place of a missing pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Substrate {
    /// The mean color, which is 0 in the normalized input. It leaves sharp edges.
    MeanColor,
    /// The image itself, blurred by a Gaussian with standard deviation `sigma` on `side` × `side` pixels, with zeros
    /// beyond the border. As in the published code, the kernel is a point smoothed by SciPy's `gaussian_filter` on an
    /// array of that size, so that the tails of the Gaussian are mirrored at the ends of the array.
    Blur {
        /// Side of the kernel, an odd number; 11 in the published code.
        side: usize,
        /// Standard deviation; 5 in the published code.
        sigma: f64,
    },
}

impl Substrate {
    /// The blurred image from which the published code starts to insert.
    pub const BLUR: Self = Self::Blur { side: 11, sigma: 5.0 };

    /// Returns the substrate of images `(B, C, H, W)` f32.
    fn apply(self, x: &Tensor) -> candle_core::Result<Tensor> {
        let Self::Blur { side, sigma } = self else { return x.zeros_like() };
        let half = side / 2;
        let weights = mirrored_gaussian(half, sigma);
        // Along columns, then along rows.
        let mut y = x.clone();
        for axis in [2, 3] {
            let length = y.dim(axis)?;
            let padded = y.pad_with_zeros(axis, half, half)?;
            let mut blurred = y.zeros_like()?;
            for (i, weight) in weights.iter().enumerate() {
                blurred = (blurred + padded.narrow(axis, i, length)?.affine(*weight, 0.0)?)?;
            }
            y = blurred;
        }
        Ok(y)
    }
}

/// Returns the 2 · `half` + 1 weights of a blur along one axis: a Gaussian up to four standard deviations whose tails
/// are mirrored at the ends.
fn mirrored_gaussian(half: usize, sigma: f64) -> Vec<f64> {
    let (side, reach) = (2 * half + 1, (4.0 * sigma + 0.5) as i64);
    let gaussian = |offset: i64| (-0.5 * (offset as f64 / sigma).powi(2)).exp();
    let sum: f64 = (-reach..=reach).map(gaussian).sum();
    let mut weights = vec![0.0; side];
    for offset in -reach..=reach {
        // Mirrors with the last value repeated: d c b a | a b c d | d c b a.
        let place = (half as i64 + offset).rem_euclid(2 * side as i64) as usize;
        weights[if place < side { place } else { 2 * side - 1 - place }] += gaussian(offset) / sum;
    }
    weights
}

/// Insertion and deletion (Petsiuk, Das and Saenko 2018, section 4.2).
///
/// A map is faithful if the target's probability falls early when the map's highest pixels are removed first (a small
/// area under the curve of [`deletion`](Self::deletion)), and rises early when they are inserted first (a large area
/// under the curve of [`insertion`](Self::insertion)). At step `k` of `steps`, ⌊k · H · W / steps⌋ pixels are replaced.
/// Among equal values, the earlier pixel comes first.
#[derive(Clone, Debug)]
pub struct Faithfulness {
    /// Number of steps. The published code replaces one row's worth of pixels per step, which makes 224 steps.
    pub steps: usize,
    /// What takes the place of deleted pixels; the mean color in the published code.
    pub deletion_substrate: Substrate,
    /// What is in the place of pixels before they are inserted; [`Substrate::BLUR`] in the published code.
    pub insertion_substrate: Substrate,
    /// Number of images that go through the network at once.
    pub batch_size: usize,
}

impl Default for Faithfulness {
    fn default() -> Self {
        Self {
            steps: 224,
            deletion_substrate: Substrate::MeanColor,
            insertion_substrate: Substrate::BLUR,
            batch_size: 16,
        }
    }
}

impl Faithfulness {
    /// Returns the probability of `class` while the pixels of `x` `(1, 3, H, W)`, normalized, are deleted, the map's
    /// highest first. It is undefined for a map that is constant or contains NaN, because such a map orders nothing.
    ///
    /// # Errors
    /// Returns [`ExplainError::Class`] for a class that the head does not have, [`ExplainError::Map`] for a map of
    /// another size than the image, and the model's error for an input that it does not accept.
    pub fn deletion(
        &self,
        model: &Model,
        x: &Tensor,
        class: u32,
        map: &Heatmap,
    ) -> Result<Option<Curve>, ExplainError> {
        let x = x.to_dtype(DType::F32)?;
        self.curve(model, &x, &self.deletion_substrate.apply(&x)?, class, map)
    }

    /// Returns the probability of `class` while the pixels of `x` are inserted, the map's highest first. Otherwise like
    /// [`deletion`](Self::deletion).
    ///
    /// `x` has the shape `(1, 3, H, W)`, `map` the shape `(H, W)`.
    ///
    /// # Errors
    /// Returns the errors of [`deletion`](Self::deletion).
    pub fn insertion(
        &self,
        model: &Model,
        x: &Tensor,
        class: u32,
        map: &Heatmap,
    ) -> Result<Option<Curve>, ExplainError> {
        let x = x.to_dtype(DType::F32)?;
        self.curve(model, &self.insertion_substrate.apply(&x)?, &x, class, map)
    }

    fn curve(
        &self,
        model: &Model,
        from: &Tensor,
        to: &Tensor,
        class: u32,
        map: &Heatmap,
    ) -> Result<Option<Curve>, ExplainError> {
        let Some(order) = pixel_order(map, from)? else { return Ok(None) };
        let (_, _, height, width) = from.dims4()?;
        let (steps, batch) = (self.steps.max(1), self.batch_size.max(1));
        let mut rank = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, &pixel)| rank[pixel] = place);
        let mut scores = Vec::with_capacity(steps + 1);
        for first in (0..=steps).step_by(batch) {
            let count = batch.min(steps + 1 - first);
            let replaced = |step: usize| {
                let pixels = step * order.len() / steps;
                rank.iter().map(move |rank| f32::from(u8::from(*rank < pixels)))
            };
            let share: Vec<f32> = (first..first + count).flat_map(replaced).collect();
            let share = Tensor::from_vec(share, (count, 1, height, width), from.device())?;
            let rest = share.affine(-1.0, 1.0)?;
            let images = (to.broadcast_mul(&share)? + from.broadcast_mul(&rest)?)?;
            scores.extend(probabilities(model, &images, class)?);
        }
        Ok(Some(Curve { scores }))
    }
}

/// Returns the class's probability for each of the images.
pub(crate) fn probabilities(model: &Model, images: &Tensor, class: u32) -> Result<Vec<f32>, ExplainError> {
    let logits = model.forward(images)?;
    Ok(targets(&softmax(&logits)?, &vec![class; images.dim(0)?])?.to_vec1()?)
}

/// Returns the pixels in the order of the map, its highest first; `None` if the map is constant or contains NaN. `x`
/// `(1, 3, H, W)` is the image.
pub(crate) fn pixel_order(map: &Heatmap, x: &Tensor) -> Result<Option<Vec<usize>>, ExplainError> {
    let (images, _, height, width) = x.dims4()?;
    if (images, height, width) != (1, map.height(), map.width()) {
        let map = (map.height(), map.width());
        return Err(ExplainError::Map { map, input: x.dims().to_vec() });
    }
    let values = map.as_slice();
    let orders_nothing = values.iter().all(|v| *v == values[0]) || values.iter().any(|v| v.is_nan());
    if orders_nothing {
        return Ok(None);
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    // No value is NaN, and both zeros are equal.
    order.sort_by(|a, b| values[*b].partial_cmp(&values[*a]).unwrap_or(std::cmp::Ordering::Equal));
    Ok(Some(order))
}

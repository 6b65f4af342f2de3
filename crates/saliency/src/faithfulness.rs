//! Does the decision rest on what a map says? Pixels are taken away, or brought back, in the map's order.

use crate::ExplainError;
use crate::cam::targets;
use candle_core::{DType, Tensor};
use hard_imagenet_kernels::softmax;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::Model;

/// The target's probability while pixels go or come.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// At equal steps from no pixel to all, both included.
    pub scores: Vec<f32>,
}

impl Curve {
    /// The area under it, by trapezoids over [0, 1]; `None` where a probability is NaN.
    pub fn area(&self) -> Option<f64> {
        let sum: f64 = self.scores.windows(2).map(|pair| (f64::from(pair[0]) + f64::from(pair[1])) / 2.0).sum();
        Some(sum / (self.scores.len() - 1) as f64).filter(|area| !area.is_nan())
    }
}

/// What a pixel is while it is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Substrate {
    /// The mean colour, 0 of the normalised input: sharp edges appear where pixels go.
    MeanColor,
    /// The picture itself, blurred by a Gaussian of standard deviation `sigma` on `side` × `side` pixels (odd), beyond the
    /// border zeros. As in the published code the kernel is a point, smoothed on so many pixels by SciPy's
    /// `gaussian_filter`, so that what lies beyond its ends is folded back into it.
    Blur {
        /// 11 in the published code.
        side: usize,
        /// 5 in the published code.
        sigma: f64,
    },
}

impl Substrate {
    /// The blur from which the published code inserts.
    pub const BLUR: Self = Self::Blur { side: 11, sigma: 5.0 };

    /// Of pictures `(B, C, H, W)`, f32.
    fn of(self, x: &Tensor) -> candle_core::Result<Tensor> {
        let Self::Blur { side, sigma } = self else { return x.zeros_like() };
        let half = side / 2;
        let weights = folded(half, sigma);
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

/// The weights of a blur along one axis, 2 · `half` + 1 of them: a Gaussian up to four standard deviations, its tails
/// mirrored at the ends.
fn folded(half: usize, sigma: f64) -> Vec<f64> {
    let (side, reach) = (2 * half + 1, (4.0 * sigma + 0.5) as i64);
    let gaussian = |offset: i64| (-0.5 * (offset as f64 / sigma).powi(2)).exp();
    let sum: f64 = (-reach..=reach).map(gaussian).sum();
    let mut weights = vec![0.0; side];
    for offset in -reach..=reach {
        // Mirrored with the last value repeated: d c b a | a b c d | d c b a.
        let place = (half as i64 + offset).rem_euclid(2 * side as i64) as usize;
        weights[if place < side { place } else { 2 * side - 1 - place }] += gaussian(offset) / sum;
    }
    weights
}

/// Insertion and deletion (Petsiuk, Das and Saenko 2018, section 4.2).
///
/// A map is good if the probability of the target falls soon when its highest pixels go first (a small area under
/// [`deletion`](Self::deletion)'s curve), and rises soon when they come first (a large one under
/// [`insertion`](Self::insertion)'s).
/// Step `k` of `steps` has ⌊k · H · W / steps⌋ pixels replaced; of equal values the earlier pixel goes first.
#[derive(Clone, Debug)]
pub struct Faithfulness {
    /// Steps from the first picture to the last. The published code takes one row's worth of pixels a step: 224.
    pub steps: usize,
    /// What deleted pixels become; the published code's is the mean colour.
    pub deletion_substrate: Substrate,
    /// What pixels are before they are inserted; the published code's is [`Substrate::BLUR`].
    pub insertion_substrate: Substrate,
    /// Pictures that go through the network together.
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
    /// The probability of `class` while the pixels of `x` `(1, 3, H, W)`, normalised, go, the map's highest first.
    /// `None` for a map that orders nothing: constant, or with a NaN.
    ///
    /// # Errors
    /// A class beyond the head, a map of another size than the picture, an input that the network does not take.
    pub fn deletion(
        &self,
        model: &Model,
        x: &Tensor,
        class: u32,
        map: &Heatmap,
    ) -> Result<Option<Curve>, ExplainError> {
        let x = x.to_dtype(DType::F32)?;
        self.curve(model, &x, &self.deletion_substrate.of(&x)?, class, map)
    }

    /// The probability of `class` while the pixels of `x` come, the map's highest first; else as
    /// [`deletion`](Self::deletion).
    ///
    /// # Errors
    /// As [`deletion`](Self::deletion).
    pub fn insertion(
        &self,
        model: &Model,
        x: &Tensor,
        class: u32,
        map: &Heatmap,
    ) -> Result<Option<Curve>, ExplainError> {
        let x = x.to_dtype(DType::F32)?;
        self.curve(model, &self.insertion_substrate.of(&x)?, &x, class, map)
    }

    fn curve(
        &self,
        model: &Model,
        from: &Tensor,
        to: &Tensor,
        class: u32,
        map: &Heatmap,
    ) -> Result<Option<Curve>, ExplainError> {
        let Some(order) = order(map, from)? else { return Ok(None) };
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
            let pictures = (to.broadcast_mul(&share)? + from.broadcast_mul(&rest)?)?;
            scores.extend(probabilities(model, &pictures, class)?);
        }
        Ok(Some(Curve { scores }))
    }
}

/// The class's probability for each of the pictures.
pub(crate) fn probabilities(model: &Model, pictures: &Tensor, class: u32) -> Result<Vec<f32>, ExplainError> {
    let logits = model.forward(pictures)?;
    Ok(targets(&softmax(&logits)?, &vec![class; pictures.dim(0)?])?.to_vec1()?)
}

/// The pixels, the map's highest first; `None` where it does not say. `x` `(1, 3, H, W)` is the picture.
pub(crate) fn order(map: &Heatmap, x: &Tensor) -> Result<Option<Vec<usize>>, ExplainError> {
    let (images, _, height, width) = x.dims4()?;
    if (images, height, width) != (1, map.height(), map.width()) {
        let map = (map.height(), map.width());
        return Err(ExplainError::Map { map, input: x.dims().to_vec() });
    }
    let values = map.as_slice();
    let says_nothing = values.iter().all(|v| *v == values[0]) || values.iter().any(|v| v.is_nan());
    if says_nothing {
        return Ok(None);
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    // There is no NaN, and both zeros are equal.
    order.sort_by(|a, b| values[*b].partial_cmp(&values[*a]).unwrap_or(std::cmp::Ordering::Equal));
    Ok(Some(order))
}

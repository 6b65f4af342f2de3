use super::{checked, order, probabilities};
use crate::{ExplainError, Question};
use candle_core::Tensor;
use hard_imagenet_kernels::{Conv2dParams, conv2d};
use hard_imagenet_masks::Heatmap;

/// How finely [`insertion`] and [`deletion`] look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Equal shares of the pixels, that change one after the other; by default 28, which is eight rows of 224 × 224.
    pub steps: usize,
    /// Pictures that go through the network together.
    pub batch: usize,
}

impl Default for Steps {
    fn default() -> Self {
        Self { steps: 28, batch: 16 }
    }
}

/// A class's probability while pixels change.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Softmax of the class before the first step and after each, in [0, 1]: one more than there are steps.
    pub probabilities: Vec<f32>,
}

impl Curve {
    /// The area under the curve, its width taken as 1, by trapezoids: in [0, 1].
    pub fn area(&self) -> f32 {
        let pairs = self.probabilities.windows(2);
        let steps = pairs.len().max(1) as f64;
        (pairs.map(|pair| f64::from(pair[0] + pair[1]) / 2.0).sum::<f64>() / steps) as f32
    }
}

/// Deletion (Petsiuk, Das, Saenko 2018, *RISE*, section 4.3): the brightest pixels of the map go first, step by step,
/// until the picture is all mean colour (0 of the normalised input). A faithful map has a small area.
///
/// `maps` are of the input's size; equal pixels go in the order of their indices. One curve an image, in the order of
/// the batch; `None` where a map is constant or has a value that is not a number, for it has no order then. An image
/// costs one pass a step and one more; `keys` are not needed.
///
/// # Errors
/// Not one map and one class an image, a map of another size, a class beyond the head, a break.
pub fn deletion(question: Question<'_>, maps: &[Heatmap], steps: &Steps) -> Result<Vec<Option<Curve>>, ExplainError> {
    let (from, to) = (question.x.clone(), question.x.zeros_like()?);
    curves(question, maps, steps, &from, &to)
}

/// Insertion (as [`deletion`]): the picture begins blurred, and the brightest pixels of the map become clear first. A
/// faithful map has a large area.
///
/// The blur is that of the authors' code: 11 × 11 taps of a Gaussian with a standard deviation of 5 pixels, its tails
/// folded back into the window, so that the taps' sum is 1; beyond the border lies the mean colour.
///
/// # Errors
/// As [`deletion`].
pub fn insertion(question: Question<'_>, maps: &[Heatmap], steps: &Steps) -> Result<Vec<Option<Curve>>, ExplainError> {
    let (from, to) = (blurred(question.x)?, question.x.clone());
    curves(question, maps, steps, &from, &to)
}

/// The curves while the pixels of `from` become those of `to`.
fn curves(
    mut question: Question<'_>,
    maps: &[Heatmap],
    Steps { steps, batch }: &Steps,
    from: &Tensor,
    to: &Tensor,
) -> Result<Vec<Option<Curve>>, ExplainError> {
    let (height, width) = checked(&question, maps)?;
    let (device, pixels) = (question.x.device(), height * width);
    let (steps, batch) = ((*steps).max(1), (*batch).max(1));
    let all = maps.len() * (steps + 1);
    let mut curves = Vec::with_capacity(maps.len());
    for (image, map) in maps.iter().enumerate() {
        let Some(order) = order(map) else {
            curves.push(None);
            continue;
        };
        let mut ranks = vec![0u32; pixels];
        order.iter().zip(0..).for_each(|(&pixel, rank)| ranks[pixel as usize] = rank);
        let ranks = Tensor::from_vec(ranks, (1, 1, height, width), device)?;
        let (from, to) = (from.narrow(0, image, 1)?, to.narrow(0, image, 1)?);
        let mut probabilities_of = Vec::with_capacity(steps + 1);
        for first in (0..=steps).step_by(batch) {
            let count = batch.min(steps + 1 - first);
            let changed: Vec<u32> = (first..first + count).map(|step| (step * pixels / steps) as u32).collect();
            let changed = Tensor::from_vec(changed, (count, 1, 1, 1), device)?;
            let shape = (count, from.dim(1)?, height, width);
            let is_changed = ranks.broadcast_lt(&changed)?.broadcast_as(shape)?.contiguous()?;
            let pictures = is_changed
                .where_cond(&to.broadcast_as(shape)?.contiguous()?, &from.broadcast_as(shape)?.contiguous()?)?;
            probabilities_of.extend(probabilities(&question, image, &pictures)?);
            question.done(image * (steps + 1) + first + count, all)?;
        }
        curves.push(Some(Curve { probabilities: probabilities_of }));
    }
    Ok(curves)
}

/// Each channel of `(B, C, H, W)` blurred as [`insertion`] says.
fn blurred(x: &Tensor) -> candle_core::Result<Tensor> {
    const TAPS: usize = 11;
    const SIGMA: f64 = 5.0;
    const REACH: i64 = 20; // four standard deviations, where SciPy's filter ends
    let gaussian = |at: i64| (-0.5 * (at as f64 / SIGMA).powi(2)).exp();
    let all: f64 = (-REACH..=REACH).map(gaussian).sum();
    let mut taps = [0f64; TAPS];
    for offset in -REACH..=REACH {
        // A mirror on either side of the window: .. 1 0 | 0 1 .. 10 | 10 9 ..
        let at = (TAPS as i64 / 2 + offset).rem_euclid(2 * TAPS as i64) as usize;
        taps[at.min(2 * TAPS - 1 - at)] += gaussian(offset) / all;
    }
    let channels = x.dim(1)?;
    let square: Vec<f32> = taps.iter().flat_map(|row| taps.iter().map(move |column| (row * column) as f32)).collect();
    let weight = Tensor::from_vec(square, (1, 1, TAPS, TAPS), x.device())?.to_dtype(x.dtype())?;
    let weight = weight.broadcast_as((channels, 1, TAPS, TAPS))?.contiguous()?;
    conv2d(x, &weight, None, Conv2dParams { padding: TAPS / 2, groups: channels, ..Conv2dParams::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn areas() {
        let check = |probabilities: &[f32], want: f32| {
            assert_eq!(Curve { probabilities: probabilities.to_vec() }.area(), want);
        };
        check(&[1.0, 0.5, 0.0], 0.5);
        check(&[1.0, 0.0, 0.0, 0.0], 1.0 / 6.0);
        check(&[0.25, 0.25], 0.25);
    }

    #[test]
    fn a_blurred_plane_is_itself_where_no_border_is_near() {
        let plane = Tensor::full(0.5f32, (1, 3, 13, 13), &Device::Cpu).unwrap();
        let blurred = blurred(&plane).unwrap();
        assert_eq!((blurred.dims(), blurred.dtype()), (plane.dims(), DType::F32));
        let row = blurred.flatten_all().unwrap().to_vec1::<f32>().unwrap()[13 * 6..13 * 7].to_vec();
        assert!((row[6] - 0.5).abs() < 1e-6 && row[0] < 0.4, "{row:?}");
    }
}

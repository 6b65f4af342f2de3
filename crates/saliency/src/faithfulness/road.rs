use super::{checked, linear_imputation, order, probabilities};
use crate::{ExplainError, Question};
use candle_core::{DType, Tensor};
use hard_imagenet_masks::{Heatmap, Mask};
use hard_imagenet_perturbations::{NoiseKey, normals};
use rayon::prelude::*;

/// How much of a picture [`road`] removes, and what it puts there.
#[derive(Clone, Debug, PartialEq)]
pub struct Road {
    /// Parts of the pixels that stay, in percent; by default 10, 20, .., 90.
    pub percentiles: Vec<f64>,
    /// Standard deviation of the noise on what is filled in, in units of the normalised input; by default 0.01. Without
    /// noise (0) the keys are not needed.
    pub noise: f64,
    /// Pictures that go through the network together.
    pub batch: usize,
}

impl Default for Road {
    fn default() -> Self {
        Self { percentiles: (1..10).map(|tenth| f64::from(10 * tenth)).collect(), noise: 0.01, batch: 16 }
    }
}

/// ROAD, remove and debias (Rong et al. 2022, *A consistent and efficient evaluation strategy for attribution methods*):
/// (LeRF - MoRF) / 2, in [-1/2, 1/2], large for a faithful map. LeRF is the mean softmax of the class over the
/// percentiles where the least relevant pixels are removed first, MoRF where the most relevant are. What is removed is
/// filled by [`linear_imputation`] and noise.
///
/// As pytorch-grad-cam's `ROADCombined` with a softmax target, where no two pixels of a map are equal: at a percentile p
/// ⌈p (n - 1) / 100⌉ of n pixels stay. Equal pixels go in the order of their indices, MoRF's order being LeRF's from
/// behind, where that package removes all of them at once, which may leave nothing to fill from.
///
/// `maps` are of the input's size. One score an image, in the order of the batch; `None` where a map is constant or has a
/// value that is not a number, or where there are no percentiles. The noise of a pixel follows from the image's key and
/// the pixel's index alone. An image costs two passes a percentile.
///
/// # Errors
/// Not one map and one class an image, noise and not one key an image, a map of another size, a class beyond the head, a
/// break.
pub fn road(mut question: Question<'_>, maps: &[Heatmap], road: &Road) -> Result<Vec<Option<f32>>, ExplainError> {
    let (height, width) = checked(&question, maps)?;
    let (images, keys) = (maps.len(), question.keys.len());
    if road.noise != 0.0 && keys != images {
        return Err(ExplainError::Keys { explainer: "road".into(), images, keys });
    }
    let passes = 2 * road.percentiles.len();
    let mut scores = Vec::with_capacity(images);
    for (image, map) in maps.iter().enumerate() {
        let Some(order) = order(map).filter(|_| passes > 0) else {
            scores.push(None);
            continue;
        };
        let picture = question.x.get(image)?;
        let noise = if road.noise == 0.0 { None } else { Some(noise(&picture, question.keys[image], road.noise)?) };
        // Most relevant first at each percentile, then least relevant first.
        let removed: Vec<Mask> = (0..passes)
            .map(|pass| {
                let kept = kept(road.percentiles[pass % road.percentiles.len()], order.len());
                let gone = order.len() - kept;
                let gone = if pass < passes / 2 { &order[..gone] } else { &order[kept..] };
                mask(gone, height, width)
            })
            .collect();
        let mut sums = [0f64; 2];
        for (chunk, masks) in removed.chunks(road.batch.max(1)).enumerate() {
            let pictures = masks.par_iter().map(|mask| imputed(&picture, mask, noise.as_ref()));
            let pictures = Tensor::stack(&pictures.collect::<Result<Vec<_>, _>>()?, 0)?;
            let first = chunk * road.batch.max(1);
            for (pass, p) in probabilities(&question, image, &pictures)?.into_iter().enumerate() {
                sums[usize::from(first + pass >= passes / 2)] += f64::from(p);
            }
            question.done(image * passes + first + masks.len(), images * passes)?;
        }
        let [most_first, least_first] = sums;
        scores.push(Some(((least_first - most_first) / passes as f64) as f32));
    }
    Ok(scores)
}

/// How many of n values are below their percentile, linearly interpolated, when no two are equal.
fn kept(percentile: f64, n: usize) -> usize {
    ((percentile / 100.0 * (n - 1) as f64).ceil().max(0.0) as usize).min(n)
}

fn mask(pixels: &[u32], height: usize, width: usize) -> Mask {
    let mut on = vec![false; height * width];
    pixels.iter().for_each(|pixel| on[*pixel as usize] = true);
    Mask::from_fn(height, width, |row, column| on[row * width + column])
}

/// Noise for every element of the picture `(C, H, W)`, f32.
fn noise(picture: &Tensor, key: NoiseKey, strength: f64) -> candle_core::Result<Tensor> {
    let values = normals(key.fork("road"), picture.elem_count());
    Tensor::from_vec(values, picture.dims(), picture.device())? * strength
}

/// The picture with its removed pixels filled, and noise on them.
fn imputed(picture: &Tensor, removed: &Mask, noise: Option<&Tensor>) -> Result<Tensor, ExplainError> {
    let filled = linear_imputation(picture, removed)?;
    let Some(noise) = noise else { return Ok(filled) };
    let on = Tensor::from_slice(removed.as_slice(), (1, removed.height(), removed.width()), picture.device())?;
    let noise = noise.broadcast_mul(&on.to_dtype(DType::F32)?)?;
    Ok((filled.to_dtype(DType::F32)? + noise)?.to_dtype(picture.dtype())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let check =
            |percentile: f64, n: usize, want: usize| assert_eq!(kept(percentile, n), want, "{percentile} of {n}");
        // np.count_nonzero(a < np.percentile(a, p)) for a = np.arange(n)
        check(10.0, 1024, 103);
        check(90.0, 1024, 921);
        check(20.0, 50176, 10035);
        check(0.0, 10, 0);
        check(100.0, 10, 9);
        check(-5.0, 10, 0);
        check(f64::NAN, 10, 0);
    }
}

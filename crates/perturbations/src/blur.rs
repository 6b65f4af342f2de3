use crate::perturb::assert_one_size;
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Blurs the object in place: `blur:SIGMA`.
///
/// The whole image is blurred and shown through the mask. The object loses its detail but keeps its shape and, as far as
/// σ allows, its colors, which mix with those around it. To remove an object, use `tile` or `mean`.
///
/// The filter is a Gaussian of standard deviation σ, cut off at 4 σ, applied to columns first. Beyond its borders the
/// image is mirrored with the border pixel repeated (SciPy's `gaussian_filter`, mode "reflect"). Only operations that
/// IEEE 754 defines exactly are used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blur {
    /// Standard deviation in pixels, more than 0 and at most [`Blur::MOST`].
    pub sigma: f32,
}

impl Blur {
    /// The largest σ. The time grows with σ, and at this one little remains of an image of usual size.
    pub const MOST: f32 = 1000.0;
}

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "blur:SIGMA",
    help: "the object is blurred in place; SIGMA in pixels, e.g. blur:10",
    name: "object blurred",
    title: Some("object blurred by SIGMA"),
    caption: "Object blurred by SIGMA",
    sentence: "A Gaussian blur of that many pixels is shown through the mask. Shape and colors remain.",
    keeps_object: true,
    needs: "its size in pixels",
    parse: |arguments, _| match arguments[0].parse::<f32>() {
        Ok(sigma) if sigma > 0.0 && sigma <= Blur::MOST => Perturbation::single(Blur { sigma }),
        _ => Err(format!("the blur is a number above 0, at most {}, not {:?}", Blur::MOST, arguments[0])),
    },
    ..PerturbationKind::BASE
};

impl Perturb for Blur {
    fn id(&self) -> String {
        format!("blur:{}", self.sigma)
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let mut changed = image.clone();
        let Some(bounds) = mask.bounding_box() else { return changed };
        let (height, width) = (image.height(), image.width());
        let weights = weights(f64::from(self.sigma));
        let radius = weights.len() - 1;
        // A blurred row needs the columns of the box and a radius on both sides, mirrored at the borders of the image.
        let columns: Vec<usize> = (0..bounds.width() + 2 * radius)
            .map(|at| mirrored((bounds.left + at) as isize - radius as isize, width))
            .collect();
        let (first, last) = (columns.iter().copied().min().unwrap_or(0), columns.iter().copied().max().unwrap_or(0));
        let (mut down, mut line, mut across) =
            (vec![0f32; last + 1 - first], vec![0f32; columns.len()], vec![0f32; bounds.width()]);
        let planes = changed.as_mut_slice().chunks_exact_mut(height * width);
        for (plane, source) in planes.zip(image.as_slice().chunks_exact(height * width)) {
            // Each row of the box is filtered down the columns into `down`, then across into `across`, and copied where
            // the mask is on. Rows of the object alone are computed; most of the image is never touched.
            for row in bounds.top..bounds.bottom {
                let source_row = |at: isize| &source[mirrored(at, height) * width..][first..=last];
                let row_at = row as isize;
                convolve(&mut down, &weights, |k| source_row(row_at - k), |k| source_row(row_at + k));
                for (value, &column) in line.iter_mut().zip(&columns) {
                    *value = down[column - first];
                }
                let shifted = |by: isize| &line[(radius as isize + by) as usize..][..bounds.width()];
                convolve(&mut across, &weights, |k| shifted(-k), shifted);
                let place = row * width + bounds.left..row * width + bounds.right;
                for ((value, &blurred), &object) in
                    plane[place.clone()].iter_mut().zip(&across).zip(&mask.as_slice()[place])
                {
                    *value = if object != 0 { blurred.clamp(0.0, 1.0) } else { *value };
                }
            }
        }
        changed
    }
}

/// Applies a symmetric filter: `sums = weights[0] center + Σ weights[k] (before(k) + after(k))`.
fn convolve<'a>(
    sums: &mut [f32],
    weights: &[f32],
    before: impl Fn(isize) -> &'a [f32],
    after: impl Fn(isize) -> &'a [f32],
) {
    for (sum, &center) in sums.iter_mut().zip(before(0)) {
        *sum = weights[0] * center;
    }
    for (k, &weight) in (1..).zip(&weights[1..]) {
        for ((sum, &a), &b) in sums.iter_mut().zip(before(k)).zip(after(k)) {
            *sum += weight * (a + b);
        }
    }
}

/// Returns the weights of the Gaussian from its center outwards. Counting both sides, they sum to 1.
fn weights(sigma: f64) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius).map(|k| exp_minus((k * k) as f64 / (2.0 * sigma * sigma))).collect();
    let sum = 2.0 * weights.iter().sum::<f64>() - weights[0];
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// Returns exp(−x) for x ≥ 0: the Taylor series at x/1024, squared ten times. The function of the standard library may
/// differ between machines.
fn exp_minus(x: f64) -> f64 {
    let small = x / 1024.0;
    let series = (1..=8).rev().fold(1.0, |sum, k| 1.0 - small / f64::from(k) * sum);
    (0..10).fold(series, |power, _| power * power)
}

/// Maps an index beyond the borders to a pixel: .. 1 0 | 0 1 .. n−1 | n−1 n−2 ..
fn mirrored(at: isize, length: usize) -> usize {
    let at = at.rem_euclid(2 * length as isize) as usize;
    at.min(2 * length - 1 - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_border_the_image_is_mirrored() {
        let places: Vec<usize> = (-5..8).map(|at| mirrored(at, 3)).collect();
        assert_eq!(places, [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }

    #[test]
    fn the_exponential_is_accurate() {
        for step in 0..=800 {
            let x = f64::from(step) / 100.0;
            assert!((exp_minus(x) - (-x).exp()).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn weights_sum_to_one() {
        for sigma in [0.01, 0.5, 1.0, 8.0, 100.0] {
            let weights = weights(sigma);
            let sum: f32 = 2.0 * weights.iter().sum::<f32>() - weights[0];
            assert!((sum - 1.0).abs() < 1e-5, "{sigma}: {sum}");
        }
    }
}

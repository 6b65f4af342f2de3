use crate::activation::{Activation, split};
use crate::isa::Isa;
use crate::row::{self, has_tail, load_last, mask_last};
use crate::simd::{LANES, Simd, Vectorized};

/// Normalizes rows of channels: y = (x - mean) / √(variance + eps) · weight + bias.
///
/// A row is as long as `weight` and `bias`. Mean and variance (divided by the length) are those of the row. They take a pass
/// each, because the mean of the squares minus the square of the mean loses digits if the mean is large.
///
/// # Panics
/// Panics if the lengths of `x` and `y` differ or are not whole rows, or if `weight` is empty or not as long as `bias`.
pub fn layer_norm(isa: Isa, x: &[f32], y: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
    assert_eq!(x.len(), y.len());
    layer_norm_strided(isa, x, weight.len(), y, weight, bias, eps);
}

/// Computes [`layer_norm`] of rows that lie `row_stride` apart in `x`. The rows of `y` follow each other directly.
///
/// # Panics
/// Panics if `y` is not made of whole rows, if `x` is too short for them, or if `weight` is empty or not as long as `bias`.
pub fn layer_norm_strided(
    isa: Isa,
    x: &[f32],
    row_stride: usize,
    y: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
) {
    assert!(!weight.is_empty() && weight.len() == bias.len(), "weights and biases of equal number");
    assert_eq!(y.len() % weight.len(), 0, "whole rows");
    isa.vectorize(LayerNorm { x, row_stride, y, weight, bias, eps });
}

struct LayerNorm<'a> {
    x: &'a [f32],
    row_stride: usize,
    y: &'a mut [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f32,
}

impl Vectorized for LayerNorm<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let channels = self.weight.len();
        for (i, y) in self.y.chunks_exact_mut(channels).enumerate() {
            normalize_row(s, &self.x[i * self.row_stride..][..channels], y, self.weight, self.bias, self.eps);
        }
    }
}

/// Three passes over a row, which stays in the first-level cache: the mean, the variance, the result.
#[inline(always)]
fn normalize_row<S: Simd>(s: S, x: &[f32], y: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
    let n = x.len() as f32;
    let mean = sum(
        s,
        x,
        0.0,
        #[inline(always)]
        |sum, x| s.add(sum, x),
    ) / n;
    let means = s.splat(mean);
    // Lanes behind the end of the row hold the mean and add nothing.
    let variance = sum(
        s,
        x,
        mean,
        #[inline(always)]
        |sum, x| {
            let centered = s.sub(x, means);
            s.mul_add(centered, centered, sum)
        },
    ) / n;
    let scale = s.splat(1.0 / (variance + eps).sqrt());
    row::map3(
        s,
        x,
        weight,
        bias,
        y,
        #[inline(always)]
        |x, weight, bias| s.mul_add(s.mul(s.sub(x, means), scale), weight, bias),
    );
}

/// Adds up a row with `add(sum, values)`. Lanes that belong to no value are `fill`.
///
/// Four sums side by side take the vectors in turn, so that no addition waits for the one before. At the end they are added
/// in pairs.
#[inline(always)]
fn sum<S: Simd>(s: S, x: &[f32], fill: f32, add: impl Fn(S::F32, S::F32) -> S::F32) -> f32 {
    let mut sums = [s.splat(0.0); 4];
    let (blocks, rest) = x.as_chunks::<{ 4 * LANES }>();
    for block in blocks {
        for (sum, x) in sums.iter_mut().zip(block.as_chunks().0) {
            *sum = add(*sum, s.load(x));
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest.as_chunks().0) {
        *sum = add(*sum, s.load(x));
    }
    if has_tail(x) {
        sums[3] = add(sums[3], mask_last(s, load_last(s, x), x.len(), s.splat(fill)));
    }
    s.sum(s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3])))
}

/// Computes y = activation(x · scale + shift) for rows of channels, with one rounding before the activation.
///
/// A row is as long as `scale` and `shift`. This is a batch norm with fixed statistics, for the rare case that no convolution
/// before it can take its factors.
///
/// # Panics
/// Panics if the lengths of `x` and `y` differ or are not whole rows, or if `scale` is empty or not as long as `shift`.
pub fn affine(isa: Isa, x: &[f32], y: &mut [f32], scale: &[f32], shift: &[f32], activation: Option<Activation>) {
    assert!(!scale.is_empty() && scale.len() == shift.len(), "factors and shifts of equal number");
    assert_eq!(x.len(), y.len());
    assert_eq!(y.len() % scale.len(), 0, "whole rows");
    // Several short rows at once fill whole vectors.
    let (scale, shift) = (row::repeat(scale, y.len()), row::repeat(shift, y.len()));
    isa.vectorize(Affine { x, y, scale: &scale, shift: &shift, activation });
}

struct Affine<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    activation: Option<Activation>,
}

impl Vectorized for Affine<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (bounds, rest) = split(s, self.activation);
        for (x, y) in self.x.chunks(self.scale.len()).zip(self.y.chunks_mut(self.scale.len())) {
            row::map3(
                s,
                x,
                &self.scale[..x.len()],
                &self.shift[..x.len()],
                y,
                #[inline(always)]
                |x, scale, shift| bounds.clamp(s, s.mul_add(x, scale, shift)),
            );
            if let Some(rest) = rest {
                rest.apply_to_row(s, y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_same_bits, sample};

    /// Computes on every instruction set and returns the common result.
    fn layer_norm_everywhere(x: &[f32], row_stride: usize, rows: usize, weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let all = Isa::available().into_iter().map(|isa| {
            let mut y = vec![0.0; rows * weight.len()];
            layer_norm_strided(isa, x, row_stride, &mut y, weight, bias, 1e-5);
            y
        });
        all.reduce(|want, got| {
            assert_same_bits(&got, &want);
            want
        })
        .unwrap()
    }

    #[test]
    fn rows_are_normalized() {
        for channels in [1, 5, 16, 17, 48, 63, 64, 96, 100, 384, 391] {
            let (rows, row_stride) = (3, channels + 7);
            let x: Vec<f32> = sample(rows * row_stride).iter().map(|x| x + 3.0).collect();
            let (weight, bias) = (sample(channels), sample(channels));
            let want: Vec<f64> = x
                .chunks(row_stride)
                .flat_map(|x| {
                    let x: Vec<f64> = x[..channels].iter().map(|x| f64::from(*x)).collect();
                    let mean = x.iter().sum::<f64>() / channels as f64;
                    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channels as f64;
                    let normalized = x.into_iter().map(move |x| (x - mean) / (variance + 1e-5).sqrt());
                    normalized
                        .zip(&weight)
                        .zip(&bias)
                        .map(|((x, w), b)| x * f64::from(*w) + f64::from(*b))
                        .collect::<Vec<_>>()
                })
                .collect();
            assert_close(&layer_norm_everywhere(&x, row_stride, rows, &weight, &bias), &want, 3e-6);

            let dense: Vec<f32> = x.chunks(row_stride).flat_map(|x| x[..channels].to_vec()).collect();
            let mut y = vec![0.0; dense.len()];
            layer_norm(Isa::best(), &dense, &mut y, &weight, &bias, 1e-5);
            assert_close(&y, &want, 3e-6);
        }
    }

    #[test]
    fn digits_survive_a_large_mean() {
        let y = layer_norm_everywhere(&[1000.0, 1001.0, 1002.0, 1003.0], 4, 1, &[1.0; 4], &[0.0; 4]);
        assert!((y[0] + 1.341_636_4).abs() < 1e-6, "{y:?}");
    }

    #[test]
    fn nan_spoils_its_row_only() {
        let y = layer_norm_everywhere(&[f32::NAN, 1.0, 2.0, 3.0, 4.0, 5.0], 3, 2, &[1.0; 3], &[0.0; 3]);
        assert!(y[..3].iter().all(|y| y.is_nan()) && y[3..].iter().all(|y| y.is_finite()));
    }

    #[test]
    fn channels_are_scaled_and_shifted() {
        for channels in [1, 3, 16, 24, 40, 100, 1500] {
            let x = sample(channels * 7);
            let (scale, shift) = (sample(channels), sample(2 * channels)[channels..].to_vec());
            let affine_value =
                |i: usize| f64::from(x[i]) * f64::from(scale[i % channels]) + f64::from(shift[i % channels]);
            for activation in [None, Some(Activation::Relu), Some(Activation::Clamp(-1.0, 0.5)), Some(Activation::Silu)]
            {
                let want: Vec<f64> = (0..x.len())
                    .map(|i| match (affine_value(i), activation) {
                        (x, None) => x,
                        (x, Some(Activation::Relu)) => x.max(0.0),
                        (x, Some(Activation::Clamp(..))) => x.clamp(-1.0, 0.5),
                        (x, Some(_)) => x / (1.0 + (-x).exp()),
                    })
                    .collect();
                for isa in Isa::available() {
                    let mut y = vec![0.0; x.len()];
                    affine(isa, &x, &mut y, &scale, &shift, activation);
                    assert_close(&y, &want, 2e-6);
                    let mut portable = vec![0.0; x.len()];
                    affine(Isa::Portable, &x, &mut portable, &scale, &shift, activation);
                    assert_same_bits(&y, &portable);
                }
            }
        }
    }
}

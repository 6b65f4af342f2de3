use crate::normal::{draw, normals};
use crate::perturb::{assert_one_size, between, copy_runs, merge_runs, pixels, rewritten, runs, sum};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset, Region, Switches};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;
use std::ops::Range;

/// Adds Gaussian noise to the object or around it, clipped to [0, 1]: `noise:linf:0.25:fg`.
///
/// Let n be the standard normal tensor of the key and m the mask (or 1 − m for the background). The result is
/// clip(x + σ m n) under [`Norm::Linf`] and clip(x + σ m n / ‖m n‖₂) under [`Norm::L2`]. Clipping shortens the actual norm.
/// Foreground and background and all strengths of one key share n.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// What σ measures.
    pub norm: Norm,
    /// The strength σ, finite and not negative.
    pub sigma: f32,
    /// Where the noise is added.
    pub region: Region,
    /// What happens in an empty region under [`Norm::L2`].
    pub empty: EmptyRegion,
}

/// What the strength of noise measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    /// The standard deviation of each value, which the paper calls ℓ∞. The paper uses 0.125 to 0.75.
    Linf,
    /// The Euclidean norm of the noise over the whole image before clipping. The paper uses 30 to 180.
    L2,
}

/// What noise of a given ℓ2 norm does to a region without pixels, where such noise cannot exist (Q9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmptyRegion {
    /// The whole image becomes NaN, as in the published code, which divides 0 by 0. A network then predicts class 0.
    NotANumber,
    /// The image stays unchanged.
    Unchanged,
}

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "noise:NORM:SIGMA:REGION",
    help: "Gaussian noise; NORM linf or l2, REGION fg (object) or bg (everything else), e.g. noise:linf:0.25:fg",
    name: "noise",
    title: Some("NORM SIGMA REGION"),
    caption: "Noise REGION",
    sentence: "Gaussian noise is added inside the mask (on the object) or outside it (around it). ℓ∞: the noise of every \
               pixel has standard deviation σ. ℓ2: the noise as a whole is scaled to length σ. Foreground and background \
               share one noise pattern for each image and trial.",
    keeps_object: true,
    is_random: true,
    switch: Some("empty_region"),
    needs: "norm, strength and region",
    values: &[("linf", "ℓ∞"), ("l2", "ℓ2"), ("fg", "on the object"), ("bg", "around it")],
    parse,
};

fn parse(arguments: &[&str], switches: Switches) -> Result<Perturbation, String> {
    let norm = match arguments[0] {
        "linf" => Norm::Linf,
        "l2" => Norm::L2,
        other => return Err(format!("the norm is linf or l2, not {other:?}")),
    };
    let sigma = match arguments[1].parse::<f32>() {
        Ok(sigma) if sigma.is_finite() && sigma.is_sign_positive() => sigma,
        _ => return Err(format!("the strength is a number of 0 or more, not {:?}", arguments[1])),
    };
    let region = match arguments[2] {
        "fg" => Region::Foreground,
        "bg" => Region::Background,
        other => return Err(format!("the region is fg or bg, not {other:?}")),
    };
    Perturbation::single(Noise { norm, sigma, region, empty: switches.empty_region })
}

impl From<Preset> for EmptyRegion {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self::NotANumber,
            Preset::Strict => Self::Unchanged,
        }
    }
}

impl Perturb for Noise {
    fn id(&self) -> String {
        let norm = match self.norm {
            Norm::Linf => "linf",
            Norm::L2 => "l2",
        };
        let region = match self.region {
            Region::Foreground => "fg",
            Region::Background => "bg",
        };
        format!("noise:{norm}:{}:{region}", self.sigma)
    }

    fn uses_normals(&self) -> bool {
        true
    }

    fn apply_with_normals(&self, image: &Pixels, mask: &Mask, _key: NoiseKey, normals: &[f32]) -> Pixels {
        self.add(image, mask, normals)
    }

    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let (runs, plane) = (runs(mask, self.region), mask.as_slice().len().max(1));
        // Normals are drawn into the result itself, because a second tensor costs more than the draw. If the region covers
        // most of the image, all normals are drawn at once, which is faster than starting again at each run.
        let most = 3 * pixels(&runs) > 2 * plane;
        let mut changed = match most {
            true => Pixels::from_vec(image.height(), image.width(), normals(key, image.as_slice().len()))
                .expect("three values per pixel"),
            false => {
                let mut changed = image.clone();
                for (channel, values) in changed.as_mut_slice().chunks_exact_mut(plane).enumerate() {
                    runs.iter().for_each(|run| draw(key, channel * plane + run.start, &mut values[run.clone()]));
                }
                changed
            }
        };
        let Some(scale) = self.scale(changed.as_slice(), plane, &runs) else { return self.without_noise(image) };
        merge_runs(changed.as_mut_slice(), image.as_slice(), plane, &runs, |normal, pixel| {
            (pixel + scale * normal).clamp(0.0, 1.0)
        });
        if most {
            copy_runs(changed.as_mut_slice(), image.as_slice(), plane, &between(&runs, plane));
        }
        changed
    }
}

impl Noise {
    /// Returns the image with this noise, made from a given standard normal tensor `(3, H, W)`.
    ///
    /// For the norm, squares are summed in f64, channel by channel, in sixteen partial sums of every sixteenth value of each
    /// run of the region's pixels. The order and thus the result are the same on every machine. σ divided by the norm is
    /// rounded to f32 once.
    ///
    /// # Panics
    /// Panics if image and mask differ in size, or if `normals` and the image differ in their number of values.
    pub fn add(&self, image: &Pixels, mask: &Mask, normals: &[f32]) -> Pixels {
        assert_one_size(image, mask);
        assert_eq!(normals.len(), image.as_slice().len(), "one standard normal for each value of the image");
        let (runs, plane) = (runs(mask, self.region), mask.as_slice().len().max(1));
        let Some(scale) = self.scale(normals, plane, &runs) else { return self.without_noise(image) };
        rewritten(image, &runs, |changed, channel, run| {
            let place = channel * plane + run.start..channel * plane + run.end;
            let pixels = image.as_slice()[place.clone()].iter().zip(&normals[place]);
            changed.extend(pixels.map(|(&pixel, &normal)| (pixel + scale * normal).clamp(0.0, 1.0)));
        })
    }

    /// Returns the factor of the normals, or `None` if their norm is 0.
    fn scale(&self, normals: &[f32], plane: usize, runs: &[Range<usize>]) -> Option<f32> {
        if self.norm == Norm::Linf {
            return Some(self.sigma);
        }
        let squares: f64 = normals.chunks_exact(plane).map(|plane| sum(plane, runs, |value| value * value)).sum();
        (squares != 0.0).then(|| (f64::from(self.sigma) / squares.sqrt()) as f32)
    }

    /// Returns the result for a region in which such noise cannot exist.
    fn without_noise(&self, image: &Pixels) -> Pixels {
        let mut image = image.clone();
        if self.empty == EmptyRegion::NotANumber {
            image.as_mut_slice().fill(f32::NAN);
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_of_a_given_norm_in_an_empty_region() {
        let image = Pixels::from_vec(2, 2, vec![0.25; 12]).unwrap();
        let (none, all) = (Mask::new(2, 2), Mask::new(2, 2).complement());
        let apply = |region, empty, mask: &Mask| {
            Noise { norm: Norm::L2, sigma: 30.0, region, empty }.apply(&image, mask, NoiseKey(7))
        };
        for (region, mask) in [(Region::Foreground, &none), (Region::Background, &all)] {
            assert_eq!(apply(region, EmptyRegion::Unchanged, mask), image);
            assert!(apply(region, EmptyRegion::NotANumber, mask).as_slice().iter().all(|v| v.is_nan()));
        }
        for (region, mask) in [(Region::Foreground, &all), (Region::Background, &none)] {
            let changed = apply(region, EmptyRegion::NotANumber, mask);
            assert_eq!(changed, apply(region, EmptyRegion::Unchanged, mask));
            assert_ne!(changed, image);
        }
    }

    #[test]
    fn a_key_and_its_normals_give_the_same_image() {
        let value = |i: usize| (i * 7919 % 256) as f32 / 255.0;
        let image = Pixels::from_vec(30, 31, (0..3 * 930).map(value).collect()).unwrap();
        for rows in [0, 1, 8, 15, 22, 29, 30] {
            let mask = Mask::from_fn(30, 31, |row, column| row < rows && column != 7);
            for region in [Region::Foreground, Region::Background] {
                for (norm, sigma) in [(Norm::Linf, 0.25), (Norm::L2, 9.0)] {
                    let noise = Noise { norm, sigma, region, empty: EmptyRegion::Unchanged };
                    let drawn = noise.add(&image, &mask, &normals(NoiseKey(7), 3 * 930));
                    assert_eq!(noise.apply(&image, &mask, NoiseKey(7)), drawn, "{noise:?} {rows}");
                }
            }
        }
    }

    #[test]
    fn the_l2_norm_is_sigma_if_nothing_is_clipped() {
        let image = Pixels::from_vec(8, 8, vec![0.5; 192]).unwrap();
        let mask = Mask::from_fn(8, 8, |row, _| row < 4);
        let noise = Noise { norm: Norm::L2, sigma: 0.5, region: Region::Foreground, empty: EmptyRegion::Unchanged };
        let changed = noise.apply(&image, &mask, NoiseKey(7));
        let squares = changed.as_slice().iter().map(|v| f64::from(v - 0.5).powi(2)).sum::<f64>();
        assert!((squares.sqrt() - 0.5).abs() < 1e-5, "{}", squares.sqrt());
    }
}

use crate::normal::draw;
use crate::perturb::{assert_one_size, runs};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Replaces the object's pixels by Gaussian noise of standard deviation 0.5: `noise-fill`. Unlike with `noise`, nothing of
/// the object remains. No table of the paper uses this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseFill {
    /// Whether to follow the published code or to stay within the range of an image.
    pub rule: NoiseFillRule,
}

/// What the noise is centered on, and whether it is clipped to the range of colors (Q26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoiseFillRule {
    /// Centered on black and not clipped: in the published code half of the values are below 0.
    Published,
    /// Centered on gray and clipped to [0, 1].
    Clipped,
}

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "noise-fill",
    help: "the object's pixels become Gaussian noise",
    name: "object all noise",
    caption: "Object all noise",
    sentence: "Gaussian noise replaces the object.",
    is_random: true,
    switch: Some("noise_fill"),
    parse: |_, switches| Perturbation::single(NoiseFill { rule: switches.noise_fill }),
    ..PerturbationKind::BASE
};

impl From<Preset> for NoiseFillRule {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self::Published,
            Preset::Strict => Self::Clipped,
        }
    }
}

impl Perturb for NoiseFill {
    fn id(&self) -> String {
        KIND.pattern.to_owned()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let (runs, plane) = (runs(mask, Region::Foreground), mask.as_slice().len().max(1));
        let mut changed = image.clone();
        for (channel, values) in changed.as_mut_slice().chunks_exact_mut(plane).enumerate() {
            for run in &runs {
                let values = &mut values[run.clone()];
                draw(key, channel * plane + run.start, values);
                for value in values {
                    *value = match self.rule {
                        NoiseFillRule::Published => 0.5 * *value,
                        NoiseFillRule::Clipped => (0.5 + 0.5 * *value).clamp(0.0, 1.0),
                    };
                }
            }
        }
        changed
    }
}

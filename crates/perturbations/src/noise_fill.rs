use crate::normal::draw;
use crate::perturb::{assert_one_size, replaced, runs};
use crate::{NoiseKey, Perturb, Preset, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Object pixels become Gaussian noise of standard deviation 0.5, `noise-fill`: unlike `noise`, nothing of the object
/// is left in it. In no table of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseFill {
    /// As published, or an image.
    pub rule: NoiseFillRule,
}

/// What the noise is centred on, and whether it ends with the range of colours. (Q26)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoiseFillRule {
    /// On black, and not clipped: the published code leaves [0, 1], below it for half of the values.
    Published,
    /// On gray, clipped to [0, 1].
    Clipped,
}

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
        "noise-fill".to_owned()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let plane = mask.as_slice().len();
        replaced(image, &runs(mask, Region::Foreground), |values, channel, run| {
            let start = values.len();
            draw(key, channel * plane + run.start, run.len(), values);
            for value in &mut values[start..] {
                *value = match self.rule {
                    NoiseFillRule::Published => 0.5 * *value,
                    NoiseFillRule::Clipped => (0.5 + 0.5 * *value).clamp(0.0, 1.0),
                };
            }
        })
    }
}

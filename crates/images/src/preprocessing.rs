use crate::{Filter, MaskRule, PairedTransform, Resize};
use serde::{Deserialize, Serialize};

/// What a model expects of its input: geometry and normalisation. Carried by the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Applied before the crop.
    pub resize: Resize,
    /// (height, width) of the network input.
    pub input: (usize, usize),
    /// Kernel of the resize.
    pub filter: Filter,
    /// Mean a channel, in units of [0, 1].
    pub mean: [f32; 3],
    /// Standard deviation a channel.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// What most ImageNet classifiers expect: the shorter side to 256, centre crop of 224 × 224, bilinear, ImageNet's
    /// mean and deviation.
    pub fn imagenet() -> Self {
        Self {
            resize: Resize::ShorterSide(256),
            input: (224, 224),
            filter: Filter::Bilinear,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
        }
    }

    /// torchvision's preset of a set of weights (`ImageClassification(crop_size, resize_size, interpolation)`): the
    /// shorter side to `resize`, a centre crop of `crop × crop`, ImageNet's mean and deviation.
    pub fn torchvision(resize: usize, crop: usize, filter: Filter) -> Self {
        Self { resize: Resize::ShorterSide(resize), input: (crop, crop), filter, ..Self::imagenet() }
    }

    /// timm's transform for evaluation (`transforms_imagenet_eval`) with the numbers of a model's `pretrained_cfg`.
    ///
    /// The picture is resized to `input / crop_pct`, rounded down, and the middle is kept; [`CropMode`] says how.
    pub fn timm(
        input: (usize, usize),
        crop_pct: f64,
        mode: CropMode,
        filter: Filter,
        mean: [f32; 3],
        std: [f32; 3],
    ) -> Self {
        let side = |length: usize| (length as f64 / crop_pct) as usize;
        let (height, width) = (side(input.0), side(input.1));
        let resize = match mode {
            CropMode::Center if height == width => Resize::ShorterSide(height),
            CropMode::Center => Resize::Cover(height, width),
            CropMode::Squash => Resize::Squash(height, width),
            CropMode::Border => {
                let fill = mean.map(|mean| (255.0 * f64::from(mean)).round_ties_even() as u8);
                Resize::Contain { size: (height, width), fill }
            }
        };
        Self { resize, input, filter, mean, std }
    }

    /// The geometry of the Hard ImageNet paper for the same network: bilinear resize to 8/7 of the input (256 × 256
    /// for 224 × 224) without keeping the aspect ratio, then the centre crop. Hardly any object is cut off by it.
    pub fn squash(self) -> Self {
        let (height, width) = self.input;
        Self { resize: Resize::Squash(height * 8 / 7, width * 8 / 7), filter: Filter::Bilinear, ..self }
    }

    /// Its geometry, for an image and its mask.
    pub fn paired_transform(&self, mask_rule: MaskRule) -> PairedTransform {
        PairedTransform { resize: self.resize, crop: Some(self.input), filter: self.filter, mask_rule }
    }
}

/// timm's `crop_mode`: what is given up so that a picture of any shape becomes one of the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CropMode {
    /// The ends of the longer side.
    Center,
    /// The aspect ratio.
    Squash,
    /// Room: the whole picture is kept, with a border in the colour of the mean. In a mask the border is not object.
    Border,
}

/// Mean of the ImageNet training images a channel (red, green, blue), in units of [0, 1].
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// Standard deviation of the ImageNet training images a channel (red, green, blue), in units of [0, 1].
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_geometry() {
        let paired = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
        assert_eq!((paired.resize, paired.crop), (Resize::Squash(256, 256), Some((224, 224))));
        let larger = Preprocessing { input: (384, 384), filter: Filter::Bicubic, ..Preprocessing::imagenet() }.squash();
        assert_eq!((larger.resize, larger.filter), (Resize::Squash(438, 438), Filter::Bilinear));
    }

    #[test]
    fn timms_modes() {
        let timm = |input, crop_pct, mode| {
            Preprocessing::timm(input, crop_pct, mode, Filter::Bicubic, [0.485, 0.5, 0.0], IMAGENET_STD).resize
        };
        assert_eq!(timm((224, 224), 0.875, CropMode::Center), Resize::ShorterSide(256));
        assert_eq!(timm((224, 224), 0.9, CropMode::Center), Resize::ShorterSide(248));
        assert_eq!(timm((224, 224), 0.95, CropMode::Center), Resize::ShorterSide(235));
        assert_eq!(timm((384, 288), 1.0, CropMode::Center), Resize::Cover(384, 288));
        assert_eq!(timm((384, 384), 1.0, CropMode::Squash), Resize::Squash(384, 384));
        let border = Resize::Contain { size: (248, 213), fill: [124, 128, 0] };
        assert_eq!(timm((224, 192), 0.9, CropMode::Border), border);
        let torchvision = Preprocessing::torchvision(232, 224, Filter::Bilinear);
        assert_eq!((torchvision.resize, torchvision.input), (Resize::ShorterSide(232), (224, 224)));
    }
}

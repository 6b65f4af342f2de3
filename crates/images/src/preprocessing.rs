use crate::{Filter, MaskRule, PairedTransform, Resize};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The geometry and normalization that a model expects of its input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The resize before the crop.
    pub resize: Resize,
    /// The (height, width) of the network input.
    pub input: (usize, usize),
    /// The filter of the resize.
    pub filter: Filter,
    /// The mean of each channel, in units of [0, 1].
    pub mean: [f32; 3],
    /// The standard deviation of each channel, in units of [0, 1].
    pub std: [f32; 3],
}

impl Preprocessing {
    /// Returns what most ImageNet classifiers expect: a bilinear resize of the shorter side to 256, a center crop of
    /// 224 × 224, and ImageNet's mean and standard deviation.
    pub fn imagenet() -> Self {
        Self {
            resize: Resize::ShorterSide(256),
            input: (224, 224),
            filter: Filter::Bilinear,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
        }
    }

    /// Returns torchvision's preset for a set of weights (`ImageClassification(crop_size, resize_size,
    /// interpolation)`): the shorter side is resized to `resize`, followed by a center crop of `crop × crop` and
    /// ImageNet's mean and standard deviation.
    pub fn torchvision(resize: usize, crop: usize, filter: Filter) -> Self {
        Self { resize: Resize::ShorterSide(resize), input: (crop, crop), filter, ..Self::imagenet() }
    }

    /// Returns timm's transform for evaluation (`transforms_imagenet_eval`) with the numbers of a model's
    /// `pretrained_cfg`.
    ///
    /// The image is resized to `input / crop_pct`, rounded down, and its center is kept. [`CropMode`] decides about the
    /// aspect ratio.
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

    /// Replaces the geometry by that of the Hard ImageNet paper: a bilinear resize to 8/7 of the input (256 × 256 for
    /// 224 × 224) that does not keep the aspect ratio, then the center crop. It cuts off hardly any object.
    pub fn squash(self) -> Self {
        let (height, width) = self.input;
        Self { resize: Resize::Squash(height * 8 / 7, width * 8 / 7), filter: Filter::Bilinear, ..self }
    }

    /// Returns the geometry as a transform of an image and its mask.
    pub fn paired_transform(&self, mask_rule: MaskRule) -> PairedTransform {
        PairedTransform { resize: self.resize, crop: Some(self.input), filter: self.filter, mask_rule }
    }
}

/// timm's `crop_mode`: how an image of any shape is brought to the shape of the network input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CropMode {
    /// Cuts off the ends of the longer side.
    Center,
    /// Changes the aspect ratio.
    Squash,
    /// Keeps the whole image and adds a border in the color of the mean. In a mask, the border is background.
    Border,
}

impl FromStr for CropMode {
    type Err = String;

    /// Finds the mode with timm's word for it: "center", "squash" or "border".
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "center" => Ok(Self::Center),
            "squash" => Ok(Self::Squash),
            "border" => Ok(Self::Border),
            _ => Err(format!("there is no crop mode {text:?}; the modes are center, squash and border")),
        }
    }
}

/// The mean of the ImageNet training images in each channel (red, green, blue), in units of [0, 1].
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// The standard deviation of the ImageNet training images in each channel (red, green, blue), in units of [0, 1].
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometry_of_the_paper() {
        let paired = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
        assert_eq!((paired.resize, paired.crop), (Resize::Squash(256, 256), Some((224, 224))));
        let larger = Preprocessing { input: (384, 384), filter: Filter::Bicubic, ..Preprocessing::imagenet() }.squash();
        assert_eq!((larger.resize, larger.filter), (Resize::Squash(438, 438), Filter::Bilinear));
    }

    #[test]
    fn crop_modes_of_timm() {
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

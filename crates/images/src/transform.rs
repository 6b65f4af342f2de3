use crate::{Filter, Gray8, Pixels, Rgb8};
use hard_imagenet_masks::Mask;
use serde::{Deserialize, Serialize};

/// How a picture is brought to size before the crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Not at all.
    None,
    /// To exactly (height, width); the aspect ratio is not kept.
    Squash(usize, usize),
    /// The shorter side to this length, the aspect ratio kept (torchvision's `Resize(n)`).
    ShorterSide(usize),
}

/// Which values of a resampled mask (0..=255) are object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskRule {
    /// Every value above 0: what the published code does (SPEC Q1); JPEG ringing dilates the object.
    AnyInk,
    /// Values of 128 and more.
    Half,
}

/// One geometric transform for an image and its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedTransform {
    /// Applied first.
    pub resize: Resize,
    /// Then the centre crop to (height, width); `None` keeps all.
    pub crop: Option<(usize, usize)>,
    /// Kernel of the resize.
    pub filter: Filter,
    /// How the mask becomes binary.
    pub mask_rule: MaskRule,
}

impl PairedTransform {
    /// The image, resized, cropped, divided by 255.
    pub fn image(&self, _image: &Rgb8) -> Pixels {
        unimplemented!()
    }

    /// The mask, resized and cropped the same way, then thresholded.
    pub fn mask(&self, _mask: &Gray8) -> Mask {
        unimplemented!()
    }
}

/// What a model expects of its input: geometry and normalisation. Carried by the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
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

use crate::resample::{Axis, resample};
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
    /// The shorter side to this length, the aspect ratio kept (torchvision's `Resize(n)`): the longer side becomes
    /// `n * longer / shorter`, rounded down.
    ShorterSide(usize),
}

impl Resize {
    /// The size (height, width) of a picture of `height × width` after the resize.
    pub fn size(self, height: usize, width: usize) -> (usize, usize) {
        match self {
            Self::None => (height, width),
            Self::Squash(height, width) => (height, width),
            // Nothing has a shorter side: what is empty stays empty.
            Self::ShorterSide(_) if height == 0 || width == 0 => (height, width),
            Self::ShorterSide(n) if width <= height => (n * height / width, n),
            Self::ShorterSide(n) => (n, n * width / height),
        }
    }
}

/// Which values of a resampled mask (0..=255) are object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskRule {
    /// Every value above 0: what the published code does (Q1). Mask files are JPEG, so their ringing dilates the
    /// object by up to a block of 8 × 8, and so does the antialiased resize.
    AnyInk,
    /// Values of 128 and more.
    Half,
}

/// One geometric transform for an image and its mask: resize, centre crop.
///
/// The crop is torchvision's: its offset is half the surplus, rounded half to even, and what is smaller than the crop
/// is padded with zeros (black, not object), the odd row below and the odd column at the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedTransform {
    /// Applied first.
    pub resize: Resize,
    /// Then the centre crop to (height, width); `None` keeps all.
    pub crop: Option<(usize, usize)>,
    /// Kernel of the resize, for the image and for the mask.
    pub filter: Filter,
    /// How the mask becomes binary.
    pub mask_rule: MaskRule,
}

impl PairedTransform {
    /// The image, resized, cropped, divided by 255: `(3, H, W)` in [0, 1].
    pub fn image(&self, image: &Rgb8) -> Pixels {
        let done = self.apply::<3>(&image.data, image.height, image.width);
        Pixels::from(&Rgb8 { height: done.height, width: done.width, data: done.data })
    }

    /// The mask, resized and cropped the same way, then thresholded: `(H, W)`.
    pub fn mask(&self, mask: &Gray8) -> Mask {
        let done = self.apply::<1>(&mask.data, mask.height, mask.width);
        let least = match self.mask_rule {
            MaskRule::AnyInk => 1,
            MaskRule::Half => 128,
        };
        let mut values = done.data.into_iter();
        Mask::from_fn(done.height, done.width, |_, _| values.next().is_some_and(|value| value >= least))
    }

    /// Resize and crop of `(H, W, C)`. Only what the crop keeps is computed.
    fn apply<const C: usize>(&self, data: &[u8], height: usize, width: usize) -> Cropped {
        let (tall, wide) = self.resize.size(height, width);
        let (crop_height, crop_width) = self.crop.unwrap_or((tall, wide));
        let rows = Axis { from: height, to: tall, window: window(tall, crop_height) };
        let columns = Axis { from: width, to: wide, window: window(wide, crop_width) };
        let (kept_height, kept_width) = (rows.window.len(), columns.window.len());
        let kept = if data.is_empty() {
            vec![0; kept_height * kept_width * C]
        } else {
            resample::<C>(data, &rows, &columns, self.filter)
        };
        if (kept_height, kept_width) == (crop_height, crop_width) {
            return Cropped { height: crop_height, width: crop_width, data: kept };
        }
        let (top, left) = ((crop_height - kept_height) / 2, (crop_width - kept_width) / 2);
        let mut data = vec![0; crop_height * crop_width * C];
        for row in 0..kept_height {
            let to = ((top + row) * crop_width + left) * C;
            let from = row * kept_width * C;
            data[to..to + kept_width * C].copy_from_slice(&kept[from..from + kept_width * C]);
        }
        Cropped { height: crop_height, width: crop_width, data }
    }
}

struct Cropped {
    height: usize,
    width: usize,
    data: Vec<u8>,
}

/// The central `crop` of `length` samples; all of them where the crop is longer.
fn window(length: usize, crop: usize) -> std::ops::Range<usize> {
    let Some(surplus) = length.checked_sub(crop) else { return 0..length };
    let half = surplus / 2;
    // Half of an odd surplus ends in .5 and goes to the even neighbour.
    let start = if surplus % 2 == 1 && half % 2 == 1 { half + 1 } else { half };
    start..start + crop
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

impl Preprocess {
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

    /// The geometry of the Hard ImageNet paper for the same network: bilinear resize to 8/7 of the input (256 × 256
    /// for 224 × 224) without keeping the aspect ratio, then the centre crop. Hardly any object is cut off by it.
    pub fn squashed(self) -> Self {
        let (height, width) = self.input;
        Self { resize: Resize::Squash(height * 8 / 7, width * 8 / 7), filter: Filter::Bilinear, ..self }
    }

    /// Its geometry, for an image and its mask.
    pub fn paired(&self, mask_rule: MaskRule) -> PairedTransform {
        PairedTransform { resize: self.resize, crop: Some(self.input), filter: self.filter, mask_rule }
    }
}

/// Mean of the ImageNet training images a channel (red, green, blue), in units of [0, 1].
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// Standard deviation of the ImageNet training images a channel (red, green, blue), in units of [0, 1].
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

#[cfg(test)]
mod tests {
    use super::*;

    fn transform(resize: Resize, crop: Option<(usize, usize)>) -> PairedTransform {
        PairedTransform { resize, crop, filter: Filter::Bilinear, mask_rule: MaskRule::Half }
    }

    #[test]
    fn the_shorter_side_is_resized_as_in_torchvision() {
        // torchvision.transforms.functional._compute_resized_output_size((height, width), [n])
        let check = |n, (height, width), expected| {
            assert_eq!(Resize::ShorterSide(n).size(height, width), expected, "{n}: {height} × {width}");
        };
        check(256, (375, 500), (256, 341));
        check(256, (500, 375), (341, 256));
        check(248, (333, 500), (248, 372));
        check(256, (256, 256), (256, 256));
        check(10, (3, 1000), (10, 3333));
        check(10, (0, 5), (0, 5));
    }

    #[test]
    fn the_crop_is_torchvisions() {
        // int(round((n - crop) / 2.0)), Python's round: half to even.
        let check = |length, crop, start: usize| assert_eq!(window(length, crop), start..start + crop);
        check(256, 224, 16);
        check(225, 224, 0); // 0.5
        check(227, 224, 2); // 1.5
        check(229, 224, 2); // 2.5
        check(231, 224, 4); // 3.5
        check(224, 224, 0);
        assert_eq!(window(3, 5), 0..3);
    }

    #[test]
    fn what_is_smaller_than_the_crop_is_padded_with_nothing() {
        let ink = Gray8 { height: 1, width: 2, data: vec![255; 2] };
        let mask = transform(Resize::None, Some((4, 3))).mask(&ink);
        assert_eq!(mask.as_slice(), [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
        let empty = Rgb8 { height: 0, width: 0, data: vec![] };
        let pixels = transform(Resize::Squash(4, 4), Some((2, 2))).image(&empty);
        assert_eq!(pixels.as_slice(), [0.0; 12]);
    }

    #[test]
    fn cropping_while_resizing_equals_cropping_afterwards() {
        let picture = Rgb8 { height: 37, width: 53, data: (0..37 * 53 * 3).map(|i| (i * i % 251) as u8).collect() };
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for (height, width) in [(32, 24), (80, 90), (37, 20), (20, 53)] {
                let resize = PairedTransform { filter, ..transform(Resize::Squash(height, width), None) };
                let whole = Rgb8::from(&resize.image(&picture));
                let expected = transform(Resize::None, Some((14, 11))).image(&whole);
                assert_eq!(PairedTransform { crop: Some((14, 11)), ..resize }.image(&picture), expected);
            }
        }
    }

    #[test]
    fn mask_rules_differ_at_the_edge() {
        let ink = Gray8 { height: 1, width: 4, data: vec![0, 1, 127, 128] };
        let half = transform(Resize::None, None);
        assert_eq!(half.mask(&ink).as_slice(), [0, 0, 0, 1]);
        assert_eq!(PairedTransform { mask_rule: MaskRule::AnyInk, ..half }.mask(&ink).as_slice(), [0, 1, 1, 1]);
    }

    #[test]
    fn the_papers_geometry() {
        let paired = Preprocess::imagenet().squashed().paired(MaskRule::AnyInk);
        assert_eq!((paired.resize, paired.crop), (Resize::Squash(256, 256), Some((224, 224))));
        let larger = Preprocess { input: (384, 384), filter: Filter::Bicubic, ..Preprocess::imagenet() }.squashed();
        assert_eq!((larger.resize, larger.filter), (Resize::Squash(438, 438), Filter::Bilinear));
    }
}

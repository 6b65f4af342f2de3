use crate::coefficients::Axis;
use crate::resample::resample;
use crate::{Filter, Gray8, Pixels, Resize, Rgb8};
use hard_imagenet_masks::Mask;
use serde::{Deserialize, Serialize};

/// The rule which values of a mask (0..=255) are object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskRule {
    /// Every value above 0 is object, as in the published code (Q1).
    ///
    /// Mask files are JPEG. Their ringing dilates the object by up to a block of 8 × 8, and the antialiased resize
    /// dilates it further.
    AnyInk,
    /// Values of 128 and more are object.
    Half,
}

impl MaskRule {
    /// Thresholds a stored mask at its own size: `(H, W)`.
    #[expect(clippy::missing_panics_doc, reason = "there is one value per pixel")]
    pub fn binarize(self, ink: &Gray8) -> Mask {
        let least = match self {
            Self::AnyInk => 1,
            Self::Half => 128,
        };
        let mut values: Vec<u8> = ink.data.iter().map(|&value| u8::from(value >= least)).collect();
        values.resize(ink.height * ink.width, 0);
        Mask::from_vec(ink.height, ink.width, values).expect("one value per pixel")
    }
}

/// One geometric transform of an image and its mask: a resize and a center crop.
///
/// The crop equals torchvision's. Its offset is half the surplus, rounded half to even. An image that is smaller than
/// the crop is padded with black, or with the color of [`Resize::Contain`], and a mask with background; an odd row of
/// padding is added below and an odd column on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedTransform {
    /// The resize.
    pub resize: Resize,
    /// The (height, width) of the center crop after the resize; `None` for no crop.
    pub crop: Option<(usize, usize)>,
    /// The filter of the resize, for the image and for the mask.
    pub filter: Filter,
    /// The rule that makes the mask binary.
    pub mask_rule: MaskRule,
}

impl PairedTransform {
    /// Resizes and crops the image and divides it by 255: `(3, H, W)` in [0, 1].
    pub fn apply_to_image(&self, image: &Rgb8) -> Pixels {
        let (height, width, data) = self.apply(&image.data, image.height, image.width, self.resize.fill());
        Pixels::from(&Rgb8 { height, width, data })
    }

    /// Resizes and crops the mask in the same way and then thresholds it: `(H, W)`.
    pub fn apply_to_mask(&self, mask: &Gray8) -> Mask {
        let (height, width, data) = self.apply(&mask.data, mask.height, mask.width, [0]);
        self.mask_rule.binarize(&Gray8 { height, width, data })
    }

    /// Resizes and crops `(H, W, C)` values and returns the height, the width and the values. Pixels outside the crop
    /// are not computed.
    fn apply<const C: usize>(
        &self,
        data: &[u8],
        height: usize,
        width: usize,
        fill: [u8; C],
    ) -> (usize, usize, Vec<u8>) {
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
            return (crop_height, crop_width, kept);
        }
        let (top, left) = ((crop_height - kept_height) / 2, (crop_width - kept_width) / 2);
        let mut data = fill.repeat(crop_height * crop_width);
        for row in 0..kept_height {
            let to = ((top + row) * crop_width + left) * C;
            let from = row * kept_width * C;
            data[to..to + kept_width * C].copy_from_slice(&kept[from..from + kept_width * C]);
        }
        (crop_height, crop_width, data)
    }
}

/// Returns the central `crop` of `length` samples, or all samples if the crop is longer.
fn window(length: usize, crop: usize) -> std::ops::Range<usize> {
    let Some(surplus) = length.checked_sub(crop) else { return 0..length };
    let half = surplus / 2;
    // Half of an odd surplus ends in .5 and is rounded to the even neighbor.
    let start = if surplus % 2 == 1 && half % 2 == 1 { half + 1 } else { half };
    start..start + crop
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transform(resize: Resize, crop: Option<(usize, usize)>) -> PairedTransform {
        PairedTransform { resize, crop, filter: Filter::Bilinear, mask_rule: MaskRule::Half }
    }

    #[test]
    fn the_crop_equals_torchvision() {
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
    fn images_smaller_than_the_crop_are_padded() {
        let ink = Gray8 { height: 1, width: 2, data: vec![255; 2] };
        let mask = transform(Resize::None, Some((4, 3))).apply_to_mask(&ink);
        assert_eq!(mask.as_slice(), [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
        let empty = Rgb8 { height: 0, width: 0, data: vec![] };
        let pixels = transform(Resize::Squash(4, 4), Some((2, 2))).apply_to_image(&empty);
        assert_eq!(pixels.as_slice(), [0.0; 12]);
    }

    #[test]
    fn cropping_while_resizing_equals_cropping_afterwards() {
        let image = Rgb8 { height: 37, width: 53, data: (0..37 * 53 * 3).map(|i| (i * i % 251) as u8).collect() };
        for filter in Filter::ALL {
            for (height, width) in [(32, 24), (80, 90), (37, 20), (20, 53)] {
                let resize = PairedTransform { filter, ..transform(Resize::Squash(height, width), None) };
                let whole = Rgb8::from(&resize.apply_to_image(&image));
                let expected = transform(Resize::None, Some((14, 11))).apply_to_image(&whole);
                assert_eq!(PairedTransform { crop: Some((14, 11)), ..resize }.apply_to_image(&image), expected);
            }
        }
    }

    #[test]
    fn mask_rules_differ_at_the_edge() {
        let ink = Gray8 { height: 1, width: 4, data: vec![0, 1, 127, 128] };
        let half = transform(Resize::None, None);
        assert_eq!(half.apply_to_mask(&ink).as_slice(), [0, 0, 0, 1]);
        assert_eq!(
            PairedTransform { mask_rule: MaskRule::AnyInk, ..half }.apply_to_mask(&ink).as_slice(),
            [0, 1, 1, 1]
        );
    }
}

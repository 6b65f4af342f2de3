use crate::coefficients::Axis;
use crate::logarithm::{exp, ln};
use crate::resample::resample;
use crate::{Filter, Gray8, MaskRule, Pixels, Rgb8};
use hard_imagenet_cpu::random::{Stream, StreamReader};
use hard_imagenet_masks::Mask;
use serde::{Deserialize, Serialize};

/// A random crop that is resized and possibly mirrored: torchvision's `RandomResizedCrop` and `RandomHorizontalFlip`.
///
/// The distribution is torchvision's, but the random numbers are not. A crop is a function of a key and the size of the
/// image, the same on every machine. An image and its mask share it.
///
/// ```
/// use hard_imagenet_images::{RandomResizedCrop, Rgb8};
///
/// let image = Rgb8 { height: 30, width: 40, data: [200, 100, 0].repeat(30 * 40) };
/// let crop = RandomResizedCrop::imagenet();
/// let drawn = crop.draw(7, image.height, image.width);
/// assert!(drawn.top + drawn.height <= 30 && drawn.left + drawn.width <= 40);
/// assert_eq!(crop.apply_to_image(&image, &drawn).height(), 224);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomResizedCrop {
    /// The (height, width) of the result.
    pub size: (usize, usize),
    /// The least and the largest share of the image's area.
    pub scale: (f64, f64),
    /// The least and the largest ratio of width to height, both positive. The logarithm of the ratio is uniform.
    pub ratio: (f64, f64),
    /// The probability of mirroring left and right.
    pub flip: f64,
    /// The filter of the resize, for the image and for the mask.
    pub filter: Filter,
    /// The rule that makes the mask binary.
    pub mask_rule: MaskRule,
}

/// A crop of an image in pixels, and whether it is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CropAndFlip {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Whether the crop is mirrored left and right.
    pub flip: bool,
}

impl RandomResizedCrop {
    /// Returns the augmentation of the published code and of most ImageNet training: 8 to 100 % of the area, ratios
    /// from 3/4 to 4/3, mirrored half of the time, resized bilinearly to 224 × 224. Every mask value above 0 is object
    /// (Q1).
    pub fn imagenet() -> Self {
        Self {
            size: (224, 224),
            scale: (0.08, 1.0),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
            flip: 0.5,
            filter: Filter::Bilinear,
            mask_rule: MaskRule::AnyInk,
        }
    }

    /// Draws a crop of an image of `height × width`.
    ///
    /// Up to ten boxes of random area and ratio are tried. If none fits, the crop is the central box of the nearest
    /// ratio.
    pub fn draw(&self, key: u64, height: usize, width: usize) -> CropAndFlip {
        let mut draws = Stream::new(key).reader();
        let flip = draws.next_unit() < self.flip;
        let area = (height * width) as f64;
        let logarithms = (ln(self.ratio.0), ln(self.ratio.1));
        for _ in 0..10 {
            let target = area * draw_between(&mut draws, self.scale);
            let ratio = exp(draw_between(&mut draws, logarithms));
            let side = |square: f64| square.sqrt().round_ties_even() as usize;
            let (tall, wide) = (side(target / ratio), side(target * ratio));
            if (1..=height).contains(&tall) && (1..=width).contains(&wide) {
                let (top, left) = (draw_up_to(&mut draws, height - tall), draw_up_to(&mut draws, width - wide));
                return CropAndFlip { top, left, height: tall, width: wide, flip };
            }
        }
        let (tall, wide) = fallback(height, width, self.ratio);
        CropAndFlip { top: (height - tall) / 2, left: (width - wide) / 2, height: tall, width: wide, flip }
    }

    /// Crops, mirrors and resizes the image and divides it by 255: `(3, H, W)` in [0, 1].
    ///
    /// # Panics
    /// If the crop does not lie inside the image.
    pub fn apply_to_image(&self, image: &Rgb8, drawn: &CropAndFlip) -> Pixels {
        let (height, width) = self.size;
        let data = self.apply::<3>(&image.data, image.height, image.width, drawn);
        Pixels::from(&Rgb8 { height, width, data })
    }

    /// Crops, mirrors and resizes the mask in the same way and then thresholds it: `(H, W)`.
    ///
    /// # Panics
    /// If the crop does not lie inside the mask.
    pub fn apply_to_mask(&self, mask: &Gray8, drawn: &CropAndFlip) -> Mask {
        let (height, width) = self.size;
        let data = self.apply::<1>(&mask.data, mask.height, mask.width, drawn);
        self.mask_rule.binarize(&Gray8 { height, width, data })
    }

    fn apply<const C: usize>(&self, data: &[u8], height: usize, width: usize, drawn: &CropAndFlip) -> Vec<u8> {
        let CropAndFlip { top, left, height: tall, width: wide, flip } = *drawn;
        assert!(top + tall <= height && left + wide <= width, "{drawn:?} of an image of {height} × {width}");
        let (rows, columns) = (Axis::whole(tall, self.size.0), Axis::whole(wide, self.size.1));
        if tall == 0 || wide == 0 {
            return vec![0; self.size.0 * self.size.1 * C];
        }
        let mut part: Vec<[u8; C]> = Vec::with_capacity(tall * wide);
        for row in data[top * width * C..(top + tall) * width * C].chunks_exact(width * C) {
            let pixels = row[left * C..(left + wide) * C].as_chunks::<C>().0;
            if flip {
                part.extend(pixels.iter().rev());
            } else {
                part.extend_from_slice(pixels);
            }
        }
        resample::<C>(part.as_flattened(), &rows, &columns, self.filter)
    }
}

/// Draws a number in `[low, high)`.
fn draw_between(draws: &mut StreamReader, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * draws.next_unit()
}

/// Draws an integer in `0..=most`.
fn draw_up_to(draws: &mut StreamReader, most: usize) -> usize {
    draws.next_below(most as u64 + 1) as usize
}

/// Returns the (height, width) of the largest box whose ratio of width to height is allowed.
fn fallback(height: usize, width: usize, (least, most): (f64, f64)) -> (usize, usize) {
    let shape = width as f64 / height as f64;
    if shape < least {
        (((width as f64 / least).round_ties_even() as usize).min(height), width)
    } else if shape > most {
        (height, ((height as f64 * most).round_ties_even() as usize).min(width))
    } else {
        (height, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_is_a_function_of_key_and_size() {
        let crop = RandomResizedCrop::imagenet();
        assert_eq!(crop.draw(3, 375, 500), crop.draw(3, 375, 500));
        assert_ne!(crop.draw(3, 375, 500), crop.draw(4, 375, 500));
        assert_ne!(crop.draw(3, 375, 500), crop.draw(3, 500, 375));
    }

    #[test]
    fn areas_and_ratios_are_distributed_as_in_torchvision() {
        // The image is so large that every box fits at once.
        let crop = RandomResizedCrop { scale: (0.1, 0.5), ..RandomResizedCrop::imagenet() };
        const COUNT: u64 = 4000;
        let drawn: Vec<CropAndFlip> = (0..COUNT).map(|key| crop.draw(key, 3000, 3000)).collect();
        // Each tenth of a range gets a tenth of the draws, within 5 standard deviations (0.0047 each).
        let check = |name: &str, low: f64, high: f64, value: &dyn Fn(&CropAndFlip) -> f64| {
            let mut tenths = [0u32; 10];
            for drawn in &drawn {
                tenths[((value(drawn) - low) / (high - low) * 10.0).clamp(0.0, 9.0) as usize] += 1;
            }
            for count in tenths {
                assert!((f64::from(count) / COUNT as f64 - 0.1).abs() < 0.024, "{name}: {tenths:?}");
            }
        };
        check("area", 0.1, 0.5, &|d| (d.height * d.width) as f64 / 9e6);
        let ends = (0.75f64.ln(), (4.0f64 / 3.0).ln());
        check("logarithm of the ratio", ends.0, ends.1, &|d| (d.width as f64 / d.height as f64).ln());
        check("row", 0.0, 1.0, &|d| d.top as f64 / (3000 - d.height) as f64);
        check("column", 0.0, 1.0, &|d| d.left as f64 / (3000 - d.width) as f64);
        let flipped = drawn.iter().filter(|d| d.flip).count() as f64 / COUNT as f64;
        assert!((flipped - 0.5).abs() < 0.04, "{flipped}");
    }

    #[test]
    fn an_image_that_fits_no_box_is_cropped_in_the_center() {
        let crop = RandomResizedCrop { scale: (1.0, 1.0), flip: 0.0, ..RandomResizedCrop::imagenet() };
        let check = |(height, width), (top, left, tall, wide)| {
            let expected = CropAndFlip { top, left, height: tall, width: wide, flip: false };
            assert_eq!(crop.draw(1, height, width), expected, "{height} × {width}");
        };
        check((90, 9), (39, 0, 12, 9));
        check((9, 90), (0, 39, 9, 12));
        check((0, 0), (0, 0, 0, 0));
        assert_eq!(fallback(10, 10, crop.ratio), (10, 10));
    }

    #[test]
    fn the_mask_is_mirrored_with_its_image() {
        let drawn = CropAndFlip { top: 1, left: 1, height: 1, width: 3, flip: true };
        let crop = RandomResizedCrop { size: (1, 3), ..RandomResizedCrop::imagenet() };
        let mask = Gray8 { height: 2, width: 4, data: vec![0, 0, 0, 0, 0, 255, 0, 0] };
        assert_eq!(crop.apply_to_mask(&mask, &drawn).as_slice(), [0, 0, 1]);
        let image = Rgb8 { height: 2, width: 4, data: mask.data.iter().flat_map(|&v| [v, 0, 255]).collect() };
        assert_eq!(crop.apply_to_image(&image, &drawn).as_slice(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    }
}

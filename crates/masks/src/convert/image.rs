//! Masks and heatmaps as images of the crate `image`.

use crate::{Heatmap, Mask};
use image::{DynamicImage, GrayImage};

/// Every value above 0 is object.
impl From<&GrayImage> for Mask {
    fn from(image: &GrayImage) -> Self {
        let (height, width) = (image.height() as usize, image.width() as usize);
        Self::from_vec(height, width, image.as_raw().clone()).expect("one value per pixel")
    }
}

/// Every pixel with a luma above 0 is object.
impl From<&DynamicImage> for Mask {
    fn from(image: &DynamicImage) -> Self {
        Self::from(&image.to_luma8())
    }
}

/// Object pixels become 255, background pixels 0.
///
/// # Panics
/// If the mask has 2³² rows or columns or more.
impl From<&Mask> for GrayImage {
    fn from(mask: &Mask) -> Self {
        let values = mask.as_slice().iter().map(|&value| value * 255).collect();
        gray_image(mask.height(), mask.width(), values)
    }
}

/// Values from 0 to 255 become numbers in [0, 1].
impl From<&GrayImage> for Heatmap {
    fn from(image: &GrayImage) -> Self {
        let (height, width) = (image.height() as usize, image.width() as usize);
        let values = image.as_raw().iter().map(|&value| f32::from(value) / 255.0).collect();
        Self::from_vec(height, width, values).expect("one value per pixel")
    }
}

/// Values in [0, 1] become numbers from 0 to 255, rounded. Other values are clipped, and NaN becomes 0.
///
/// # Panics
/// If the heatmap has 2³² rows or columns or more.
impl From<&Heatmap> for GrayImage {
    fn from(map: &Heatmap) -> Self {
        // The cast saturates.
        let values = map.as_slice().iter().map(|&value| (value * 255.0).round() as u8).collect();
        gray_image(map.height(), map.width(), values)
    }
}

fn gray_image(height: usize, width: usize, values: Vec<u8>) -> GrayImage {
    let side = |length: usize| u32::try_from(length).expect("an image has fewer than 2^32 rows and columns");
    GrayImage::from_raw(side(width), side(height), values).expect("one value per pixel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, RgbaImage};

    #[test]
    fn masks_become_images_and_come_back() {
        let mask = Mask::from_fn(2, 3, |row, column| row == 1 && column > 0);
        let image = GrayImage::from(&mask);
        assert_eq!((image.width(), image.height()), (3, 2));
        assert_eq!(image.as_raw(), &[0, 0, 0, 0, 255, 255]);
        assert_eq!(Mask::from(&image), mask);
        assert_eq!(Mask::from(&DynamicImage::from(image)), mask);
        assert_eq!(Mask::from(&GrayImage::from_pixel(1, 1, Luma([1]))).area(), 1);
        // Luma ignores alpha: opaque black is background.
        let black = RgbaImage::from_pixel(2, 2, image::Rgba([0, 0, 0, 255]));
        assert!(Mask::from(&DynamicImage::from(black)).is_empty());
    }

    #[test]
    fn heatmaps_are_rounded_and_clipped() {
        let map = Heatmap::from_vec(1, 6, vec![0.0, 0.5, 1.0, 2.0, -1.0, f32::NAN]).unwrap();
        let image = GrayImage::from(&map);
        assert_eq!(image.as_raw(), &[0, 128, 255, 255, 0, 0]);
        assert_eq!(Heatmap::from(&image).as_slice()[..3], [0.0, 128.0 / 255.0, 1.0]);
    }
}

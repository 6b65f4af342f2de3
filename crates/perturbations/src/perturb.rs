use crate::{NoiseKey, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};

/// Something done to an image given its mask.
pub trait Perturb: Send + Sync {
    /// The word that names it in records, options and tables: `gray`, `gray-box`, `tile`, `noise:linf:0.25:fg`.
    fn id(&self) -> String;

    /// Does the result depend on the key? Then trials make sense.
    fn is_random(&self) -> bool;

    /// The perturbed image. `image` is `(3, H, W)` in [0, 1], `mask` `(H, W)`.
    ///
    /// # Panics
    /// If image and mask differ in size.
    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels;
}

/// What every perturbation relies on.
pub(crate) fn assert_one_size(image: &Pixels, mask: &Mask) {
    let (image, mask) = ((image.height(), image.width()), (mask.height(), mask.width()));
    assert_eq!(image, mask, "an image and its mask must be of one (height, width)");
}

/// The image with a region in one colour.
pub(crate) fn painted(image: &Pixels, mask: &Mask, region: Region, colour: [f32; 3]) -> Pixels {
    assert_one_size(image, mask);
    let on = region.value();
    let mut values = Vec::with_capacity(image.as_slice().len());
    for (plane, colour) in image.as_slice().chunks_exact(mask.as_slice().len().max(1)).zip(colour) {
        let paint = |(&value, &object): (&f32, &u8)| if object == on { colour } else { value };
        values.extend(plane.iter().zip(mask.as_slice()).map(paint));
    }
    Pixels::from_vec(image.height(), image.width(), values)
}

/// Fills a rectangle of all channels with one value.
pub(crate) fn fill(image: &mut Pixels, area: Rect, value: f32) {
    fill_colour(image, area, [value; 3]);
}

/// Fills a rectangle with one colour.
pub(crate) fn fill_colour(image: &mut Pixels, area: Rect, colour: [f32; 3]) {
    let (height, width) = (image.height(), image.width());
    for (plane, value) in image.as_mut_slice().chunks_exact_mut((height * width).max(1)).zip(colour) {
        for row in area.top..area.bottom {
            plane[row * width + area.left..row * width + area.right].fill(value);
        }
    }
}

/// The mean colour of what is not object within a rectangle, summed in f64 row by row; gray where all is object.
pub(crate) fn mean_colour(image: &Pixels, mask: &Mask, area: Rect) -> [f32; 3] {
    assert_one_size(image, mask);
    let width = image.width();
    let place = |row: usize| row * width + area.left..row * width + area.right;
    let free: usize =
        (area.top..area.bottom).flat_map(|row| &mask.as_slice()[place(row)]).map(|&v| usize::from(v == 0)).sum();
    let mut colour = [GRAY; 3];
    if free > 0 {
        for (plane, mean) in image.as_slice().chunks_exact(mask.as_slice().len()).zip(&mut colour) {
            let mut sum = 0f64;
            for row in area.top..area.bottom {
                for (&value, &object) in plane[place(row)].iter().zip(&mask.as_slice()[place(row)]) {
                    sum += if object == 0 { f64::from(value) } else { 0.0 };
                }
            }
            *mean = (sum / free as f64) as f32;
        }
    }
    colour
}

/// What stands for "nothing to see": middle gray.
pub(crate) const GRAY: f32 = 0.5;

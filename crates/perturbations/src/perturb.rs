use crate::NoiseKey;
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

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

/// Fills a rectangle of all channels.
pub(crate) fn fill(image: &mut Pixels, area: hard_imagenet_masks::Rect, value: f32) {
    let (height, width) = (image.height(), image.width());
    for plane in image.as_mut_slice().chunks_exact_mut((height * width).max(1)) {
        for row in area.top..area.bottom {
            plane[row * width + area.left..row * width + area.right].fill(value);
        }
    }
}

/// What stands for "nothing to see": middle gray.
pub(crate) const GRAY: f32 = 0.5;

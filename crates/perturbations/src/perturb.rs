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
    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels;
}

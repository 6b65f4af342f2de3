use crate::{NoiseKey, Perturb};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Nothing: the clean image, `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl Perturb for Identity {
    fn id(&self) -> String {
        "none".to_owned()
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, image: &Pixels, _mask: &Mask, _key: NoiseKey) -> Pixels {
        image.clone()
    }
}

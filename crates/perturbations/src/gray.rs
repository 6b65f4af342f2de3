use crate::perturb::{GRAY, assert_one_size, painted, runs};
use crate::{NoiseKey, Perturb, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Object pixels become middle gray (0.5 before normalisation), `gray`. The shape of the object stays visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gray;

impl Perturb for Gray {
    fn id(&self) -> String {
        "gray".to_owned()
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        painted(image, &runs(mask, Region::Foreground), [GRAY; 3])
    }
}

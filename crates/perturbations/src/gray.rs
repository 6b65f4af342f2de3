use crate::perturb::{GRAY, assert_one_size, painted, runs};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Paints the object's pixels mid-gray (0.5 before normalization): `gray`. The shape of the object stays visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gray;

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "gray",
    help: "the object's pixels become gray",
    name: "object gray",
    caption: "Object gray",
    sentence: "Every pixel of the object is painted mid-gray. The outline stays visible.",
    parse: |_, _| Perturbation::single(Gray),
    ..PerturbationKind::BASE
};

impl Perturb for Gray {
    fn id(&self) -> String {
        KIND.pattern.to_owned()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        painted(image, &runs(mask, Region::Foreground), [GRAY; 3])
    }
}

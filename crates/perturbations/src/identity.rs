use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Leaves the image unchanged: `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity;

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "none",
    help: "the unchanged image",
    name: "unchanged",
    caption: "Original",
    sentence: "The image as the model receives it.",
    keeps_object: true,
    parse: |_, _| Perturbation::single(Identity),
    ..PerturbationKind::BASE
};

impl Perturb for Identity {
    fn id(&self) -> String {
        KIND.pattern.to_owned()
    }

    fn apply(&self, image: &Pixels, _mask: &Mask, _key: NoiseKey) -> Pixels {
        image.clone()
    }
}

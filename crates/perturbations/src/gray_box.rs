use crate::perturb::{GRAY, assert_one_size, fill};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};

/// Paints one box around all object pixels mid-gray (0.5 before normalization): `gray-box`. Not even the object's shape
/// remains. An empty mask leaves the image unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrayBox {
    /// Where the box ends.
    pub edges: BoxEdges,
}

/// Whether the box of an object includes its last row and column. (Q3)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoxEdges {
    /// It does not: the published code uses the largest index as an exclusive end. An object that is one pixel wide or
    /// high has no box at all.
    Exclusive,
    /// It does.
    Inclusive,
}

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "gray-box",
    help: "the box around the object becomes gray",
    name: "box gray",
    caption: "Box gray",
    sentence: "The box around the object is painted mid-gray. The outline is gone; the position and the size are not.",
    switch: Some("box_edges"),
    parse: |_, switches| Perturbation::single(GrayBox { edges: switches.box_edges }),
    ..PerturbationKind::BASE
};

impl From<Preset> for BoxEdges {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self::Exclusive,
            Preset::Strict => Self::Inclusive,
        }
    }
}

impl BoxEdges {
    fn apply_to(self, bounds: Rect) -> Rect {
        match self {
            Self::Exclusive => bounds.to_exclusive(),
            Self::Inclusive => bounds,
        }
    }
}

impl Perturb for GrayBox {
    fn id(&self) -> String {
        KIND.pattern.to_owned()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let mut changed = image.clone();
        if let Some(bounds) = mask.bounding_box() {
            fill(&mut changed, self.edges.apply_to(bounds), GRAY);
        }
        changed
    }
}

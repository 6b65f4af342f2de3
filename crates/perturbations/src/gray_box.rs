use crate::perturb::{GRAY, assert_one_size, fill};
use crate::{NoiseKey, Perturb, Preset};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};

/// One box around all object pixels becomes middle gray (0.5 before normalisation), `gray-box`, so that not even the
/// object's shape is left. An empty mask leaves the image unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrayBox {
    /// Where the box ends.
    pub edges: BoxEdges,
}

/// Does the box of an object hold its last row and column? (Q3)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoxEdges {
    /// No: the published code takes the largest index for an end. An object one pixel wide or high has no box at all.
    Exclusive,
    /// Yes.
    Inclusive,
}

impl From<Preset> for BoxEdges {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self::Exclusive,
            Preset::Strict => Self::Inclusive,
        }
    }
}

impl BoxEdges {
    pub(crate) fn of(self, bounds: Rect) -> Rect {
        match self {
            Self::Exclusive => bounds.to_exclusive(),
            Self::Inclusive => bounds,
        }
    }
}

impl Perturb for GrayBox {
    fn id(&self) -> String {
        "gray-box".to_owned()
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let mut changed = image.clone();
        if let Some(bounds) = mask.bounding_box() {
            fill(&mut changed, self.edges.of(bounds), GRAY);
        }
        changed
    }
}

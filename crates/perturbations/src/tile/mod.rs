mod corrected;
mod published;

use crate::perturb::assert_one_size;
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Connectivity, Mask, Rect};

/// The box of each connected part of the object is covered with a tile of what lies beside it, `tile`: unlike gray,
/// that is neither a shape nor a colour which no photograph has.
///
/// Parts are 4-connected and taken in raster order. Of the four neighbours of a part's box (right, left, below, above;
/// of its size, clipped at the image, cut back to hold no object pixel) the largest is repeated over the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// As published, or as meant.
    pub rule: TileRule,
}

/// How tiles are found and pasted. (Q4)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileRule {
    /// To the pixel what the published code does: rows are taken for columns when the tile is sought and read, so it
    /// comes from the place mirrored on the main diagonal and is pasted transposed; the neighbour "above" contains the
    /// mirrored box itself; neighbours are cut back along the wrong axis or by the wrong amount; two rows and columns
    /// of a box are left out, so that parts up to two pixels wide or high are never touched; without a tile the box
    /// becomes black; later parts read what earlier ones have pasted.
    Published,
    /// The intention: whole boxes, tiles read from the unmodified image, gray 0.5 where no neighbour is free.
    Corrected,
}

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "tile",
    help: "the boxes of the object's parts are covered with tiles of their surroundings",
    name: "tiled over",
    caption: "Box tiled",
    sentence: "Each connected part of the object is covered with a neighboring piece of the background.",
    switch: Some("tile"),
    parse: |_, switches| Perturbation::single(Tile { rule: switches.tile }),
    ..PerturbationKind::BASE
};

impl From<Preset> for TileRule {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self::Published,
            Preset::Strict => Self::Corrected,
        }
    }
}

impl Perturb for Tile {
    fn id(&self) -> String {
        KIND.pattern.to_owned()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let mut changed = image.clone();
        for part in &mask.components(Connectivity::Four) {
            match self.rule {
                TileRule::Published => published::cover(&mut changed, mask, part.bounds),
                TileRule::Corrected => corrected::cover(&mut changed, image, mask, part.bounds),
            }
        }
        changed
    }
}

/// The neighbours of a box, in the order in which ties are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Right,
    Left,
    Below,
    Above,
}

const SIDES: [Side; 4] = [Side::Right, Side::Left, Side::Below, Side::Above];

impl Side {
    /// The place in the tile that shows at (row, column) of a covered box of `height × width`: copies start at the
    /// edge of the box where the tile lies on the other side, so that the cut copy is the farthest from there.
    fn source(self, tile: Rect, (height, width): (usize, usize), row: usize, column: usize) -> (usize, usize) {
        let (tall, wide) = (tile.height(), tile.width());
        let from_end = |at: usize, length: usize, period: usize| period - 1 - (length - 1 - at) % period;
        let row = if self == Side::Above { from_end(row, height, tall) } else { row % tall };
        let column = if self == Side::Left { from_end(column, width, wide) } else { column % wide };
        (tile.top + row, tile.left + column)
    }
}

/// The largest candidate, the first of several.
fn best(candidates: [(usize, Rect); 4]) -> (Side, usize, Rect) {
    let mut best = 0;
    for next in 1..4 {
        if candidates[next].0 > candidates[best].0 {
            best = next;
        }
    }
    (SIDES[best], candidates[best].0, candidates[best].1)
}

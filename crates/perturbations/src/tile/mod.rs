mod corrected;
mod published;

use crate::perturb::assert_one_size;
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Connectivity, Mask, Rect};

/// Covers the box of each connected part of the object with a tile of its surroundings: `tile`. Unlike gray, this adds
/// neither a shape nor a color that photographs do not have.
///
/// Parts are 4-connected and processed in raster order. The box has four neighbors of its size (right, left, below,
/// above), which are clipped at the borders of the image and cut back until they contain no object pixel. The largest
/// neighbor is repeated over the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Whether to follow the published code or its intention.
    pub rule: TileRule,
}

/// How tiles are found and pasted (Q4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileRule {
    /// The published code, to the pixel. It confuses rows and columns when it searches and reads the tile, so the tile
    /// comes from the place mirrored at the main diagonal and is pasted transposed. The neighbor "above" contains the
    /// mirrored box itself. Neighbors are cut back along the wrong axis or by the wrong amount. Two rows and columns of a
    /// box are omitted, so parts up to two pixels wide or high are never touched. Without a tile the box becomes black.
    /// Later parts read what earlier ones have pasted.
    Published,
    /// The intention: whole boxes, tiles from the unmodified image, and gray 0.5 if no neighbor is free.
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

/// The neighbors of a box. Of equally large ones the first wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Right,
    Left,
    Below,
    Above,
}

const SIDES: [Side; 4] = [Side::Right, Side::Left, Side::Below, Side::Above];

impl Side {
    /// Returns the place in the tile that is shown at (row, column) of a covered box of `height × width`. Copies start at
    /// the edge that the tile touches, so that an incomplete copy is at the opposite edge.
    fn source(self, tile: Rect, (height, width): (usize, usize), row: usize, column: usize) -> (usize, usize) {
        let (tall, wide) = (tile.height(), tile.width());
        let from_end = |at: usize, length: usize, period: usize| period - 1 - (length - 1 - at) % period;
        let row = if self == Side::Above { from_end(row, height, tall) } else { row % tall };
        let column = if self == Side::Left { from_end(column, width, wide) } else { column % wide };
        (tile.top + row, tile.left + column)
    }
}

/// Returns the largest candidate, the first of equally large ones.
fn best(candidates: [(usize, Rect); 4]) -> (Side, usize, Rect) {
    let mut best = 0;
    for next in 1..4 {
        if candidates[next].0 > candidates[best].0 {
            best = next;
        }
    }
    (SIDES[best], candidates[best].0, candidates[best].1)
}

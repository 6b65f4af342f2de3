//! The pixels of a map in the order of their values, object or not.

use super::ascending::{ascending, value};
use super::assert_same_length;

/// How many pixels have a value or a greater one.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    pub(super) value: f32,
    /// Pixels of that value and above.
    pub(super) pixels: usize,
    /// Those of them on the object.
    pub(super) objects: usize,
}

/// A map's distinct values from the greatest down. All scores that depend on the order of the values read it.
pub(super) struct Ranking {
    /// The values, smallest first.
    pub(super) ascending: Vec<u32>,
    pub(super) levels: Vec<Level>,
}

impl Ranking {
    /// Sorts the map's values and those on the object.
    pub(super) fn new(map: &[f32], mask: &[u8]) -> Self {
        assert_same_length(map, mask);
        let all = ascending(map.iter().copied());
        let object = ascending(map.iter().zip(mask).filter(|pixel| *pixel.1 != 0).map(|pixel| *pixel.0));
        let mut levels = Vec::new();
        let (mut pixels, mut objects) = (0, 0);
        for ties in all.chunk_by(|a, b| a == b).rev() {
            pixels += ties.len();
            objects += object[..object.len() - objects].iter().rev().take_while(|&&order| order == ties[0]).count();
            levels.push(Level { value: value(ties[0]), pixels, objects });
        }
        Self { ascending: all, levels }
    }

    /// All pixels.
    pub(super) fn pixels(&self) -> usize {
        self.ascending.len()
    }

    /// All pixels of the object.
    pub(super) fn objects(&self) -> usize {
        self.levels.last().map_or(0, |level| level.objects)
    }

    /// Each level after what lies above it.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Level, Level)> {
        let above = std::iter::once(Level::default()).chain(self.levels.iter().copied());
        above.zip(self.levels.iter().copied())
    }

    /// The pixels of at least a value: all, and those on the object.
    pub(super) fn at_least(&self, threshold: f32) -> (usize, usize) {
        let below = self.levels.partition_point(|level| level.value >= threshold);
        below.checked_sub(1).map_or((0, 0), |last| (self.levels[last].pixels, self.levels[last].objects))
    }
}

//! The pixels of a map, on the object and in total, ordered by value.

use super::ascending::{ascending, value};
use super::assert_same_length;

/// How many pixels have at least some value.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    /// Pixels of that value and above.
    pub(super) pixels: usize,
    /// Those of them that lie on the object.
    pub(super) objects: usize,
}

#[derive(Clone, Copy)]
struct Narrow {
    value: f32,
    pixels: u32,
    objects: u32,
}

impl Narrow {
    fn level(self) -> Level {
        Level { pixels: self.pixels as usize, objects: self.objects as usize }
    }
}

/// The distinct values of a map from the greatest down. All scores that depend on the order of the values use it.
pub(super) struct Ranking {
    /// The values in ascending order, as integers.
    pub(super) ascending: Vec<u32>,
    /// Stored in half the memory of [`Level`], because there may be as many levels as pixels. There are fewer than 2³²
    /// pixels.
    levels: Vec<Narrow>,
}

impl Ranking {
    /// Sorts the values of the map, and those on the object.
    pub(super) fn new(map: &[f32], mask: &[u8]) -> Self {
        assert_same_length(map, mask);
        let all = ascending(map.iter().copied());
        let object = ascending(map.iter().zip(mask).filter(|pixel| *pixel.1 != 0).map(|pixel| *pixel.0));
        let mut levels = Vec::with_capacity(all.len());
        let (mut pixels, mut objects) = (0, 0);
        while let Some(&order) = all.get(all.len().wrapping_sub(pixels + 1)) {
            let ties = |sorted: &[u32], seen: usize| {
                sorted[..sorted.len() - seen].iter().rev().take_while(|&&other| other == order).count()
            };
            pixels += ties(&all, pixels);
            objects += ties(&object, objects);
            levels.push(Narrow { value: value(order), pixels: pixels as u32, objects: objects as u32 });
        }
        Self { ascending: all, levels }
    }

    /// Returns the number of pixels.
    pub(super) fn pixels(&self) -> usize {
        self.ascending.len()
    }

    /// Returns the number of pixels on the object.
    pub(super) fn objects(&self) -> usize {
        self.levels.last().map_or(0, |level| level.objects as usize)
    }

    /// Returns the level of the greatest value.
    pub(super) fn greatest(&self) -> Option<Level> {
        self.levels.first().map(|level| level.level())
    }

    /// Iterates over pairs of each level and the level above it.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Level, Level)> {
        let levels = self.levels.iter().map(|level| level.level());
        std::iter::once(Level::default()).chain(levels.clone()).zip(levels)
    }

    /// Returns the number of pixels with at least a value: all, and those on the object.
    pub(super) fn at_least(&self, threshold: f32) -> (usize, usize) {
        let below = self.levels.partition_point(|level| level.value >= threshold);
        let last = below.checked_sub(1).map(|last| self.levels[last].level());
        last.map_or((0, 0), |level| (level.pixels, level.objects))
    }
}

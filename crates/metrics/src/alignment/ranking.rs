//! The pixels of a map in the order of their values, object or not.

use super::ascending::{ascending, value};
use super::assert_same_length;

/// How many pixels have a value or a greater one.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    /// Pixels of that value and above.
    pub(super) pixels: usize,
    /// Those of them on the object.
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

/// A map's distinct values from the greatest down. All scores that depend on the order of the values read it.
pub(super) struct Ranking {
    /// The values, smallest first.
    pub(super) ascending: Vec<u32>,
    /// In half the memory that [`Level`] takes, for there may be as many as pixels, of which there are fewer than 2³².
    levels: Vec<Narrow>,
}

impl Ranking {
    /// Sorts the map's values and those on the object.
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

    /// All pixels.
    pub(super) fn pixels(&self) -> usize {
        self.ascending.len()
    }

    /// All pixels of the object.
    pub(super) fn objects(&self) -> usize {
        self.levels.last().map_or(0, |level| level.objects as usize)
    }

    /// The level of the greatest value.
    pub(super) fn greatest(&self) -> Option<Level> {
        self.levels.first().map(|level| level.level())
    }

    /// Each level after what lies above it.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Level, Level)> {
        let levels = self.levels.iter().map(|level| level.level());
        std::iter::once(Level::default()).chain(levels.clone()).zip(levels)
    }

    /// The pixels of at least a value: all, and those on the object.
    pub(super) fn at_least(&self, threshold: f32) -> (usize, usize) {
        let below = self.levels.partition_point(|level| level.value >= threshold);
        let last = below.checked_sub(1).map(|last| self.levels[last].level());
        last.map_or((0, 0), |level| (level.pixels, level.objects))
    }
}

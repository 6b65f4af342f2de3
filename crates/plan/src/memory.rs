//! Buffers and the memory of one run.

use crate::view::BufferId;
use std::ops::Range;
use std::sync::Arc;

/// Where a buffer is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In the arena of the workspace.
    Arena(Range<usize>),
    /// Among the constants of the plan.
    Constant(Arc<[f32]>),
    /// The images.
    Input,
}

/// All buffers except the one that a step writes.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a> {
    pub(crate) places: &'a [Place],
    pub(crate) input: &'a [f32],
    /// The arena before the buffer that is written, and after it.
    pub(crate) before: &'a [f32],
    pub(crate) after: &'a [f32],
    /// Where `after` starts in the arena.
    pub(crate) end: usize,
}

impl<'a> Memory<'a> {
    /// Returns the elements of a buffer.
    pub(crate) fn read(&self, buffer: BufferId) -> &'a [f32] {
        match &self.places[buffer] {
            Place::Arena(range) if range.end <= self.before.len() => &self.before[range.clone()],
            Place::Arena(range) => &self.after[range.start - self.end..range.end - self.end],
            Place::Constant(values) => {
                // The borrow of `places` outlives the step.
                let values: &'a [f32] = values;
                values
            }
            Place::Input => self.input,
        }
    }
}

/// A buffer while a plan is made.
#[derive(Clone, Debug)]
pub(crate) enum Buffer {
    /// Memory of the workspace: its length, and the first and last step that use it.
    Arena { len: usize, first: usize, last: usize },
    /// Values that are the same in every run.
    Constant(Arc<[f32]>),
    /// The images.
    Input,
}

/// The number of floats in a cache line. Buffers start at one.
const LINE: usize = 16;

/// Places the buffers in an arena so that those that are used at the same time do not overlap. Returns the places and the
/// length of the arena.
pub(crate) fn place(buffers: &[Buffer]) -> (Vec<Place>, usize) {
    let mut places: Vec<Option<Place>> = vec![None; buffers.len()];
    let mut arena: Vec<(BufferId, usize, usize, usize)> = Vec::new();
    for (id, buffer) in buffers.iter().enumerate() {
        match buffer {
            Buffer::Arena { len, first, last } => arena.push((id, *len, *first, *last)),
            Buffer::Constant(values) => places[id] = Some(Place::Constant(values.clone())),
            Buffer::Input => places[id] = Some(Place::Input),
        }
    }
    // Large buffers first, each at the lowest place that is free while it is used.
    arena.sort_by_key(|&(id, len, ..)| (std::cmp::Reverse(len), id));
    let mut placed: Vec<(Range<usize>, usize, usize)> = Vec::new();
    let mut total = 0;
    for (id, len, first, last) in arena {
        let mut taken: Vec<Range<usize>> =
            placed.iter().filter(|(_, f, l)| *f <= last && first <= *l).map(|(range, ..)| range.clone()).collect();
        taken.sort_by_key(|range| range.start);
        let mut start = 0;
        for range in taken {
            if start + len <= range.start {
                break;
            }
            start = start.max(range.end.next_multiple_of(LINE));
        }
        let range = start..start + len;
        total = total.max(range.end);
        places[id] = Some(Place::Arena(range.clone()));
        placed.push((range, first, last));
    }
    (places.into_iter().map(|place| place.unwrap_or(Place::Input)).collect(), total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_share_memory_when_their_times_do_not_overlap() {
        let arena = |len, first, last| Buffer::Arena { len, first, last };
        let (places, total) = place(&[arena(64, 0, 1), arena(32, 1, 2), arena(64, 2, 3), Buffer::Input]);
        assert_eq!(total, 96);
        let range = |i: usize| match &places[i] {
            Place::Arena(range) => range.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!((range(0), range(2), range(1)), (0..64, 0..64, 64..96));
        assert!(matches!(places[3], Place::Input));
    }
}

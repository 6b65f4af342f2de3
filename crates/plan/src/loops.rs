//! Nested loops over several views at once.

use crate::view::View;

/// The most loops that are nested.
const MOST: usize = 6;

/// `N` nested loops over `K` operands, outermost first.
#[derive(Clone, Debug)]
pub(crate) struct Nest<const K: usize, const N: usize> {
    pub(crate) counts: [usize; N],
    pub(crate) strides: [[usize; K]; N],
    pub(crate) starts: [usize; K],
}

/// Nested loops over `K` operands of one shape. The innermost one is a run of elements, as long as the views allow.
///
/// The loops are in the order in which the first operand, the output, lies in memory.
#[derive(Clone, Debug)]
pub(crate) struct Loops<const K: usize> {
    /// The counts of the outer loops, outermost first.
    counts: Vec<usize>,
    strides: Vec<[usize; K]>,
    starts: [usize; K],
    /// Whether a run is the last dimension and must not be divided.
    whole: bool,
    /// The number of elements of a run.
    pub(crate) run: usize,
    /// The distance between the elements of a run, in each operand.
    pub(crate) steps: [usize; K],
}

impl<const K: usize> Loops<K> {
    /// Nests loops over views of one shape. Returns `None` if too many are needed.
    pub(crate) fn new(views: [&View; K]) -> Option<Self> {
        Self::keeping(views, false)
    }

    /// Nests loops like [`Loops::new`]. With `last` the run is the last dimension of the views, and no other.
    pub(crate) fn keeping(views: [&View; K], last: bool) -> Option<Self> {
        let shape = &views[0].shape;
        let mut dims: Vec<usize> = (0..shape.len()).filter(|&d| shape[d] != 1).collect();
        let inner = last.then(|| shape.len().checked_sub(1)).flatten();
        dims.retain(|&d| Some(d) != inner);
        dims.sort_by_key(|&d| std::cmp::Reverse(views[0].strides[d]));
        dims.extend(inner);
        let mut counts: Vec<usize> = Vec::new();
        let mut strides: Vec<[usize; K]> = Vec::new();
        for &dim in &dims {
            let stride = views.map(|view| view.strides[dim]);
            let joins = Some(dim) != inner
                && strides.last().is_some_and(|outer: &[usize; K]| (0..K).all(|k| outer[k] == shape[dim] * stride[k]));
            if joins {
                *strides.last_mut()? = stride;
                *counts.last_mut()? *= shape[dim];
            } else {
                counts.push(shape[dim]);
                strides.push(stride);
            }
        }
        let (run, steps) = (counts.pop().unwrap_or(1), strides.pop().unwrap_or([1; K]));
        (counts.len() <= MOST).then_some(Self {
            counts,
            strides,
            starts: views.map(|view| view.start),
            whole: last,
            run,
            steps,
        })
    }

    /// Calls `f` with the places where each run starts.
    pub(crate) fn for_each(&self, mut f: impl FnMut([usize; K])) {
        let mut index = [0; MOST];
        let mut at = self.starts;
        if self.counts.contains(&0) || self.run == 0 {
            return;
        }
        loop {
            f(at);
            let mut dim = self.counts.len();
            loop {
                if dim == 0 {
                    return;
                }
                dim -= 1;
                index[dim] += 1;
                (0..K).for_each(|k| at[k] += self.strides[dim][k]);
                if index[dim] < self.counts[dim] {
                    break;
                }
                (0..K).for_each(|k| at[k] -= self.counts[dim] * self.strides[dim][k]);
                index[dim] = 0;
            }
        }
    }

    /// Calls `f` with the places of each element.
    pub(crate) fn for_each_in_run(&self, mut f: impl FnMut([usize; K])) {
        self.for_each(|at| (0..self.run).for_each(|i| f(std::array::from_fn(|k| at[k] + i * self.steps[k]))));
    }

    /// Divides the outermost loop into at most `parts` parts, whose outputs lie one after the other.
    pub(crate) fn split(&self, parts: usize) -> Vec<Self> {
        if self.counts.is_empty() && self.whole {
            return vec![self.clone()];
        }
        let count = self.counts.first().copied().unwrap_or(self.run);
        let parts = parts.min(count).max(1);
        let part = |i: usize| {
            let (from, to) = (count * i / parts, count * (i + 1) / parts);
            let mut part = self.clone();
            let strides = match part.counts.first_mut() {
                Some(count) => {
                    *count = to - from;
                    self.strides[0]
                }
                None => {
                    part.run = to - from;
                    self.steps
                }
            };
            (0..K).for_each(|k| part.starts[k] += from * strides[k]);
            part
        };
        (0..parts).map(part).collect()
    }

    /// Returns exactly `N` nested loops, some of them of one element, or `None` if there are more.
    pub(crate) fn nested<const N: usize>(&self) -> Option<Nest<K, N>> {
        let missing = N.checked_sub(self.counts.len() + 1)?;
        let mut counts = [1; N];
        let mut strides = [[0; K]; N];
        counts[missing..N - 1].copy_from_slice(&self.counts);
        strides[missing..N - 1].copy_from_slice(&self.strides);
        counts[N - 1] = self.run;
        strides[N - 1] = self.steps;
        Some(Nest { counts, strides, starts: self.starts })
    }

    /// Returns the strides of the outermost loop.
    pub(crate) fn outermost(&self) -> [usize; K] {
        self.strides.first().copied().unwrap_or(self.steps)
    }

    /// Returns where the first operand starts.
    pub(crate) fn first_start(&self) -> usize {
        self.starts[0]
    }

    /// Counts the places of the last operand from `by` on.
    pub(crate) fn shift_last(&mut self, by: usize) {
        self.starts[K - 1] -= by;
    }

    /// Counts the places of the first operand from `by` on.
    pub(crate) fn shift_first(&mut self, by: usize) {
        self.starts[0] -= by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_follow_the_memory_of_the_output() {
        let out = View::images(0, &[2, 4, 3, 5], 0);
        let gate = View::dense(1, &[2, 4, 1, 1]).broadcast(&[2, 4, 3, 5]);
        let loops = Loops::new([&out, &gate]).unwrap();
        assert_eq!((loops.counts.clone(), loops.run, loops.steps), (vec![2, 15], 4, [1, 1]));
        let mut places = Vec::new();
        loops.for_each(|at| places.push(at));
        assert_eq!(places.len(), 30);
        assert_eq!((places[1], places[15]), ([4, 0], [60, 4]));
        let parts = loops.split(2);
        assert_eq!((parts.len(), parts[1].starts), (2, [60, 4]));
        // The same memory is one run.
        assert_eq!(Loops::new([&out, &out]).unwrap().run, 120);
        assert_eq!(Loops::keeping([&View::dense(0, &[4, 6])], true).unwrap().run, 6);
    }
}

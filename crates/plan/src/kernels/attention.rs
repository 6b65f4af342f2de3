use super::Kernel;
use crate::loops::Loops;
use crate::memory::Memory;
use crate::view::BufferId;
use hard_imagenet_cpu::Isa;
use hard_imagenet_cpu::attention::{Head, Rows, attention, scratch_len};
use std::ops::Range;

/// softmax(scale · q kᵀ + added) v for each head of each image.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    pub(crate) isa: Isa,
    /// Queries, keys and values.
    pub(crate) buffers: [BufferId; 3],
    /// What is added to the scores, and the distance between its rows.
    pub(crate) added: Vec<(BufferId, usize)>,
    pub(crate) scale: f32,
    /// The number of queries, of keys, the length of queries and keys, and the length of values.
    pub(crate) size: [usize; 4],
    /// The distances between the rows of output, queries, keys and values.
    pub(crate) rows: [usize; 4],
    /// The heads of output, queries, keys, values and of what is added.
    pub(crate) loops: Loops<6>,
    /// The queries that this part answers.
    pub(crate) queries: Range<usize>,
    /// Where the slice of the output starts in its buffer.
    pub(crate) shift: usize,
}

/// The most values that can be added to the scores.
pub(crate) const MOST_ADDED: usize = 2;

impl Kernel for Attention {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], scratch: &mut [f32]) {
        let [q, k, v] = self.buffers.map(|id| memory.read(id));
        let [_, keys, length, value_length] = self.size;
        let [y_row, q_row, k_row, v_row] = self.rows;
        let (first, queries) = (self.queries.start, self.queries.len());
        self.loops.for_each_in_run(|[to, q_at, k_at, v_at, added_at, second_at]| {
            let places = [added_at, second_at];
            let added: [Option<Rows<'_>>; MOST_ADDED] = std::array::from_fn(|i| {
                self.added.get(i).map(|&(id, row)| Rows { values: &memory.read(id)[places[i] + first * row..], row })
            });
            let head = Head {
                q: Rows { values: &q[q_at + first * q_row..], row: q_row },
                k: Rows { values: &k[k_at..], row: k_row },
                v: Rows { values: &v[v_at..], row: v_row },
                added,
                scale: self.scale,
                queries,
                keys,
                length,
                value_length,
            };
            attention(self.isa, &head, &mut y[to + first * y_row - self.shift..], y_row, scratch);
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        self.buffers.into_iter().chain(self.added.iter().map(|(id, _)| *id)).collect()
    }

    fn scratch(&self) -> usize {
        let [queries, keys, length, value_length] = self.size;
        scratch_len(queries, keys, length, value_length)
    }

    /// Divides the images or windows if they lie one after the other, and otherwise the queries of all heads.
    fn split(&self, parts: usize) -> Vec<Box<dyn Kernel>> {
        let [queries, ..] = self.size;
        let outermost = self.loops.outermost();
        if outermost[0] >= queries * self.rows[0] {
            let part = |loops| Box::new(Self { loops, ..self.clone() }) as Box<dyn Kernel>;
            return self.loops.split(parts).into_iter().map(part).collect();
        }
        let parts = parts.min(queries).max(1);
        let part = |i: usize| {
            let queries = queries * i / parts..queries * (i + 1) / parts;
            Box::new(Self { queries, ..self.clone() }) as Box<dyn Kernel>
        };
        (0..parts).map(part).collect()
    }

    fn start(&self) -> usize {
        self.loops.first_start() + self.queries.start * self.rows[0] - self.shift
    }

    fn shift(&mut self, by: usize) {
        self.shift += by;
    }
}

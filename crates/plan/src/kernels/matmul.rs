use super::{Kernel, split_by_loops};
use crate::loops::Loops;
use crate::memory::Memory;
use crate::view::BufferId;
use hard_imagenet_cpu::Isa;
use hard_imagenet_cpu::product::{Panels, Positions, Residual, Strides, Window, product};

/// Matrix products `(M, K) · (K, N)` of two values, for each index of the dimensions before.
#[derive(Clone, Debug)]
pub(crate) struct MatMul {
    pub(crate) isa: Isa,
    pub(crate) a: BufferId,
    pub(crate) b: BufferId,
    /// M, K and N.
    pub(crate) size: [usize; 3],
    /// The distances between rows of the output and of `a`. Their elements are neighbors.
    pub(crate) rows: [usize; 2],
    /// The distances along K and along N in `b`.
    pub(crate) b_strides: [usize; 2],
    /// The matrices of the output, `a` and `b`.
    pub(crate) loops: Loops<3>,
}

impl Kernel for MatMul {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], scratch: &mut [f32]) {
        let (a, b) = (memory.read(self.a), memory.read(self.b));
        let [m, k, n] = self.size;
        let panels = &mut scratch[..Panels::len(n, k)];
        let mut packed = None;
        self.loops.for_each_in_run(|[to, from, other]| {
            if packed != Some(other) {
                let [along_k, along_n] = self.b_strides;
                match (along_k, along_n) {
                    (1, row) => Panels::pack_rows(self.isa, n, k, &b[other..], row, 1.0, panels),
                    (row, 1) => Panels::pack_columns(self.isa, n, k, &b[other..], row, panels),
                    _ => Panels::pack(self.isa, n, k, |o, t| b[other + t * along_k + o * along_n], panels),
                }
                packed = Some(other);
            }
            let rows = |start, by| Strides { start, by: [0, 0, by] };
            let positions = Positions {
                counts: [1, 1, m],
                x: rows(from, self.rows[1]),
                y: rows(to, self.rows[0]),
                residual: Strides::default(),
            };
            let weights = Panels { isa: self.isa, outputs: n, taps: k, values: panels, bias: None };
            product(a, Window::row(k), weights, &positions, Residual::None, None, y);
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.a, self.b]
    }

    fn scratch(&self) -> usize {
        Panels::len(self.size[2], self.size[1])
    }

    split_by_loops!();
}

use super::{Kernel, Operand, split_by_loops};
use crate::loops::Loops;
use crate::memory::Memory;
use crate::view::BufferId;
use hard_imagenet_cpu::{self as cpu, Isa};

/// Layer normalization over the last dimension.
#[derive(Clone, Debug)]
pub(crate) struct LayerNorm {
    pub(crate) isa: Isa,
    pub(crate) x: BufferId,
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) eps: f32,
    /// The output and the input, whose runs are the rows.
    pub(crate) loops: Loops<2>,
}

impl Kernel for LayerNorm {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let (x, run) = (memory.read(self.x), self.loops.run);
        self.loops.for_each(|[to, from]| {
            let (x, y) = (&x[from..from + run], &mut y[to..to + run]);
            cpu::layer_norm(self.isa, x, y, &self.weight, &self.bias, self.eps);
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    split_by_loops!();
}

/// Softmax over the last dimension.
#[derive(Clone, Debug)]
pub(crate) struct Softmax {
    pub(crate) isa: Isa,
    pub(crate) x: Operand,
    /// The output and the input, whose runs are the rows.
    pub(crate) loops: Loops<2>,
}

impl Kernel for Softmax {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let x = self.x.buffer().map(|id| memory.read(id));
        let run = self.loops.run;
        self.loops.for_each(|[to, from]| {
            let y = &mut y[to..to + run];
            if let Some(x) = x {
                y.copy_from_slice(&x[from..from + run]);
            }
            cpu::softmax(self.isa, y, run);
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        self.x.buffer().into_iter().collect()
    }

    split_by_loops!();
}

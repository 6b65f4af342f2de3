//! The steps of a plan. Each reads buffers and writes one.

mod attention;
mod copy;
mod elementwise;
mod matmul;
mod norm;
mod product;
mod reduce;
mod windows;

pub(crate) use attention::{Attention, MOST_ADDED};
pub(crate) use copy::{ClearBorder, Copy, copy};
pub(crate) use elementwise::{Affine, Binary, Unary, UnaryFunction};
pub(crate) use matmul::MatMul;
pub(crate) use norm::{LayerNorm, Softmax};
pub(crate) use product::{Group, Product, ResidualFrom, Weights};
pub(crate) use reduce::Reduce;
pub(crate) use windows::{Depthwise, Pool, PoolKind, Winograd, images_of};

use crate::memory::Memory;
use crate::view::BufferId;
use std::fmt::Debug;

/// One step, or a part of one: a function from buffers to a range of another buffer.
pub(crate) trait Kernel: Debug + Send + Sync {
    /// Writes the output. Its places count from the start of `y`.
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], scratch: &mut [f32]);

    /// Returns the name of the operation.
    fn name(&self) -> &'static str {
        let full = std::any::type_name::<Self>();
        full.rsplit("::").next().unwrap_or(full)
    }

    /// Returns the buffers that it reads, except the one that it writes.
    fn reads(&self) -> Vec<BufferId>;

    /// Divides the work into at most `parts` parts. Each writes behind the [start](Kernel::start) of the one before.
    fn split(&self, parts: usize) -> Vec<Box<dyn Kernel>>;

    /// Returns where the output begins. Nothing before it is written.
    fn start(&self) -> usize;

    /// Counts the places of the output from `by` on.
    fn shift(&mut self, by: usize);

    /// Returns how many floats of scratch memory it needs.
    fn scratch(&self) -> usize {
        0
    }
}

/// What a kernel reads: another buffer, or the values that its output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Buffer(BufferId),
    Output,
}

impl Operand {
    pub(crate) fn buffer(self) -> Option<BufferId> {
        match self {
            Self::Buffer(id) => Some(id),
            Self::Output => None,
        }
    }
}

/// Implements the functions of a [`Kernel`] whose output is divided by a field `loops`.
macro_rules! split_by_loops {
    () => {
        fn split(&self, parts: usize) -> Vec<Box<dyn $crate::kernels::Kernel>> {
            let part = |loops| Box::new(Self { loops, ..self.clone() }) as Box<dyn $crate::kernels::Kernel>;
            self.loops.split(parts).into_iter().map(part).collect()
        }

        fn start(&self) -> usize {
            self.loops.first_start()
        }

        fn shift(&mut self, by: usize) {
            self.loops.shift_first(by);
        }
    };
}
pub(crate) use split_by_loops;

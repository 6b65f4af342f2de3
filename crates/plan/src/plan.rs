use crate::kernels::{Kernel, copy};
use crate::loops::Loops;
use crate::memory::{Memory, Place};
use crate::view::BufferId;
use hard_imagenet_cpu::Aligned;
use rayon::prelude::*;
use std::ops::Range;

/// The part of a step that one thread computes.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) kernel: Box<dyn Kernel>,
    /// What it writes of the buffer.
    pub(crate) range: Range<usize>,
}

/// One pass over memory.
#[derive(Debug)]
pub(crate) struct Step {
    /// The node whose value it computes, or helps to compute.
    pub(crate) node: String,
    /// The buffer that it writes.
    pub(crate) buffer: BufferId,
    pub(crate) parts: Vec<Part>,
}

/// A value that a plan returns.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) buffer: BufferId,
    /// The value in row-major order, and where it lies.
    pub(crate) loops: Loops<2>,
}

/// A graph compiled for images of one shape and for some of its nodes. It is immutable, so threads can share it; each run
/// needs a [`Workspace`] of its own.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) places: Vec<Place>,
    /// The number of floats of all buffers together.
    pub(crate) arena: usize,
    /// The number of floats of scratch memory of a part.
    pub(crate) scratch: usize,
    pub(crate) outputs: Vec<Output>,
}

/// The memory of a run. It grows to what plans need and is used again.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    arena: Aligned,
    /// One for each part of a step.
    scratch: Vec<Aligned>,
}

impl Workspace {
    fn fit(&mut self, plan: &Plan) {
        if self.arena.len() < plan.arena {
            self.arena = Aligned::zeros(plan.arena);
        }
        let parts = plan.steps.iter().map(|step| step.parts.len()).max().unwrap_or(1);
        self.scratch.resize_with(parts.max(self.scratch.len()), Aligned::default);
        for scratch in self.scratch.iter_mut().filter(|scratch| scratch.len() < plan.scratch) {
            *scratch = Aligned::zeros(plan.scratch);
        }
    }
}

impl Plan {
    /// Computes the values from the images, `(B, C, H, W)` in row-major order, and writes them to `outputs`, which have the
    /// lengths and the order of [`Plan::outputs`].
    pub(crate) fn run(&self, workspace: &mut Workspace, input: &[f32], outputs: &mut [&mut [f32]]) {
        self.run_timed(workspace, input, outputs, &mut |_| ());
    }

    /// Computes the values like [`Plan::run`] and calls `done` after each step.
    pub(crate) fn run_timed(
        &self,
        workspace: &mut Workspace,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        done: &mut dyn FnMut(&Step),
    ) {
        workspace.fit(self);
        let Workspace { arena, scratch } = workspace;
        for step in &self.steps {
            let Place::Arena(range) = &self.places[step.buffer] else { continue };
            let (before, rest) = arena.split_at_mut(range.start);
            let (y, after) = rest.split_at_mut(range.len());
            let memory = Memory { places: &self.places, input, before, after, end: range.end };
            if let [part] = &step.parts[..] {
                part.kernel.run(&memory, &mut y[part.range.clone()], &mut scratch[0]);
                done(step);
                continue;
            }
            let mut rest = y;
            let mut written = 0;
            let mut work = Vec::with_capacity(step.parts.len());
            for (part, scratch) in step.parts.iter().zip(scratch.iter_mut()) {
                let (own, others) = rest.split_at_mut(part.range.end - written);
                work.push((part, &mut own[part.range.start - written..], scratch));
                (rest, written) = (others, part.range.end);
            }
            work.into_par_iter().with_max_len(1).for_each(|(part, y, scratch)| part.kernel.run(&memory, y, scratch));
            done(step);
        }
        let memory = Memory { places: &self.places, input, before: arena, after: &[], end: arena.len() };
        for (output, y) in self.outputs.iter().zip(outputs) {
            copy(&output.loops, memory.read(output.buffer), y);
        }
    }
}

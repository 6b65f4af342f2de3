use super::Kernel;
use crate::loops::Loops;
use crate::memory::Memory;
use crate::view::BufferId;
use hard_imagenet_graph::Reduction;

/// The mean, sum or maximum over some dimensions.
#[derive(Clone, Debug)]
pub(crate) struct Reduce {
    pub(crate) x: BufferId,
    pub(crate) how: Reduction,
    /// The number of elements that are reduced to one.
    pub(crate) count: usize,
    /// The elements of the output.
    pub(crate) outputs: Loops<1>,
    /// The input and, for each of its elements, the output.
    pub(crate) loops: Loops<2>,
}

impl Kernel for Reduce {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let x = memory.read(self.x);
        let first = if self.how == Reduction::Max { f32::NEG_INFINITY } else { 0.0 };
        self.outputs.for_each_in_run(|[at]| y[at] = first);
        let larger = |a: f32, b: f32| if b > a || b.is_nan() { b } else { a };
        let (run, steps) = (self.loops.run, self.loops.steps);
        self.loops.for_each(|[from, to]| match (self.how, steps) {
            // The usual case with channels last: a row of channels is added to the sums of all channels.
            (Reduction::Mean | Reduction::Sum, [1, 1]) => {
                y[to..to + run].iter_mut().zip(&x[from..from + run]).for_each(|(y, x)| *y += x);
            }
            (Reduction::Max, [1, 1]) => {
                y[to..to + run].iter_mut().zip(&x[from..from + run]).for_each(|(y, x)| *y = larger(*y, *x));
            }
            (how, [x_step, y_step]) => {
                for i in 0..run {
                    let (x, y) = (x[from + i * x_step], &mut y[to + i * y_step]);
                    *y = if how == Reduction::Max { larger(*y, x) } else { *y + x };
                }
            }
        });
        if self.how == Reduction::Mean {
            let count = self.count as f32;
            self.outputs.for_each_in_run(|[at]| y[at] /= count);
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    fn split(&self, _: usize) -> Vec<Box<dyn Kernel>> {
        vec![Box::new(self.clone())]
    }

    fn start(&self) -> usize {
        self.outputs.first_start()
    }

    fn shift(&mut self, by: usize) {
        self.outputs.shift_first(by);
        self.loops.shift_last(by);
    }
}

use super::{Kernel, Operand, copy::copy, split_by_loops};
use crate::loops::Loops;
use crate::memory::Memory;
use crate::view::BufferId;
use hard_imagenet_cpu::Activation;
use hard_imagenet_cpu::Isa;
use hard_imagenet_cpu::{self as cpu, Binary as Function};

/// A function of two values, which are broadcast, and an activation.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) isa: Isa,
    pub(crate) function: Function,
    pub(crate) a: Operand,
    pub(crate) b: BufferId,
    pub(crate) activation: Option<Activation>,
    /// The output and both operands.
    pub(crate) loops: Loops<3>,
}

impl Kernel for Binary {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let Self { isa, function, activation, .. } = *self;
        let b = memory.read(self.b);
        let run = self.loops.run;
        let Some(a) = self.a.buffer().map(|id| memory.read(id)) else {
            // The first operand lies where the output goes, element by element.
            return self.loops.for_each(|[to, _, second]| match self.loops.steps {
                [1, 1, 1] => {
                    cpu::binary_in_place(isa, function, &mut y[to..to + run], &b[second..second + run], activation);
                }
                [step, _, b_step] => {
                    for i in 0..run {
                        let y = &mut y[to + i * step];
                        *y = scalar(function, *y, b[second + i * b_step]);
                    }
                    apply(isa, activation, y, to, run, step);
                }
            });
        };
        self.loops.for_each(|[to, first, second]| match self.loops.steps {
            [1, 1, 1] => {
                let (a, b) = (&a[first..first + run], &b[second..second + run]);
                cpu::binary(isa, function, a, b, &mut y[to..to + run], activation);
            }
            [step, a_step, b_step] => {
                for i in 0..run {
                    y[to + i * step] = scalar(function, a[first + i * a_step], b[second + i * b_step]);
                }
                apply(isa, activation, y, to, run, step);
            }
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        self.a.buffer().into_iter().chain([self.b]).collect()
    }

    split_by_loops!();
}

/// Returns the function of two elements.
fn scalar(function: Function, a: f32, b: f32) -> f32 {
    match function {
        Function::Add => a + b,
        Function::Sub => a - b,
        Function::Mul => a * b,
        Function::Div => a / b,
        Function::Maximum => {
            if b > a {
                b
            } else {
                a
            }
        }
        Function::Minimum => {
            if b < a {
                b
            } else {
                a
            }
        }
    }
}

/// Applies an activation to elements that lie `step` apart.
fn apply(isa: Isa, activation: Option<Activation>, y: &mut [f32], at: usize, run: usize, step: usize) {
    let Some(activation) = activation else { return };
    if step == 1 {
        return activation.apply_in_place(isa, &mut y[at..at + run]);
    }
    for i in 0..run {
        activation.apply_in_place(isa, std::slice::from_mut(&mut y[at + i * step]));
    }
}

/// A function of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum UnaryFunction {
    Activation(Activation),
    Scale(f32),
}

/// A function of each element.
#[derive(Clone, Debug)]
pub(crate) struct Unary {
    pub(crate) isa: Isa,
    pub(crate) function: UnaryFunction,
    pub(crate) x: Operand,
    /// The output and the input.
    pub(crate) loops: Loops<2>,
}

impl Kernel for Unary {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        if let Operand::Buffer(id) = self.x {
            copy(&self.loops, memory.read(id), y);
        }
        let (run, step) = (self.loops.run, self.loops.steps[0]);
        self.loops.for_each(|[at, _]| match self.function {
            UnaryFunction::Activation(activation) => apply(self.isa, Some(activation), y, at, run, step),
            UnaryFunction::Scale(factor) => {
                y[at..].iter_mut().step_by(step).take(run).for_each(|y| *y *= factor);
            }
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        self.x.buffer().into_iter().collect()
    }

    split_by_loops!();
}

/// x · scale + shift for each channel, and an activation: a batch norm that is not part of a convolution.
#[derive(Clone, Debug)]
pub(crate) struct Affine {
    pub(crate) isa: Isa,
    pub(crate) x: BufferId,
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    pub(crate) activation: Option<Activation>,
    /// The output and the input, whose runs are the channels.
    pub(crate) loops: Loops<2>,
}

impl Kernel for Affine {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let (x, run) = (memory.read(self.x), self.loops.run);
        self.loops.for_each(|[to, from]| {
            cpu::affine(
                self.isa,
                &x[from..from + run],
                &mut y[to..to + run],
                &self.scale,
                &self.shift,
                self.activation,
            );
        });
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    split_by_loops!();
}

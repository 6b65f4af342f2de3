use super::Kernel;
use crate::memory::Memory;
use crate::view::BufferId;
use bytemuck::cast_slice_mut;
use hard_imagenet_cpu::Activation;
use hard_imagenet_cpu::bf16::{Bf16Weights, bf16_scratch_len, product_bf16};
use hard_imagenet_cpu::product::{PackedWeights, Positions, Residual, Window, product};
use std::sync::Arc;

/// What the sums of a product start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResidualFrom {
    None,
    Output,
    Buffer(BufferId),
}

/// The weights of a product.
#[derive(Clone, Debug)]
pub(crate) enum Weights {
    Single(Arc<PackedWeights>),
    /// In bf16, to which the inputs are rounded too.
    Bf16(Arc<Bf16Weights>),
}

/// The weights of one group of channels, and where its channels start in the input and the output of a pixel.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) weights: Weights,
    pub(crate) x: usize,
    pub(crate) y: usize,
}

/// A convolution, a linear layer or a patch embedding, with residual, bias and activation.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) x: BufferId,
    /// The offsets of the window's runs.
    pub(crate) offsets: Vec<usize>,
    /// The length of a run, and the floats of input that belong to one output.
    pub(crate) run: usize,
    pub(crate) footprint: usize,
    pub(crate) groups: Vec<Group>,
    pub(crate) positions: Positions,
    pub(crate) residual: ResidualFrom,
    pub(crate) activation: Option<Activation>,
}

impl Product {
    fn window(&self) -> Window<'_> {
        Window { offsets: &self.offsets, run: self.run, footprint: self.footprint }
    }
}

impl Kernel for Product {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], scratch: &mut [f32]) {
        let residual = match self.residual {
            ResidualFrom::None => Residual::None,
            ResidualFrom::Output => Residual::Output,
            ResidualFrom::Buffer(id) => Residual::Values(memory.read(id)),
        };
        let x = memory.read(self.x);
        let window = self.window();
        for group in &self.groups {
            let mut positions = self.positions;
            positions.x.start += group.x;
            positions.y.start += group.y;
            positions.residual.start += group.y;
            match &group.weights {
                Weights::Single(weights) => {
                    product(x, window, weights.panels(), &positions, residual, self.activation, y);
                }
                Weights::Bf16(weights) => {
                    let scratch = cast_slice_mut(scratch);
                    product_bf16(x, window, weights.panels(), &positions, residual, self.activation, y, scratch);
                }
            }
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        let residual = if let ResidualFrom::Buffer(id) = self.residual { Some(id) } else { None };
        std::iter::once(self.x).chain(residual).collect()
    }

    fn scratch(&self) -> usize {
        let is_bf16 = self.groups.iter().any(|group| matches!(group.weights, Weights::Bf16(_)));
        if is_bf16 { bf16_scratch_len(self.window(), &self.positions).div_ceil(2) } else { 0 }
    }

    fn split(&self, parts: usize) -> Vec<Box<dyn Kernel>> {
        let part = |positions| Box::new(Self { positions, ..self.clone() }) as Box<dyn Kernel>;
        self.positions.split(parts).into_iter().map(part).collect()
    }

    fn start(&self) -> usize {
        self.positions.y.start
    }

    fn shift(&mut self, by: usize) {
        self.positions.y.start -= by;
    }
}

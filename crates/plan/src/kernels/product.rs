use super::Kernel;
use crate::memory::Memory;
use crate::view::BufferId;
use hard_imagenet_cpu::Activation;
use hard_imagenet_cpu::product::{PackedWeights, Positions, Residual, Window, product};
use std::sync::Arc;

/// What the sums of a product start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResidualFrom {
    None,
    Output,
    Buffer(BufferId),
}

/// The weights of one group of channels, and where its channels start in the input and the output of a pixel.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) weights: Arc<PackedWeights>,
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

impl Kernel for Product {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let residual = match self.residual {
            ResidualFrom::None => Residual::None,
            ResidualFrom::Output => Residual::Output,
            ResidualFrom::Buffer(id) => Residual::Values(memory.read(id)),
        };
        let x = memory.read(self.x);
        let window = Window { offsets: &self.offsets, run: self.run, footprint: self.footprint };
        for group in &self.groups {
            let mut positions = self.positions;
            positions.x.start += group.x;
            positions.y.start += group.y;
            positions.residual.start += group.y;
            product(x, window, group.weights.panels(), &positions, residual, self.activation, y);
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        let residual = if let ResidualFrom::Buffer(id) = self.residual { Some(id) } else { None };
        std::iter::once(self.x).chain(residual).collect()
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

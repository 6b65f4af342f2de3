//! Functions of elements and rows.

use super::Compiler;
use crate::PlanError;
use crate::fusion::Chain;
use crate::kernels::{self, Operand, UnaryFunction};
use crate::loops::Loops;
use crate::view::View;
use crate::weights::find;
use hard_imagenet_graph::{Binary, Op, Reduce};

impl Compiler<'_> {
    fn too_deep(&self, i: usize) -> PlanError {
        self.unsupported(i, "too many dimensions")
    }

    /// Returns where the value of a function of `x` lies: where `x` is, if nobody else needs it there any more.
    fn make_output_of(&mut self, i: usize, x: &View) -> (View, Operand) {
        let same =
            x.shape == self.shapes[i] && x.strides == self.would_be_view(i).strides && x.border == self.borders[i];
        if same && !self.concats.contains_key(&i) && self.is_free_after(x.buffer, i) {
            return (x.clone(), Operand::Output);
        }
        (self.make_output(i), Operand::Buffer(x.buffer))
    }

    pub(super) fn lower_binary(&mut self, i: usize, chain: &Chain, binary: Binary) -> Result<View, PlanError> {
        let inputs = &self.graph.nodes()[chain.host].inputs;
        let (a, b) = (self.value(inputs[0].index())?, self.value(inputs[1].index())?);
        let (y, operand) = if a.buffer == b.buffer {
            (self.make_output(i), Operand::Buffer(a.buffer))
        } else {
            self.make_output_of(i, &a)
        };
        let (a, b) = (a.broadcast(&y.shape), b.broadcast(&y.shape));
        let loops = Loops::new([&y, &a, &b]).ok_or_else(|| self.too_deep(i))?;
        let (isa, activation) = (self.isa, chain.activation);
        self.push(y.buffer, kernels::Binary { isa, function: binary, a: operand, b: b.buffer, activation, loops });
        Ok(y)
    }

    pub(super) fn lower_unary(&mut self, i: usize) -> Result<View, PlanError> {
        let node = &self.graph.nodes()[i];
        let function = match node.op {
            Op::Activation(activation) => UnaryFunction::Activation(activation),
            Op::Scale(factor) => UnaryFunction::Scale(factor as f32),
            _ => return Err(self.unsupported(i, "not a function of one element")),
        };
        let x = self.value(node.inputs[0].index())?;
        let (y, operand) = self.make_output_of(i, &x);
        let loops = Loops::new([&y, &x]).ok_or_else(|| self.too_deep(i))?;
        self.push(y.buffer, kernels::Unary { isa: self.isa, function, x: operand, loops });
        Ok(y)
    }

    pub(super) fn lower_batch_norm(&mut self, i: usize, chain: &Chain, eps: f64) -> Result<View, PlanError> {
        let host = &self.graph.nodes()[chain.host];
        let x = self.value(host.inputs[0].index())?;
        let mut parts = Vec::new();
        for which in 0..4 {
            parts.push(find(host, which, self.weights)?.unwrap_or_default());
        }
        let scale: Vec<f32> = (0..parts[0].len())
            .map(|c| (f64::from(parts[0][c]) / (f64::from(parts[3][c]) + eps).sqrt()) as f32)
            .collect();
        let shift = (0..scale.len())
            .map(|c| (f64::from(parts[1][c]) - f64::from(parts[2][c]) * f64::from(scale[c])) as f32)
            .collect();
        let x = match x.shape.len() {
            4 => self.channels_last(i, x)?,
            2 => self.rows(i, x)?,
            _ => return Err(self.unsupported(i, "neither images nor vectors")),
        };
        let y = self.make_output(i);
        // The channels as the last dimension.
        let last = |view: &View| if view.shape.len() == 4 { view.permute(&[0, 2, 3, 1]) } else { view.clone() };
        let loops = Loops::keeping([&last(&y), &last(&x)], true).ok_or_else(|| self.too_deep(i))?;
        let (isa, activation) = (self.isa, chain.activation);
        self.push(y.buffer, kernels::Affine { isa, x: x.buffer, scale, shift, activation, loops });
        Ok(y)
    }

    pub(super) fn lower_layer_norm(&mut self, i: usize, eps: f64) -> Result<View, PlanError> {
        let node = &self.graph.nodes()[i];
        let x = self.value(node.inputs[0].index())?;
        let weight = find(node, 0, self.weights)?.unwrap_or_default();
        let bias = find(node, 1, self.weights)?.unwrap_or_default();
        let x = self.rows(i, x)?;
        let y = self.make_output(i);
        let loops = Loops::keeping([&y, &x], true).ok_or_else(|| self.too_deep(i))?;
        self.push(y.buffer, kernels::LayerNorm { isa: self.isa, x: x.buffer, weight, bias, eps: eps as f32, loops });
        Ok(y)
    }

    pub(super) fn lower_softmax(&mut self, i: usize) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let x = self.rows(i, x)?;
        let (y, operand) = self.make_output_of(i, &x);
        let loops = Loops::keeping([&y, &x], true).ok_or_else(|| self.too_deep(i))?;
        self.push(y.buffer, kernels::Softmax { isa: self.isa, x: operand, loops });
        Ok(y)
    }

    pub(super) fn lower_reduce(&mut self, i: usize, reduce: &Reduce) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let y = self.make_output(i);
        // The output with the reduced dimensions, along which it does not move.
        let mut kept = y.clone();
        for &dim in &reduce.dims {
            if reduce.keep {
                kept.shape[dim] = x.shape[dim];
                kept.strides[dim] = 0;
            } else {
                kept.shape.insert(dim, x.shape[dim]);
                kept.strides.insert(dim, 0);
            }
        }
        let outputs = Loops::new([&y]).ok_or_else(|| self.too_deep(i))?;
        let loops = Loops::new([&x, &kept]).ok_or_else(|| self.too_deep(i))?;
        let count = reduce.dims.iter().map(|dim| x.shape[*dim]).product();
        self.push(y.buffer, kernels::Reduce { x: x.buffer, how: reduce.how, count, outputs, loops });
        Ok(y)
    }
}

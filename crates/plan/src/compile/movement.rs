//! Operations that move elements without computing.

use super::Compiler;
use crate::PlanError;
use crate::view::View;
use hard_imagenet_graph::Pad;

impl Compiler<'_> {
    pub(super) fn lower_reshape(&mut self, i: usize) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let shape = self.shapes[i].clone();
        match x.reshape(&shape) {
            Some(view) => Ok(view),
            None => {
                let dense = self.dense(i, x)?;
                dense.reshape(&shape).ok_or_else(|| self.unsupported(i, "a reshape of another size"))
            }
        }
    }

    pub(super) fn lower_concat(&mut self, i: usize, dim: usize) -> Result<View, PlanError> {
        // Values that were computed where they are needed have made the room.
        let y = match self.values[i].clone() {
            Some(view) => view,
            None => self.make_output(i),
        };
        let mut start = 0;
        for input in self.graph.nodes()[i].inputs.clone() {
            let x = self.value(input.index())?;
            let len = x.shape[dim];
            let to = y.narrow(dim, start, len);
            if (x.buffer, x.start) != (to.buffer, to.start) {
                self.copy(i, &x, &to)?;
            }
            start += len;
        }
        Ok(y)
    }

    pub(super) fn lower_index_select(&mut self, i: usize, dim: usize, indices: &[u32]) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let y = self.make_output(i);
        // One copy for each run of neighboring indices.
        let mut start = 0;
        for run in indices.chunk_by(|a, b| a + 1 == *b) {
            let from = x.narrow(dim, run[0] as usize, run.len());
            self.copy(i, &from, &y.narrow(dim, start, run.len()))?;
            start += run.len();
        }
        Ok(y)
    }

    pub(super) fn lower_roll(&mut self, i: usize, dim: usize, shift: i32) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let y = self.make_output(i);
        let len = x.shape[dim];
        let shift = shift.rem_euclid((len as i32).max(1)) as usize;
        for (from, to, count) in [(0, shift, len - shift), (len - shift, 0, shift)] {
            if count > 0 {
                self.copy(i, &x.narrow(dim, from, count), &y.narrow(dim, to, count))?;
            }
        }
        Ok(y)
    }

    pub(super) fn lower_pad(&mut self, i: usize, pad: Pad) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let y = self.make_output(i);
        let len = x.shape[pad.dim];
        if pad.before + pad.after > 0 {
            let buffer = self.add_constant(vec![pad.value]);
            let value = View { shape: vec![1], strides: vec![0], ..View::dense(buffer, &[1]) };
            for (start, count) in [(0, pad.before), (pad.before + len, pad.after)] {
                if count > 0 {
                    let to = y.narrow(pad.dim, start, count);
                    self.copy(i, &value.broadcast(&to.shape), &to)?;
                }
            }
        }
        self.copy(i, &x, &y.narrow(pad.dim, pad.before, len))?;
        Ok(y)
    }
}

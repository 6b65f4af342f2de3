//! Operations that take dimensions together.

use candle_core::{Result, Tensor};
use hard_imagenet_kernels::max_keepdim;

/// What becomes of the values of the dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The largest.
    Max,
}

/// A reduction over some dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduce {
    /// How.
    pub how: Reduction,
    /// Over which, counted from 0, in rising order.
    pub dims: Vec<usize>,
    /// Do they stay, with length 1?
    pub keep: bool,
}

impl Reduce {
    pub(super) fn shape(&self, x: &[usize]) -> std::result::Result<Vec<usize>, String> {
        if self.dims.iter().any(|dim| *dim >= x.len()) {
            return Err(format!("a value with dimensions {:?}", self.dims));
        }
        let extents = x.iter().enumerate().map(|(dim, extent)| (self.dims.contains(&dim), *extent));
        Ok(match self.keep {
            true => extents.map(|(gone, extent)| if gone { 1 } else { extent }).collect(),
            false => extents.filter(|(gone, _)| !gone).map(|(_, extent)| extent).collect(),
        })
    }

    pub(super) fn value(&self, x: &Tensor) -> Result<Tensor> {
        let mut y = x.contiguous()?;
        // From the last dimension on, so that the places of the others stay; those side by side are one in memory.
        for run in self.dims.chunk_by(|a, b| a + 1 == *b).rev() {
            let first = run[0];
            y = y.flatten(first, first + run.len() - 1)?;
            y = match self.how {
                Reduction::Mean => y.mean_keepdim(first)?,
                Reduction::Sum => y.sum_keepdim(first)?,
                Reduction::Max => max_keepdim(&y, first)?,
            };
        }
        y.reshape(self.shape(x.dims()).map_err(candle_core::Error::Msg)?)
    }
}

//! Operations that take dimensions together.

use candle_core::{Result, Tensor};
use hard_imagenet_kernels::max_keepdim;

/// The function that a reduction applies to the values along its dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// The largest value.
    Max,
}

/// A reduction over some dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduce {
    /// The function.
    pub how: Reduction,
    /// The dimensions to reduce, counted from 0, in ascending order.
    pub dims: Vec<usize>,
    /// Whether the dimensions are kept with length 1.
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
        // From the last dimension to the first, so that the numbers of the others stay valid. Neighboring dimensions are
        // joined, because they are one in memory.
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

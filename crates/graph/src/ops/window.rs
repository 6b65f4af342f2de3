//! Operations that look through a window moving over the picture.

use super::Activation;
use super::take;
use candle_core::{Result, Tensor};
use hard_imagenet_kernels::{self as kernels, Conv2dParams, Pool2dParams};

type Shape = std::result::Result<Vec<usize>, String>;

/// A convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Channels before.
    pub inputs: usize,
    /// Channels after.
    pub outputs: usize,
    /// Height and width of the window.
    pub kernel: (usize, usize),
    /// Step between windows.
    pub stride: usize,
    /// Zeros added on each side.
    pub padding: usize,
    /// Distance between taps.
    pub dilation: usize,
    /// Channels in this many groups that do not see each other.
    pub groups: usize,
    /// Is there a bias?
    pub bias: bool,
}

impl Conv2d {
    /// A square window, stride 1, no padding, one group, no bias.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self { inputs, outputs, kernel: (kernel, kernel), stride: 1, padding: 0, dilation: 1, groups: 1, bias: false }
    }

    fn params(&self) -> Conv2dParams {
        Conv2dParams { stride: self.stride, padding: self.padding, dilation: self.dilation, groups: self.groups }
    }

    /// Products for each element of the value.
    pub(super) fn taps(&self) -> usize {
        self.inputs / self.groups * self.kernel.0 * self.kernel.1
    }

    pub(super) fn parameters(&self) -> Vec<Vec<usize>> {
        let mut shapes = vec![vec![self.outputs, self.inputs / self.groups, self.kernel.0, self.kernel.1]];
        if self.bias {
            shapes.push(vec![self.outputs]);
        }
        shapes
    }

    pub(super) fn shape(&self, x: &[usize]) -> Shape {
        let (oh, ow) = match x {
            [_, c, h, w] if *c == self.inputs => {
                (self.params().output_len(*h, self.kernel.0), self.params().output_len(*w, self.kernel.1))
            }
            _ => (0, 0),
        };
        if oh == 0 || ow == 0 {
            return Err(format!("(B, {}, H, W) not smaller than its window", self.inputs));
        }
        Ok(vec![x[0], self.outputs, oh, ow])
    }

    pub(super) fn value(&self, x: &Tensor, weights: &[&Tensor]) -> Result<Tensor> {
        let [weight] = take(weights)?;
        kernels::conv2d(x, weight, weights.get(1).copied(), self.params())
    }

    pub(super) fn activated(&self, x: &Tensor, weights: &[&Tensor], then: Activation) -> Result<Option<Tensor>> {
        let [weight] = take(weights)?;
        kernels::conv2d_with_activation(x, weight, weights.get(1).copied(), self.params(), then)
    }
}

/// A square pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// Side of the window.
    pub size: usize,
    /// Step between windows.
    pub stride: usize,
    /// Added on each side.
    pub padding: usize,
    /// Are windows kept that reach beyond the far ends?
    pub ceil: bool,
}

impl Pool2d {
    /// Windows that do not overlap; no padding.
    pub fn new(size: usize) -> Self {
        Self { size, stride: size, padding: 0, ceil: false }
    }

    pub(super) fn params(&self) -> Pool2dParams {
        Pool2dParams { size: self.size, stride: self.stride, padding: self.padding, ceil: self.ceil }
    }

    pub(super) fn shape(&self, x: &[usize]) -> Shape {
        match x {
            &[b, c, h, w] if self.params().output_len(h) > 0 && self.params().output_len(w) > 0 => {
                Ok(vec![b, c, self.params().output_len(h), self.params().output_len(w)])
            }
            _ => Err("(B, C, H, W) not smaller than its window".into()),
        }
    }
}

//! Operations with a window that moves over the image.

use super::take;
use candle_core::{Result, Tensor};
use hard_imagenet_kernels::{self as kernels, Conv2dParams, Pool2dParams};

type Shape = std::result::Result<Vec<usize>, String>;

/// The attributes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// The number of input channels.
    pub inputs: usize,
    /// The number of output channels.
    pub outputs: usize,
    /// Height and width of the window, in taps.
    pub kernel: (usize, usize),
    /// The step between neighboring windows, in pixels.
    pub stride: usize,
    /// The number of zeros added on each side.
    pub padding: usize,
    /// The distance between neighboring taps, in pixels.
    pub dilation: usize,
    /// The number of groups that channels are split into. Each output channel reads only the inputs of its group.
    pub groups: usize,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Conv2d {
    /// Creates a convolution with a square window, stride 1, no padding, one group and no bias.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self { inputs, outputs, kernel: (kernel, kernel), stride: 1, padding: 0, dilation: 1, groups: 1, bias: false }
    }

    fn params(&self) -> Conv2dParams {
        Conv2dParams { stride: self.stride, padding: self.padding, dilation: self.dilation, groups: self.groups }
    }

    /// The number of products in each element of the value.
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
            return Err(format!("(B, {}, H, W) no smaller than its window", self.inputs));
        }
        Ok(vec![x[0], self.outputs, oh, ow])
    }

    pub(super) fn value(&self, x: &Tensor, weights: &[&Tensor]) -> Result<Tensor> {
        let [weight] = take(weights)?;
        kernels::conv2d(x, weight, weights.get(1).copied(), self.params())
    }
}

/// The attributes of a pool: a square window and its movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// The side of the window, in pixels.
    pub size: usize,
    /// The step between neighboring windows, in pixels.
    pub stride: usize,
    /// The number of rows and columns added on each side.
    pub padding: usize,
    /// Whether windows that reach beyond the far ends are kept, as with torch's `ceil_mode`.
    pub ceil: bool,
}

impl Pool2d {
    /// Creates windows that do not overlap and have no padding.
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
            _ => Err("(B, C, H, W) no smaller than its window".into()),
        }
    }
}

//! Sliding windows as sums over their taps. A tap is one position inside the window; over all positions of the window it
//! reads a strided part of the image. These are plain tensor operations, so gradients built from them work on every
//! device.

use candle_core::{Result, Tensor};

/// The indices that one tap of a window reads along one axis: `count` of them, `start`, `start + stride`, ..
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) start: usize,
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

impl Axis {
    fn indices(self, x: &Tensor) -> Result<Tensor> {
        let last = self.start + self.stride * self.count;
        Tensor::arange_step(self.start as u32, last as u32, self.stride as u32, x.device())
    }
}

/// Returns what a tap reads of `x` `(B, C, H, W)`: `(B, C, rows.count, columns.count)`.
pub(crate) fn tap(x: &Tensor, rows: Axis, columns: Axis) -> Result<Tensor> {
    if rows.stride == 1 && columns.stride == 1 {
        return x.narrow(2, rows.start, rows.count)?.narrow(3, columns.start, columns.count)?.contiguous();
    }
    x.index_select(&rows.indices(x)?, 2)?.index_select(&columns.indices(x)?, 3)
}

/// Writes `g` `(B, C, rows.count, columns.count)` into zeros of `(B, C, height, width)`: the transpose of [`tap`].
pub(crate) fn untap(g: &Tensor, rows: Axis, columns: Axis, height: usize, width: usize) -> Result<Tensor> {
    let (b, c, h, _) = g.dims4()?;
    let wide = Tensor::zeros((b, c, h, width), g.dtype(), g.device())?.index_add(&columns.indices(g)?, g, 3)?;
    Tensor::zeros((b, c, height, width), g.dtype(), g.device())?.index_add(&rows.indices(g)?, &wide, 2)
}

/// Returns the `(h, w)` pixels inside a frame that is `padding` wide at the top and left.
pub(crate) fn unpad(x: &Tensor, padding: usize, (h, w): (usize, usize)) -> Result<Tensor> {
    x.narrow(2, padding, h)?.narrow(3, padding, w)?.contiguous()
}

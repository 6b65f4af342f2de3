//! A sliding window as a sum over its taps: for each position inside the window, the strided picture seen from there.
//! Plain tensor operations, so the gradients built from them serve every device.

use candle_core::{Result, Tensor};

/// Where one tap of a window looks, along one axis: `start`, `start + stride`, .. , `count` of them.
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

/// `(B, C, H, W)` to `(B, C, rows.count, columns.count)`.
pub(crate) fn tap(x: &Tensor, rows: Axis, columns: Axis) -> Result<Tensor> {
    if rows.stride == 1 && columns.stride == 1 {
        return x.narrow(2, rows.start, rows.count)?.narrow(3, columns.start, columns.count)?.contiguous();
    }
    x.index_select(&rows.indices(x)?, 2)?.index_select(&columns.indices(x)?, 3)
}

/// The transpose of [`tap`]: puts a `(B, C, rows.count, columns.count)` back into zeros of `(B, C, height, width)`.
pub(crate) fn untap(g: &Tensor, rows: Axis, columns: Axis, height: usize, width: usize) -> Result<Tensor> {
    let (b, c, h, _) = g.dims4()?;
    let wide = Tensor::zeros((b, c, h, width), g.dtype(), g.device())?.index_add(&columns.indices(g)?, g, 3)?;
    Tensor::zeros((b, c, height, width), g.dtype(), g.device())?.index_add(&rows.indices(g)?, &wide, 2)
}

/// A frame of `value`, `padding` wide, around the last two dimensions.
pub(crate) fn pad(x: &Tensor, padding: usize, value: f32) -> Result<Tensor> {
    if padding == 0 {
        return x.contiguous();
    }
    let (b, c, h, w) = x.dims4()?;
    let side = Tensor::full(value, (b, c, h, padding), x.device())?.to_dtype(x.dtype())?;
    let x = Tensor::cat(&[&side, x, &side], 3)?;
    let edge = Tensor::full(value, (b, c, padding, w + 2 * padding), x.device())?.to_dtype(x.dtype())?;
    Tensor::cat(&[&edge, &x, &edge], 2)
}

/// Takes the frame of [`pad`] off again.
pub(crate) fn unpad(x: &Tensor, padding: usize) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    x.narrow(2, padding, h - 2 * padding)?.narrow(3, padding, w - 2 * padding)?.contiguous()
}

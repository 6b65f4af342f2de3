//! Depthwise convolution on devices other than the CPU, as a sum over the window's taps in tensor operations.
//!
//! candle splits such a convolution into one for each channel, and a GPU then waits for hundreds of launches.

use super::params::Conv2dParams;
use crate::pad::pad;
use crate::taps::{Axis, tap, unpad, untap};
use candle_core::{DType, Result, Tensor};

/// Returns the rows and columns that each tap of the window reads for an output of `(oh, ow)`, taps in row-major order.
fn taps(weight: &Tensor, p: Conv2dParams, (oh, ow): (usize, usize)) -> Result<impl Iterator<Item = (Axis, Axis)>> {
    let (_, _, kh, kw) = weight.dims4()?;
    let axis = move |k: usize, count: usize| Axis { start: k * p.dilation, stride: p.stride, count };
    Ok((0..kh * kw).map(move |i| (axis(i / kw, oh), axis(i % kw, ow))))
}

/// Adds a frame of zeros.
fn add_frame(x: &Tensor, padding: usize) -> Result<Tensor> {
    let frame = (padding, padding);
    pad(&pad(x, 2, frame, 0.0)?, 3, frame, 0.0)
}

/// Returns one tap's weight for every channel, `(1, C, 1, 1)`.
fn tap_weight(weight: &Tensor, tap: usize) -> Result<Tensor> {
    weight.flatten_from(1)?.narrow(1, tap, 1)?.reshape((1, (), 1, 1))
}

/// Returns the convolution of `x` `(B, C, H, W)` with `weight` `(C, 1, kh, kw)`, `(B, C, H', W')`.
pub(super) fn forward(x: &Tensor, weight: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (b, channels, h, w) = x.dims4()?;
    let (_, _, kh, kw) = weight.dims4()?;
    let (oh, ow) = (p.output_len(h, kh), p.output_len(w, kw));
    let x = add_frame(x, p.padding)?;
    // Sums of halves are kept in f32, as on the CPU.
    let mut y = Tensor::zeros((b, channels, oh, ow), DType::F32, x.device())?;
    for (i, (rows, columns)) in taps(weight, p, (oh, ow))?.enumerate() {
        let term = tap(&x, rows, columns)?.to_dtype(DType::F32)?;
        y = (y + term.broadcast_mul(&tap_weight(weight, i)?.to_dtype(DType::F32)?)?)?;
    }
    y.to_dtype(x.dtype())
}

/// Returns the gradient with respect to `x`, `(B, C, H, W)`.
pub(super) fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (b, channels, h, w) = x.dims4()?;
    let (_, _, oh, ow) = dy.dims4()?;
    let (height, width) = (h + 2 * p.padding, w + 2 * p.padding);
    let mut dx = Tensor::zeros((b, channels, height, width), x.dtype(), x.device())?;
    for (i, (rows, columns)) in taps(weight, p, (oh, ow))?.enumerate() {
        let share = dy.broadcast_mul(&tap_weight(weight, i)?)?;
        dx = (dx + untap(&share, rows, columns, height, width)?)?;
    }
    unpad(&dx, p.padding, (h, w))
}

/// Returns the gradient with respect to `weight`, `(C, 1, kh, kw)`.
pub(super) fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (_, _, oh, ow) = dy.dims4()?;
    let x = add_frame(x, p.padding)?;
    let mut each = Vec::new();
    for (rows, columns) in taps(weight, p, (oh, ow))? {
        each.push((tap(&x, rows, columns)? * dy)?.to_dtype(DType::F32)?.sum((0, 2, 3))?);
    }
    Tensor::stack(&each, 1)?.reshape(weight.shape())?.to_dtype(weight.dtype())
}

//! Depthwise convolution as a sum over the window's taps, in tensor operations: candle divides such a convolution into one
//! for each channel, and a GPU then waits for hundreds of launches.

use crate::Conv2dParams;
use crate::pad::pad;
use crate::taps::{Axis, tap, unpad, untap};
use candle_core::{DType, Result, Tensor};

/// The places of each tap of the window for an output of `(oh, ow)`, row by row.
fn taps(weight: &Tensor, p: Conv2dParams, (oh, ow): (usize, usize)) -> Result<impl Iterator<Item = (Axis, Axis)>> {
    let (_, _, kh, kw) = weight.dims4()?;
    let axis = move |k: usize, count: usize| Axis { start: k * p.dilation, stride: p.stride, count };
    Ok((0..kh * kw).map(move |i| (axis(i / kw, oh), axis(i % kw, ow))))
}

fn framed(x: &Tensor, padding: usize) -> Result<Tensor> {
    let frame = (padding, padding);
    pad(&pad(x, 2, frame, 0.0)?, 3, frame, 0.0)
}

/// Each tap's weight for every channel, `(1, C, 1, 1)`.
fn weight_of(weight: &Tensor, tap: usize) -> Result<Tensor> {
    weight.flatten_from(1)?.narrow(1, tap, 1)?.reshape((1, (), 1, 1))
}

pub(crate) fn forward(x: &Tensor, weight: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (b, channels, h, w) = x.dims4()?;
    let (_, _, kh, kw) = weight.dims4()?;
    let (oh, ow) = (p.output(h, kh), p.output(w, kw));
    let x = framed(x, p.padding)?;
    // Sums of halves are kept in f32, as on the CPU.
    let mut y = Tensor::zeros((b, channels, oh, ow), DType::F32, x.device())?;
    for (i, (rows, columns)) in taps(weight, p, (oh, ow))?.enumerate() {
        let term = tap(&x, rows, columns)?.to_dtype(DType::F32)?;
        y = (y + term.broadcast_mul(&weight_of(weight, i)?.to_dtype(DType::F32)?)?)?;
    }
    y.to_dtype(x.dtype())
}

pub(crate) fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (b, channels, h, w) = x.dims4()?;
    let (_, _, oh, ow) = dy.dims4()?;
    let (height, width) = (h + 2 * p.padding, w + 2 * p.padding);
    let mut dx = Tensor::zeros((b, channels, height, width), x.dtype(), x.device())?;
    for (i, (rows, columns)) in taps(weight, p, (oh, ow))?.enumerate() {
        let share = dy.broadcast_mul(&weight_of(weight, i)?)?;
        dx = (dx + untap(&share, rows, columns, height, width)?)?;
    }
    unpad(&dx, p.padding, (h, w))
}

pub(crate) fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (_, _, oh, ow) = dy.dims4()?;
    let x = framed(x, p.padding)?;
    let mut each = Vec::new();
    for (rows, columns) in taps(weight, p, (oh, ow))? {
        each.push((tap(&x, rows, columns)? * dy)?.to_dtype(DType::F32)?.sum((0, 2, 3))?);
    }
    Tensor::stack(&each, 1)?.reshape(weight.shape())?.to_dtype(weight.dtype())
}

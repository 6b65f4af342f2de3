//! Matrix products.

use super::elementwise::broadcast_shape;
use super::take;
use candle_core::{D, Result, Tensor};
use hard_imagenet_kernels as kernels;

pub(super) fn linear_parameters(inputs: usize, outputs: usize, bias: bool) -> Vec<Vec<usize>> {
    let mut shapes = vec![vec![outputs, inputs]];
    if bias {
        shapes.push(vec![outputs]);
    }
    shapes
}

pub(super) fn linear_shape(x: &[usize], inputs: usize, outputs: usize) -> std::result::Result<Vec<usize>, String> {
    match x {
        [before @ .., last] if *last == inputs => Ok([before, &[outputs]].concat()),
        _ => Err(format!("a last dimension of {inputs}")),
    }
}

pub(super) fn linear(x: &Tensor, weights: &[&Tensor]) -> Result<Tensor> {
    let [weight] = take(weights)?;
    kernels::linear(x, weight, weights.get(1).copied())
}

pub(super) fn matmul_shape(a: &[usize], b: &[usize], transpose: bool) -> std::result::Result<Vec<usize>, String> {
    let fail = || format!("two values with a matrix product, not {a:?} and {b:?}");
    let ([before, m, k], [before_b, rows, columns]) = (split(a).ok_or_else(fail)?, split(b).ok_or_else(fail)?);
    let (inner, n) = if transpose { (columns, rows) } else { (rows, columns) };
    if k != inner {
        return Err(fail());
    }
    let before = broadcast_shape(before, before_b).map_err(|_| fail())?;
    Ok([before.as_slice(), m, n].concat())
}

/// Splits a shape into the dimensions before the last two, and each of the last two.
fn split(shape: &[usize]) -> Option<[&[usize]; 3]> {
    let at = shape.len().checked_sub(2)?;
    Some([&shape[..at], &shape[at..=at], &shape[at + 1..]])
}

pub(super) fn matmul(a: &Tensor, b: &Tensor, transpose: bool) -> Result<Tensor> {
    let (mut a, mut b) = (batched(a, b)?, batched(b, a)?);
    // On the CPU matrices are multiplied where they lie in memory, whatever their strides.
    let on_cpu = a.device().is_cpu();
    if !on_cpu {
        (a, b) = (a.contiguous()?, b.contiguous()?);
    }
    let b = if transpose { b.t()? } else { b };
    if a.rank() < 5 || on_cpu {
        return kernels::matmul(&a, &b);
    }
    // candle misreads the strides of dimensions of length 1 in tensors of many dimensions.
    let [before, m, n] = [&a.dims()[..a.rank() - 2], &[a.dim(D::Minus2)?], &[b.dim(D::Minus1)?]];
    let flat = |x: &Tensor| x.contiguous()?.flatten_to(x.rank() - 3);
    kernels::matmul(&flat(&a)?, &flat(&b)?)?.reshape([before, m, n].concat())
}

/// Broadcasts the dimensions before the last two to those of another value.
fn batched(x: &Tensor, like: &Tensor) -> Result<Tensor> {
    let (Some([own, rows, columns]), Some([other, ..])) = (split(x.dims()), split(like.dims())) else {
        return Ok(x.clone());
    };
    if own == other {
        return Ok(x.clone());
    }
    let before = broadcast_shape(own, other).map_err(candle_core::Error::Msg)?;
    x.broadcast_as([before.as_slice(), rows, columns].concat())
}

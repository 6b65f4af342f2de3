//! Elementwise operations of two values, which are broadcast as in NumPy.

use candle_core::{Result, Tensor};
use hard_imagenet_kernels::Binary;

/// Returns the function of each pair of elements.
pub(super) fn value(binary: Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let same = a.dims() == b.dims();
    match binary {
        Binary::Add if same => a + b,
        Binary::Add => a.broadcast_add(b),
        Binary::Sub if same => a - b,
        Binary::Sub => a.broadcast_sub(b),
        Binary::Mul if same => a * b,
        Binary::Mul => a.broadcast_mul(b),
        Binary::Div if same => a / b,
        Binary::Div => a.broadcast_div(b),
        Binary::Maximum => a.broadcast_maximum(b),
        Binary::Minimum => a.broadcast_minimum(b),
    }
}

/// Returns the broadcast shape by NumPy's rule: counted from the last dimension, two lengths are equal or one of them is 1.
pub(super) fn broadcast_shape(a: &[usize], b: &[usize]) -> std::result::Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => Err(format!("two shapes that broadcast, not {a:?} and {b:?}")),
        })
        .collect()
}

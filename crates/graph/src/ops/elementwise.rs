//! Operations on each element.

use candle_core::{Result, Tensor};

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x Φ(x), by the error function.
    Gelu,
}

impl Activation {
    pub(super) fn value(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Relu => hard_imagenet_kernels::relu(x),
            Self::Gelu => hard_imagenet_kernels::gelu(x),
        }
    }
}

pub(super) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.dims() == b.dims() { a + b } else { a.broadcast_add(b) }
}

pub(super) fn mul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.dims() == b.dims() { a * b } else { a.broadcast_mul(b) }
}

/// NumPy's rule: from the last dimension on, equal or one of them 1.
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

//! Elementwise operations of two values, which are broadcast as in NumPy.

use candle_core::{Result, Tensor};

/// A function of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
    /// The larger of a and b.
    Maximum,
    /// The smaller of a and b.
    Minimum,
}

impl Binary {
    pub(super) fn value(self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let same = a.dims() == b.dims();
        match self {
            Self::Add if same => a + b,
            Self::Add => a.broadcast_add(b),
            Self::Sub if same => a - b,
            Self::Sub => a.broadcast_sub(b),
            Self::Mul if same => a * b,
            Self::Mul => a.broadcast_mul(b),
            Self::Div if same => a / b,
            Self::Div => a.broadcast_div(b),
            Self::Maximum => a.broadcast_maximum(b),
            Self::Minimum => a.broadcast_minimum(b),
        }
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

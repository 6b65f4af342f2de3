//! The ends of rows that do not fill a vector.

use crate::simd::{LANES, Simd};

/// Loads fewer than sixteen values. The lanes behind them are `fill`.
#[inline(always)]
pub(crate) fn load_tail<S: Simd>(s: S, from: &[f32], fill: f32) -> S::F32 {
    let mut lanes = [fill; LANES];
    lanes[..from.len()].copy_from_slice(from);
    s.load(&lanes)
}

/// Stores the first lanes of a vector, as many as `to` has room for.
#[inline(always)]
pub(crate) fn store_tail<S: Simd>(s: S, x: S::F32, to: &mut [f32]) {
    let mut lanes = [0.0; LANES];
    s.store(x, &mut lanes);
    to.copy_from_slice(&lanes[..to.len()]);
}

/// Writes a function of each value of `x` to `y`, which has the same length.
#[inline(always)]
pub(crate) fn map<S: Simd>(s: S, x: &[f32], y: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    assert_eq!(x.len(), y.len());
    let ((x, x_tail), (y, y_tail)) = (x.as_chunks(), y.as_chunks_mut());
    for (x, y) in x.iter().zip(y) {
        s.store(f(s.load(x)), y);
    }
    if !x_tail.is_empty() {
        store_tail(s, f(load_tail(s, x_tail, 0.0)), y_tail);
    }
}

/// Replaces each value by a function of it.
#[inline(always)]
pub(crate) fn map_in_place<S: Simd>(s: S, values: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    let (values, tail) = values.as_chunks_mut();
    for values in values {
        s.store(f(s.load(values)), values);
    }
    if !tail.is_empty() {
        let y = f(load_tail(s, tail, 0.0));
        store_tail(s, y, tail);
    }
}

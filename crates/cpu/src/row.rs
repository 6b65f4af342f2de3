//! Loops over rows whose length need not be a multiple of sixteen.
//!
//! What does not fill a vector at the end of a row is its tail. The vector that ends with the row, its *last* vector, overlaps
//! with the one before. That is much faster than copying the tail alone, and the values in the overlap are computed twice to
//! the same bits. Only rows with fewer than sixteen values are copied.

use crate::simd::{LANES, Simd};

/// Returns whether a row has a tail.
#[inline(always)]
pub(crate) fn has_tail(row: &[f32]) -> bool {
    !row.len().is_multiple_of(LANES)
}

/// Loads the sixteen values at the end of a row. If there are fewer, the lanes before them are 0.
#[inline(always)]
pub(crate) fn load_last<S: Simd>(s: S, row: &[f32]) -> S::F32 {
    match row.last_chunk() {
        Some(last) => s.load(last),
        None => {
            let mut lanes = [0.0; LANES];
            lanes[LANES - row.len()..].copy_from_slice(row);
            s.load(&lanes)
        }
    }
}

/// Stores the sixteen values at the end of a row. If it has fewer, these are the last lanes.
#[inline(always)]
pub(crate) fn store_last<S: Simd>(s: S, x: S::F32, row: &mut [f32]) {
    match row.last_chunk_mut() {
        Some(last) => s.store(x, last),
        None => {
            let mut lanes = [0.0; LANES];
            s.store(x, &mut lanes);
            row.copy_from_slice(&lanes[LANES - row.len()..]);
        }
    }
}

/// Returns the last vector of a row with `fill` in all lanes before the tail, so that values in the overlap do not count twice.
#[inline(always)]
pub(crate) fn mask_last<S: Simd>(s: S, last: S::F32, row_len: usize, fill: S::F32) -> S::F32 {
    const INDICES: [f32; LANES] =
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
    let first = LANES - row_len % LANES;
    s.select_less(s.load(&INDICES), s.splat(first as f32), fill, last)
}

/// Writes a function of the values at the same places of two slices to `y`. All have the same length.
#[inline(always)]
pub(crate) fn map2<S: Simd>(s: S, a: &[f32], b: &[f32], y: &mut [f32], f: impl Fn(S::F32, S::F32) -> S::F32) {
    assert_eq!((a.len(), b.len()), (y.len(), y.len()));
    for ((a, b), y) in a.as_chunks().0.iter().zip(b.as_chunks().0).zip(y.as_chunks_mut().0) {
        s.store(f(s.load(a), s.load(b)), y);
    }
    if has_tail(a) {
        store_last(s, f(load_last(s, a), load_last(s, b)), y);
    }
}

/// Writes a function of the values at the same places of three slices to `y`. All have the same length.
#[inline(always)]
pub(crate) fn map3<S: Simd>(
    s: S,
    a: &[f32],
    b: &[f32],
    c: &[f32],
    y: &mut [f32],
    f: impl Fn(S::F32, S::F32, S::F32) -> S::F32,
) {
    assert_eq!((a.len(), b.len(), c.len()), (y.len(), y.len(), y.len()));
    let vectors = a.as_chunks().0.iter().zip(b.as_chunks().0).zip(c.as_chunks().0);
    for (((a, b), c), y) in vectors.zip(y.as_chunks_mut().0) {
        s.store(f(s.load(a), s.load(b), s.load(c)), y);
    }
    if has_tail(a) {
        store_last(s, f(load_last(s, a), load_last(s, b), load_last(s, c)), y);
    }
}

/// Replaces each value by a function of it.
#[inline(always)]
pub(crate) fn map_in_place<S: Simd>(s: S, values: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    // The last vector is loaded before the loop changes the overlap.
    let last = has_tail(values).then(
        #[inline(always)]
        || load_last(s, values),
    );
    for values in values.as_chunks_mut().0 {
        s.store(f(s.load(values)), values);
    }
    if let Some(last) = last {
        store_last(s, f(last), values);
    }
}

/// Replaces each of `values` by a function of it and the value at the same place of `b`, which has the same length.
#[inline(always)]
pub(crate) fn map2_in_place<S: Simd>(s: S, values: &mut [f32], b: &[f32], f: impl Fn(S::F32, S::F32) -> S::F32) {
    assert_eq!(values.len(), b.len());
    let last = has_tail(values).then(
        #[inline(always)]
        || load_last(s, values),
    );
    for (a, b) in values.as_chunks_mut().0.iter_mut().zip(b.as_chunks().0) {
        s.store(f(s.load(a), s.load(b)), a);
    }
    if let Some(last) = last {
        store_last(s, f(last, load_last(s, b)), values);
    }
}

/// The number of values that elementwise functions write before they apply an activation to them: few enough to stay in the
/// first-level cache.
pub(crate) const BLOCK: usize = 1024;

/// Returns a row, repeated until it has about [`BLOCK`] values, but at most as many as `most` values need.
pub(crate) fn repeat(row: &[f32], most: usize) -> std::borrow::Cow<'_, [f32]> {
    let times = (BLOCK.min(most) / row.len().max(1)).max(1);
    if times == 1 { row.into() } else { row.repeat(times).into() }
}

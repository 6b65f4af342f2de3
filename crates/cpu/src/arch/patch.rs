//! The transforms of Winograd's F(4 × 4, 3 × 3): patches of inputs before, and tiles of outputs after the products.
//!
//! Both read and store 36 vectors at distances that the compiler does not know. As in the tile kernel, one check covers all
//! of them.

use crate::activation::Bounds;
use crate::simd::{LANES, Simd};

/// The side of a tile of outputs.
pub(crate) const SIDE: usize = 4;
/// The side of the patch of inputs that a tile depends on.
pub(crate) const PATCH: usize = SIDE + 2;

/// The method evaluates polynomials at the points 0, ±P, ±Q and ∞. The customary points 1 and 2 save a few multiplications but
/// more than double the error, because their powers differ more in magnitude. All powers of these points are exact in `f32`.
pub(crate) const P: f32 = 0.75;
/// See [`P`].
pub(crate) const Q: f32 = 1.5;
const P2: f32 = P * P;
const Q2: f32 = Q * Q;

/// A square of vectors in a slice: pixels of an image, or the same place in each of 36 matrices.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Square {
    /// Where the first one starts.
    pub(crate) start: usize,
    /// The distance between rows.
    pub(crate) row: usize,
    /// The distance between neighbors in a row.
    pub(crate) pixel: usize,
}

impl Square {
    /// Returns the same square, further on in the slice.
    #[inline(always)]
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, ..self }
    }

    /// Returns where a vector starts.
    #[inline(always)]
    pub(crate) fn at(self, row: usize, column: usize) -> usize {
        self.start + row * self.row + column * self.pixel
    }

    /// Returns whether `needed` floats follow each of `side` · `side` places in a slice of `len` floats.
    #[inline(always)]
    fn fits(self, side: usize, needed: usize, len: usize) -> bool {
        let last = self.row.checked_add(self.pixel).and_then(|step| step.checked_mul(side - 1));
        let end = last.and_then(|last| last.checked_add(self.start)).and_then(|last| last.checked_add(needed));
        end.is_some_and(|end| end <= len)
    }

    /// Asks the processor to fetch the first `side` rows, from column `first` on. The places need not exist.
    #[inline(always)]
    fn prefetch<S: Simd>(self, s: S, slice: *const f32, side: usize, first: usize) {
        for row in 0..side {
            let row = slice.wrapping_add(self.start).wrapping_add(row.wrapping_mul(self.row));
            for column in first..side {
                s.prefetch(row.wrapping_add(column.wrapping_mul(self.pixel)));
            }
        }
    }
}

/// What is added to the sums of a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Added<'a> {
    /// Nothing.
    Nothing,
    /// What the output holds.
    Output,
    /// Other values.
    Values(&'a [f32], Square),
}

/// Returns `f` of 0 to 5. The calls are written out, because a loop would keep the vectors in memory.
#[inline(always)]
fn six<T>(f: impl Fn(usize) -> T) -> [T; PATCH] {
    [f(0), f(1), f(2), f(3), f(4), f(5)]
}

/// Computes Bᵀ d B for some vectors of channels. d is a patch of `x`, and the 36 results are stored at `to`.
///
/// `next` is the next patch of the same row of tiles. Its last four columns are fetched meanwhile; this patch has the others.
///
/// # Panics
/// Panics if a place lies outside its slice.
#[inline(always)]
#[expect(unsafe_code, reason = "checks of 96 places take several times as long as the transform")]
pub(crate) fn transform_inputs<S: Simd>(
    s: S,
    vectors: usize,
    (x, from, next): (&[f32], Square, Square),
    (v, to): (&mut [f32], Square),
) {
    assert!(from.fits(PATCH, vectors * LANES, x.len()), "the patch of a tile is outside the input");
    assert!(to.fits(PATCH, vectors * LANES, v.len()), "transformed inputs are outside the scratch memory");
    let (p, q, p2, q2, sum, product) =
        (s.splat(P), s.splat(Q), s.splat(P2), s.splat(Q2), s.splat(P2 + Q2), s.splat(P2 * Q2));
    for channel in (0..vectors).map(|vector| vector * LANES) {
        let x = x.as_ptr().wrapping_add(channel);
        next.prefetch(s, x, PATCH, 2);
        let v = v.as_mut_ptr().wrapping_add(channel);
        // SAFETY: the check above covers 6 · 6 vectors at each channel.
        let load = |i: usize, j: usize| s.load(unsafe { &*x.wrapping_add(from.at(i, j)).cast() });
        // Bᵀ d in three parts, of as many rows as stay in registers: rows 1 to 4, which share their inputs, then 0 and 5.
        let middle = six(
            #[inline(always)]
            |j| {
                let (d1, d2, d3, d4) = (load(1, j), load(2, j), load(3, j), load(4, j));
                let (a, b) = (s.neg_mul_add(q2, d2, d4), s.neg_mul_add(q2, d1, d3));
                let (c, e) = (s.neg_mul_add(p2, d2, d4), s.neg_mul_add(p2, d1, d3));
                [s.mul_add(p, b, a), s.neg_mul_add(p, b, a), s.mul_add(q, e, c), s.neg_mul_add(q, e, c)]
            },
        );
        macro_rules! rows {
            ($($i:literal => $row:expr;)*) => {$(
                let d = six(#[inline(always)] $row);
                let (a, b) = (s.neg_mul_add(q2, d[2], d[4]), s.neg_mul_add(q2, d[1], d[3]));
                let (c, e) = (s.neg_mul_add(p2, d[2], d[4]), s.neg_mul_add(p2, d[1], d[3]));
                let row = [
                    s.mul_add(product, d[0], s.neg_mul_add(sum, d[2], d[4])),
                    s.mul_add(p, b, a),
                    s.neg_mul_add(p, b, a),
                    s.mul_add(q, e, c),
                    s.neg_mul_add(q, e, c),
                    s.mul_add(product, d[1], s.neg_mul_add(sum, d[3], d[5])),
                ];
                // SAFETY: the check above covers 6 · 6 vectors at each channel.
                six(#[inline(always)] |j| s.store(row[j], unsafe { &mut *v.wrapping_add(to.at($i, j)).cast() }));
            )*};
        }
        rows! {
            1 => |j| middle[j][0];
            2 => |j| middle[j][1];
            3 => |j| middle[j][2];
            4 => |j| middle[j][3];
            0 => |j| s.mul_add(product, load(0, j), s.neg_mul_add(sum, load(2, j), load(4, j)));
            5 => |j| s.mul_add(product, load(1, j), s.neg_mul_add(sum, load(3, j), load(5, j)));
        }
    }
}

/// Computes added + Aᵀ m A + bias within bounds for some vectors of channels. The 36 vectors of m are in `m`
/// at `from`, and the 16 results are stored in `y` at `to`.
///
/// # Panics
/// Panics if a place lies outside its slice.
#[inline(always)]
#[expect(unsafe_code, reason = "checks of 68 places take several times as long as the transform")]
pub(crate) fn transform_outputs<S: Simd>(
    s: S,
    vectors: usize,
    (m, from): (&[f32], Square),
    added: Added<'_>,
    bias: &[f32],
    bounds: Bounds<S::F32>,
    (y, to, next): (&mut [f32], Square, Square),
) {
    let len = vectors * LANES;
    assert!(from.fits(PATCH, len, m.len()), "sums are outside the scratch memory");
    assert!(to.fits(SIDE, len, y.len()), "a tile is outside the output");
    assert!(bias.len() >= len, "the length of the bias");
    let y = y.as_mut_ptr();
    let (has_added, added, added_at) = match added {
        Added::Nothing => (false, y.cast_const(), to),
        Added::Output => (true, y.cast_const(), to),
        Added::Values(values, at) => {
            assert!(at.fits(SIDE, len, values.len()), "a tile is outside the values that are added");
            (true, values.as_ptr(), at)
        }
    };
    for (channel, bias) in (0..vectors).map(|vector| vector * LANES).zip(bias.as_chunks().0) {
        next.prefetch(s, y.wrapping_add(channel), SIDE, 0);
        let m = m.as_ptr().wrapping_add(channel);
        let bias = s.load(bias);
        // Aᵀ m, 24 vectors, which stay in registers.
        let columns = six(
            #[inline(always)]
            |j| {
                transform_column(
                    s,
                    six(
                        #[inline(always)]
                        // SAFETY: the check above covers 6 · 6 vectors at each channel.
                        |i| s.load(unsafe { &*m.wrapping_add(from.at(i, j)).cast() }),
                    ),
                )
            },
        );
        macro_rules! rows {
            ($($i:literal)*) => {$(
                let mut row = transform_column(s, six(#[inline(always)] |j| columns[j][$i]));
                if has_added {
                    for (j, sum) in row.iter_mut().enumerate() {
                        let place = added.wrapping_add(added_at.at($i, j) + channel);
                        // SAFETY: the checks above cover 4 · 4 vectors at each channel.
                        *sum = s.add(s.load(unsafe { &*place.cast() }), *sum);
                    }
                }
                for (j, sum) in row.into_iter().enumerate() {
                    let sum = bounds.clamp(s, s.add(sum, bias));
                    let place = y.wrapping_add(to.at($i, j) + channel);
                    // SAFETY: as above.
                    s.store(sum, unsafe { &mut *place.cast() });
                }
            )*};
        }
        rows!(0 1 2 3);
    }
}

/// Computes Aᵀ m for a column m.
#[inline(always)]
fn transform_column<S: Simd>(s: S, m: [S::F32; PATCH]) -> [S::F32; SIDE] {
    let (a, b) = (s.add(m[1], m[2]), s.sub(m[1], m[2]));
    let (c, d) = (s.add(m[3], m[4]), s.sub(m[3], m[4]));
    [
        s.add(s.add(m[0], a), c),
        s.mul_add(s.splat(P), b, s.mul(s.splat(Q), d)),
        s.mul_add(s.splat(P2), a, s.mul(s.splat(Q2), c)),
        s.mul_add(s.splat(P * P2), b, s.mul_add(s.splat(Q * Q2), d, m[5])),
    ]
}

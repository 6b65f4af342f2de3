//! The inner loop of depthwise convolution: one row of a window.
//!
//! Neighboring windows share most of their inputs. So each input of a row is loaded once, and its products are added to the sums
//! of all windows that contain it. The sums stay in registers for the whole window.

use crate::simd::{LANES, Simd};

/// The number of neighboring outputs that are computed at once. Seven divides the sides of ImageNet's values (112, 56, 28, 14,
/// 7), so that no sums are wasted.
pub(crate) const OUTPUTS: usize = 7;

/// Evaluates a block of code once for each of some numbers that is below a limit, with the number as a constant. A loop over
/// sums would keep them in memory.
macro_rules! unroll {
    ($i:ident < $limit:expr, $($n:literal)* => $body:block) => {{
        $({
            const $i: usize = $n;
            if $i < $limit { $body }
        })*
    }};
}
pub(crate) use unroll;

/// The inputs of one row of a window: a row of an image, seen by a few vectors of channels.
#[derive(Clone, Copy)]
pub(crate) struct ImageRow<'a, const VECTORS: usize> {
    /// The slice that the row lies in.
    pub(crate) x: &'a [f32],
    /// Where the channels of the first pixel start, for each vector.
    pub(crate) starts: [usize; VECTORS],
    /// The distance between neighboring pixels.
    pub(crate) pixel: usize,
    /// The number of pixels.
    pub(crate) width: usize,
    /// The column that the first tap of the first output reads. Columns left of the image wrap around below 0.
    pub(crate) left: usize,
}

/// The sums of neighboring outputs.
pub(crate) type Sums<S, const VECTORS: usize> = [[<S as Simd>::F32; VECTORS]; OUTPUTS];

/// A way to add the products of one row of taps to the sums of neighboring outputs.
pub(crate) trait AddRow: Copy {
    /// Adds the products. `weights` has one vector for each tap.
    ///
    /// Taps outside the image are left out. Each sum takes its taps from left to right, with one rounding each.
    ///
    /// # Panics
    /// Panics if an input is not inside its slice or a weight is missing.
    fn add<S: Simd, const VECTORS: usize>(
        self,
        s: S,
        row: ImageRow<'_, VECTORS>,
        weights: [&[[f32; LANES]]; VECTORS],
        sums: &mut Sums<S, VECTORS>,
    );
}

/// `WIDTH` neighboring taps, and outputs that are `STRIDE` pixels apart.
#[derive(Clone, Copy)]
pub(crate) struct Taps<const WIDTH: usize, const STRIDE: usize>;

impl<const WIDTH: usize, const STRIDE: usize> AddRow for Taps<WIDTH, STRIDE> {
    #[inline(always)]
    #[expect(unsafe_code, reason = "a check of each input would take longer than its products")]
    fn add<S: Simd, const VECTORS: usize>(
        self,
        s: S,
        row: ImageRow<'_, VECTORS>,
        weights: [&[[f32; LANES]]; VECTORS],
        sums: &mut Sums<S, VECTORS>,
    ) {
        const { assert!(VECTORS <= 2 && (OUTPUTS - 1) * STRIDE + WIDTH <= 19) };
        let zero = s.splat(0.0);
        // The weights stay in registers for all outputs, or are operands in memory where there are too few.
        let mut taps = [[zero; VECTORS]; WIDTH];
        let mut inputs = [row.x.as_ptr(); VECTORS];
        let before = row.left.wrapping_mul(row.pixel);
        unroll!(V < VECTORS, 0 1 => {
            let columns = row.width.saturating_sub(1).saturating_mul(row.pixel);
            let end = row.starts[V].saturating_add(columns).saturating_add(LANES);
            assert!(end <= row.x.len(), "a row outside the input");
            let weights: &[[f32; LANES]; WIDTH] = weights[V].first_chunk().expect("a weight for each tap");
            unroll!(X < WIDTH, 0 1 2 3 4 5 6 => { taps[X][V] = s.load(&weights[X]); });
            inputs[V] = row.x.as_ptr().wrapping_add(row.starts[V].wrapping_add(before));
        });
        unroll!(J < (OUTPUTS - 1) * STRIDE + WIDTH, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 => {
            if row.left.wrapping_add(J) < row.width {
                unroll!(V < VECTORS, 0 1 => {
                    // SAFETY: column `left + J` is inside the row, and the check above has shown that the last column and the
                    // sixteen floats from there are inside the slice.
                    let x = s.load(unsafe { &*inputs[V].cast() });
                    unroll!(I < OUTPUTS, 0 1 2 3 4 5 6 => {
                        if (I * STRIDE..I * STRIDE + WIDTH).contains(&J) {
                            sums[I][V] = s.mul_add(x, taps[(J - I * STRIDE) % WIDTH][V], sums[I][V]);
                        }
                    });
                });
            }
            unroll!(V < VECTORS, 0 1 => { inputs[V] = inputs[V].wrapping_add(row.pixel); });
        });
    }
}

//! A vector of sixteen floats is one register.
#![expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]

use super::Avx512;
use crate::arch::tile::{Single, Tile, compute_tile};
use crate::simd::{LANES, Simd};
use std::arch::x86_64::*;

/// Calls an intrinsic.
macro_rules! avx512 {
    ($call:expr) => {
        // SAFETY: `self` exists only where `Avx512::detect` found AVX-512 F and DQ, which these intrinsics need. Loads and
        // stores go through references to sixteen floats, and need no alignment.
        unsafe { $call }
    };
}

impl Simd for Avx512 {
    type F32 = __m512;

    // 2 · 7 · 2 = 28 sums, 2 registers of weights and 1 of inputs are 31 of 32. Seven divides the sides of ImageNet's values
    // (112, 56, 28, 14, 7), so that tiles are full.
    const STRIP: usize = 7;
    const STRIPS: usize = 2;
    const VECTORS: usize = 2;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        Avx512::run(self, f)
    }

    #[inline]
    fn tile(self, tile: Tile<'_>, narrow: bool) {
        if narrow {
            compute_tile!(self, Single, tile, 1; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
        } else {
            compute_tile!(self, Single, tile, 2; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
        }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        avx512!(_mm512_set1_ps(x))
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> __m512 {
        avx512!(_mm512_loadu_ps(from.as_ptr()))
    }

    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32; LANES]) {
        avx512!(_mm512_storeu_ps(to.as_mut_ptr(), x))
    }

    #[inline(always)]
    fn prefetch(self, place: *const f32) {
        // A prefetch never faults, wherever it points.
        avx512!(_mm_prefetch::<_MM_HINT_T0>(place.cast()))
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, x: __m512) -> __m512 {
        avx512!(_mm512_sqrt_ps(x))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(_mm512_fnmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn abs(self, x: __m512) -> __m512 {
        avx512!(_mm512_abs_ps(x))
    }

    #[inline(always)]
    fn select_less(self, a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
        avx512!(_mm512_mask_mov_ps(otherwise, _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), then))
    }

    #[inline(always)]
    fn round(self, x: __m512) -> __m512 {
        avx512!(_mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x))
    }

    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        avx512!({
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }
}

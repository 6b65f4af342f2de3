//! A vector of sixteen floats is two registers.
#![expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]

use super::Avx2;
use crate::arch::tile::{Single, Tile, compute_tile};
use crate::simd::{LANES, Simd};
use std::arch::x86_64::*;

/// Calls intrinsics for both halves of a vector.
macro_rules! avx2 {
    ([$a:expr, $b:expr]) => {
        // SAFETY: `self` exists only where `Avx2::detect` found AVX2 and FMA, which these intrinsics need. Loads and stores
        // go through references to sixteen floats, and need no alignment.
        unsafe { [$a, $b] }
    };
    ($call:expr) => {
        // SAFETY: as above.
        unsafe { $call }
    };
}

impl Simd for Avx2 {
    type F32 = [__m256; 2];

    // 6 · 1 · 2 = 12 sums, 2 registers of weights and 2 of inputs are all 16.
    const STRIP: usize = 1;
    const STRIPS: usize = 6;
    const VECTORS: usize = 1;

    #[inline(always)]
    fn run<R>(self, f: impl FnOnce() -> R) -> R {
        Avx2::run(self, f)
    }

    #[inline]
    fn tile(self, tile: Tile<'_>, narrow: bool) {
        let _ = narrow;
        compute_tile!(self, Single, tile, 1; 1 2 3 4 5 6)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        avx2!([_mm256_set1_ps(x), _mm256_set1_ps(x)])
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::F32 {
        avx2!([_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))])
    }

    #[inline(always)]
    fn store(self, x: Self::F32, to: &mut [f32; LANES]) {
        avx2!({
            _mm256_storeu_ps(to.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), x[1]);
        })
    }

    #[inline(always)]
    fn prefetch(self, place: *const f32) {
        // A prefetch never faults, wherever it points.
        avx2!(_mm_prefetch::<_MM_HINT_T0>(place.cast()))
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        avx2!([_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        avx2!([_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        avx2!([_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        avx2!([_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn sqrt(self, x: Self::F32) -> Self::F32 {
        avx2!([_mm256_sqrt_ps(x[0]), _mm256_sqrt_ps(x[1])])
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        avx2!([_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])])
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        avx2!([_mm256_fnmadd_ps(a[0], b[0], c[0]), _mm256_fnmadd_ps(a[1], b[1], c[1])])
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        avx2!([_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        avx2!([_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn abs(self, x: Self::F32) -> Self::F32 {
        avx2!({
            let sign = _mm256_set1_ps(-0.0);
            [_mm256_andnot_ps(sign, x[0]), _mm256_andnot_ps(sign, x[1])]
        })
    }

    #[inline(always)]
    fn select_less(self, a: Self::F32, b: Self::F32, then: Self::F32, otherwise: Self::F32) -> Self::F32 {
        avx2!([
            _mm256_blendv_ps(otherwise[0], then[0], _mm256_cmp_ps::<_CMP_LT_OQ>(a[0], b[0])),
            _mm256_blendv_ps(otherwise[1], then[1], _mm256_cmp_ps::<_CMP_LT_OQ>(a[1], b[1]))
        ])
    }

    #[inline(always)]
    fn round(self, x: Self::F32) -> Self::F32 {
        const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        avx2!([_mm256_round_ps::<NEAREST>(x[0]), _mm256_round_ps::<NEAREST>(x[1])])
    }

    #[inline(always)]
    fn power_of_two(self, n: Self::F32) -> Self::F32 {
        avx2!({
            // No `map` over the halves: its closure is not inlined, and then both halves go through memory.
            let bias = _mm256_set1_epi32(127);
            let low = _mm256_add_epi32(_mm256_cvtps_epi32(n[0]), bias);
            let high = _mm256_add_epi32(_mm256_cvtps_epi32(n[1]), bias);
            [_mm256_castsi256_ps(_mm256_slli_epi32::<23>(low)), _mm256_castsi256_ps(_mm256_slli_epi32::<23>(high))]
        })
    }
}

//! Products of pairs of bf16 numbers.
#![expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]

use super::Avx512;
use crate::arch::pairs::PairTiles;
use crate::arch::tile::{Multiply, Tile, compute_tile};
use crate::bf16::to_bf16;
use crate::simd::LANES;
use std::arch::x86_64::*;

/// Proof that the processor has AVX-512 BF16 besides [`Avx512`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512Bf16(Avx512);

impl Avx512Bf16 {
    /// Returns the proof if the processor also has these instructions.
    pub fn detect(avx512: Avx512) -> Option<Self> {
        is_x86_feature_detected!("avx512bf16").then_some(Self(avx512))
    }

    /// Returns the proof that the processor also has AVX-512.
    pub fn avx512(self) -> Avx512 {
        self.0
    }

    /// Runs `f` compiled for this instruction set. `f` must be inlined to profit.
    #[inline]
    pub(crate) fn run<R>(self, f: impl FnOnce() -> R) -> R {
        // SAFETY: only `detect` creates `self`, and it checks AVX-512 BF16 besides what `Avx512` proves.
        unsafe { call(f) }
    }
}

impl PairTiles<Avx512> for Avx512Bf16 {
    #[inline]
    fn tile(self, s: Avx512, tile: Tile<'_, u16>, narrow: bool) {
        if narrow {
            compute_tile!(s, self, tile, 1; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
        } else {
            compute_tile!(s, self, tile, 2; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
        }
    }

    #[inline(always)]
    fn round(self, x: &[f32], to: &mut [u16]) {
        let (vectors, rest) = x.as_chunks::<{ 2 * LANES }>();
        let (to_vectors, to_rest) = to.as_chunks_mut::<{ 2 * LANES }>();
        for (x, to) in vectors.iter().zip(to_vectors) {
            // SAFETY: `self` proves that the processor has the instructions. Loads and stores need no alignment.
            unsafe {
                let (low, high) = (_mm512_loadu_ps(x.as_ptr()), _mm512_loadu_ps(x.as_ptr().add(LANES)));
                to.as_mut_ptr().cast::<__m512bh>().write_unaligned(_mm512_cvtne2ps_pbh(high, low));
            }
        }
        for (x, to) in rest.iter().zip(to_rest) {
            *to = to_bf16(*x);
        }
    }
}

#[inline]
#[target_feature(
    enable = "avx512bf16,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,f16c,fma,lzcnt,popcnt"
)]
fn call<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// One instruction multiplies a pair: it adds the product of the odd tap, rounds, adds the product of the even tap, and rounds.
impl Multiply<Avx512> for Avx512Bf16 {
    type Number = u16;
    type Vector = __m512i;
    const TAPS: usize = 2;

    #[inline(always)]
    fn run<R>(self, _: Avx512, f: impl FnOnce() -> R) -> R {
        Avx512Bf16::run(self, f)
    }

    #[inline(always)]
    unsafe fn load(self, _: Avx512, from: *const u16) -> __m512i {
        // SAFETY: sixteen pairs follow, says the caller.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn splat(self, _: Avx512, from: *const u16) -> __m512i {
        // SAFETY: a pair follows, says the caller.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn splat_one(self, _: Avx512, from: *const u16) -> __m512i {
        // SAFETY: one number follows, says the caller.
        unsafe { _mm512_set1_epi32(i32::from(*from)) }
    }

    #[inline(always)]
    fn mul_add(self, _: Avx512, x: __m512i, weights: __m512i, sums: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has the instruction. Both types of pairs are 512 bits wide.
        unsafe {
            let [x, weights] = std::mem::transmute::<[__m512i; 2], [__m512bh; 2]>([x, weights]);
            _mm512_dpbf16_ps(sums, weights, x)
        }
    }
}

//! Products of pairs of bf16 numbers on instruction sets that lack them.

#[cfg(target_arch = "x86_64")]
use super::Avx2;
use super::Portable;
use super::tile::{Multiply, Tile, compute_tile};
use crate::bf16::{from_bf16, to_bf16};
use crate::simd::{LANES, Simd};

/// Multiplies pairs of bf16 numbers as AVX-512 BF16 does, with two fused multiply-adds in `f32`.
#[derive(Clone, Copy)]
pub(crate) struct Pairs;

/// How products in bf16 are computed with the vectors of an instruction set.
pub(crate) trait PairTiles<S: Simd>: Copy {
    /// Computes a tile, one vector of channels wide if `narrow`.
    fn tile(self, s: S, tile: Tile<'_, u16>, narrow: bool);

    /// Rounds numbers to bf16. Both slices have the same length.
    #[inline(always)]
    fn round(self, x: &[f32], to: &mut [u16]) {
        for (x, to) in x.iter().zip(to) {
            *to = to_bf16(*x);
        }
    }
}

impl PairTiles<Portable> for Pairs {
    #[inline]
    fn tile(self, s: Portable, tile: Tile<'_, u16>, _: bool) {
        compute_tile!(s, self, tile, 1; 1 2 3 4)
    }
}

#[cfg(target_arch = "x86_64")]
impl PairTiles<Avx2> for Pairs {
    #[inline]
    fn tile(self, s: Avx2, tile: Tile<'_, u16>, _: bool) {
        compute_tile!(s, self, tile, 1; 1 2 3 4 5 6)
    }
}

/// Returns the values of a pair of bf16 numbers in memory.
#[inline(always)]
fn split(pair: u32) -> [f32; 2] {
    let (lower, upper) = (f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000));
    if cfg!(target_endian = "big") { [upper, lower] } else { [lower, upper] }
}

#[expect(unsafe_code, reason = "the caller has checked the places")]
impl<S: Simd> Multiply<S> for Pairs {
    type Number = u16;
    /// The even and the odd numbers of the pairs.
    type Vector = [S::F32; 2];
    const TAPS: usize = 2;

    #[inline(always)]
    fn run<R>(self, s: S, f: impl FnOnce() -> R) -> R {
        s.run(f)
    }

    #[inline(always)]
    unsafe fn load(self, s: S, from: *const u16) -> [S::F32; 2] {
        // Shifts and masks of whole pairs become vector instructions.
        // SAFETY: sixteen pairs follow, says the caller.
        let pairs: [u32; LANES] = unsafe { from.cast::<[u32; LANES]>().read_unaligned() };
        let (mut even, mut odd) = ([0.0; LANES], [0.0; LANES]);
        for (i, pair) in pairs.into_iter().enumerate() {
            [even[i], odd[i]] = split(pair);
        }
        [s.load(&even), s.load(&odd)]
    }

    #[inline(always)]
    unsafe fn splat(self, s: S, from: *const u16) -> [S::F32; 2] {
        // SAFETY: a pair follows, says the caller.
        let [even, odd] = split(unsafe { from.cast::<u32>().read_unaligned() });
        [s.splat(even), s.splat(odd)]
    }

    #[inline(always)]
    unsafe fn splat_one(self, s: S, from: *const u16) -> [S::F32; 2] {
        // SAFETY: one number follows, says the caller.
        [s.splat(from_bf16(unsafe { *from })), s.splat(0.0)]
    }

    #[inline(always)]
    fn mul_add(self, s: S, x: [S::F32; 2], weights: [S::F32; 2], sums: S::F32) -> S::F32 {
        s.mul_add(x[0], weights[0], s.mul_add(x[1], weights[1], sums))
    }
}

//! The Box-Muller transform of `random::normal`, on eight pairs at a time in AVX2.
//!
//! The compiler's own vector code takes half as long again. It needs more shuffles to separate the halves of a hash, and
//! it emits one long loop. In such a loop each vector passes through all steps in one dependent chain, and the processor,
//! which looks ahead a few hundred instructions, sees only two vectors at once and waits for results. Here a block of
//! vectors passes through one short step after the other, so that there is always independent work.
//!
//! Every operation equals its scalar counterpart in `random::normal` bit for bit; nothing is fused.

use crate::random::normal::{ARTANH, COSINE, ROOT_HALF, SINE};
use crate::random::{GAMMA, MULTIPLIERS, Stream};
use bytemuck::cast;
use std::arch::x86_64::*;
use std::f32::consts::{FRAC_PI_2, LN_2};

/// The number of vectors of eight pairs in a block. The arrays below then fill about half of the first-level cache.
const VECTORS: usize = 16;

/// The number of elements in a block.
pub(crate) const BLOCK: usize = 16 * VECTORS;

/// Writes the standard normals from pair `pair` on into the whole blocks of `values`, advances `pair` past them, and
/// returns how many elements it wrote.
#[target_feature(enable = "avx2")]
pub(super) fn fill_blocks(stream: Stream, pair: &mut u64, values: &mut [f32]) -> usize {
    let blocks = values.as_chunks_mut::<BLOCK>().0;
    // The states of four consecutive hashes, one step ahead because SplitMix64 adds before it mixes.
    let first = stream.state(*pair);
    let mut state = cast::<[u64; 4], __m256i>([1, 2, 3, 4].map(|n| first.wrapping_add(GAMMA.wrapping_mul(n))));
    *pair += (blocks.len() * BLOCK / 2) as u64;
    let written = blocks.len() * BLOCK;
    let (mut high, mut low) = ([_mm256_setzero_si256(); VECTORS], [_mm256_setzero_si256(); VECTORS]);
    let (mut log, mut ratio) = ([_mm256_setzero_ps(); VECTORS], [_mm256_setzero_ps(); VECTORS]);
    let (mut angle, mut cosine) = ([_mm256_setzero_ps(); VECTORS], [_mm256_setzero_ps(); VECTORS]);
    // One block at a time: its arrays stay in the first-level cache from step to step.
    for block in blocks {
        // Within a step the vectors are independent of each other, so their latencies overlap.
        for i in 0..VECTORS {
            (high[i], low[i]) = halves(hash(&mut state), hash(&mut state));
        }
        for i in 0..VECTORS {
            (log[i], ratio[i]) = exponent_and_ratio(high[i]);
        }
        for i in 0..VECTORS {
            log[i] = minus_two_ln(log[i], ratio[i]);
        }
        for i in 0..VECTORS {
            angle[i] = from_the_middle(low[i]);
        }
        for i in 0..VECTORS {
            cosine[i] = cos(angle[i]);
        }
        for angle in &mut angle {
            *angle = sin(*angle);
        }
        for (i, values) in block.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            *values = pairs(_mm256_sqrt_ps(log[i]), low[i], angle[i], cosine[i]);
        }
    }
    written
}

/// Returns SplitMix64's outputs for four states and advances each by four steps.
#[inline]
#[target_feature(enable = "avx2")]
fn hash(state: &mut __m256i) -> __m256i {
    let x = *state;
    *state = _mm256_add_epi64(x, _mm256_set1_epi64x(GAMMA.wrapping_mul(4) as i64));
    let x = multiply(_mm256_xor_si256(x, _mm256_srli_epi64::<30>(x)), MULTIPLIERS[0]);
    let x = multiply(_mm256_xor_si256(x, _mm256_srli_epi64::<27>(x)), MULTIPLIERS[1]);
    _mm256_xor_si256(x, _mm256_srli_epi64::<31>(x))
}

/// Returns the products modulo 2⁶⁴, put together from 32-bit products because AVX2 has no 64-bit multiplication.
#[inline]
#[target_feature(enable = "avx2")]
fn multiply(x: __m256i, by: u64) -> __m256i {
    let low = _mm256_mul_epu32(x, _mm256_set1_epi64x(by as i64));
    let crossed = _mm256_mullo_epi32(x, _mm256_set1_epi64x(by.rotate_left(32) as i64));
    let upper = _mm256_and_si256(crossed, _mm256_set1_epi64x(-1 << 32));
    _mm256_add_epi64(low, _mm256_add_epi64(_mm256_slli_epi64::<32>(crossed), upper))
}

/// Returns the upper and the lower halves of eight hashes. They come in the order 0, 1, 4, 5, 2, 3, 6, 7, which takes
/// a single shuffle; the unpacking in [`pairs`] restores the order.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(first: __m256i, second: __m256i) -> (__m256i, __m256i) {
    let (first, second) = (_mm256_castsi256_ps(first), _mm256_castsi256_ps(second));
    let high = _mm256_shuffle_ps::<0b11_01_11_01>(first, second);
    let low = _mm256_shuffle_ps::<0b10_00_10_00>(first, second);
    (_mm256_castps_si256(high), _mm256_castps_si256(low))
}

/// Returns e ln 2 and (m - 1)/(m + 1) for the uniform number m 2^e in (0, 1].
#[inline]
#[target_feature(enable = "avx2")]
fn exponent_and_ratio(high: __m256i) -> (__m256, __m256) {
    let whole = _mm256_cvtepi32_ps(_mm256_srli_epi32::<1>(high));
    let uniform = _mm256_mul_ps(_mm256_add_ps(whole, all(0.5)), all(1.0 / 2_147_483_648.0));
    let bits = _mm256_castps_si256(uniform);
    let exponent = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, _mm256_set1_epi32(ROOT_HALF)));
    let m = _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent)));
    let ratio = _mm256_div_ps(_mm256_sub_ps(m, all(1.0)), _mm256_add_ps(m, all(1.0)));
    (_mm256_mul_ps(_mm256_cvtepi32_ps(exponent), all(LN_2)), ratio)
}

/// Returns -2 ln(m 2^e) from the results of [`exponent_and_ratio`].
#[inline]
#[target_feature(enable = "avx2")]
fn minus_two_ln(exponent: __m256, ratio: __m256) -> __m256 {
    let z = _mm256_mul_ps(ratio, ratio);
    let series = polynomial(z, ARTANH);
    let series = _mm256_mul_ps(series, ratio);
    _mm256_mul_ps(all(-2.0), _mm256_add_ps(exponent, _mm256_add_ps(series, series)))
}

/// Returns the angle, measured from the middle of its quarter of the circle.
#[inline]
#[target_feature(enable = "avx2")]
fn from_the_middle(low: __m256i) -> __m256 {
    let whole = _mm256_and_si256(low, _mm256_set1_epi32(0x3fff_ffff));
    let whole = _mm256_sub_epi32(whole, _mm256_set1_epi32(0x2000_0000));
    _mm256_mul_ps(_mm256_cvtepi32_ps(whole), all(FRAC_PI_2 / 1_073_741_824.0))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sin(x: __m256) -> __m256 {
    let z = _mm256_mul_ps(x, x);
    let series = _mm256_mul_ps(polynomial(z, SINE), z);
    _mm256_add_ps(_mm256_mul_ps(series, x), x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn cos(x: __m256) -> __m256 {
    polynomial(_mm256_mul_ps(x, x), COSINE)
}

/// Evaluates a polynomial by Horner's rule; the first coefficient belongs to the highest power.
#[inline]
#[target_feature(enable = "avx2")]
fn polynomial<const N: usize>(x: __m256, coefficients: [f32; N]) -> __m256 {
    let mut sum = all(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = _mm256_add_ps(_mm256_mul_ps(sum, x), all(coefficient));
    }
    sum
}

/// Returns both normals of each of eight pairs, in their order.
#[inline]
#[target_feature(enable = "avx2")]
fn pairs(radius: __m256, low: __m256i, sine: __m256, cosine: __m256) -> [f32; 16] {
    let sign = _mm256_set1_epi32(i32::MIN);
    let exchange = _mm256_castsi256_ps(_mm256_slli_epi32::<1>(low)); // the sign bit is set in odd quarters
    let next = _mm256_add_epi32(low, _mm256_set1_epi32(0x4000_0000)); // the quarter after this one
    let x_sign = _mm256_castsi256_ps(_mm256_and_si256(next, sign));
    let y_sign = _mm256_castsi256_ps(_mm256_and_si256(low, sign));
    let x = _mm256_xor_ps(_mm256_blendv_ps(cosine, sine, exchange), x_sign);
    let y = _mm256_xor_ps(_mm256_blendv_ps(sine, cosine, exchange), y_sign);
    let (x, y) = (_mm256_mul_ps(radius, x), _mm256_mul_ps(radius, y));
    cast([_mm256_unpacklo_ps(x, y), _mm256_unpackhi_ps(x, y)])
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(value: f32) -> __m256 {
    _mm256_set1_ps(value)
}

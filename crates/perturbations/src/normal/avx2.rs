//! The operations of [`super::box_muller`] on eight pairs at a time, in AVX2.
//!
//! The compiler's own vectors take half as long again: it shuffles more to part the halves of a hash, and makes one loop of
//! what is better done in several. A processor looks ahead some hundred instructions. That is only a pair of vectors if each
//! goes through all steps in one chain, and then it waits for results; so a block goes through one short step after the
//! other.

use crate::NoiseKey;
use crate::key::STEP;
use bytemuck::cast;
use std::arch::x86_64::*;
use std::f32::consts::{FRAC_PI_2, LN_2};

/// Vectors of eight pairs in a block.
const VECTORS: usize = 16;

/// Elements of a block.
pub(super) const BLOCK: usize = 16 * VECTORS;

/// Writes whole blocks of the elements from the pair on, and returns what is left.
#[target_feature(enable = "avx2")]
pub(super) fn draw<'a>(key: NoiseKey, pair: &mut u64, values: &'a mut [f32]) -> &'a mut [f32] {
    let (blocks, rest) = values.as_chunks_mut::<BLOCK>();
    let first = key.0.wrapping_add(pair.wrapping_mul(STEP));
    *pair += (blocks.len() * BLOCK / 2) as u64;
    let mut state = cast::<[u64; 4], __m256i>([1, 2, 3, 4].map(|n| first.wrapping_add(STEP.wrapping_mul(n))));
    let (mut high, mut low) = ([_mm256_setzero_si256(); VECTORS], [_mm256_setzero_si256(); VECTORS]);
    let (mut log, mut ratio) = ([_mm256_setzero_ps(); VECTORS], [_mm256_setzero_ps(); VECTORS]);
    let (mut angle, mut cosine) = ([_mm256_setzero_ps(); VECTORS], [_mm256_setzero_ps(); VECTORS]);
    for block in blocks {
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
    rest
}

/// SplitMix64 of four states, which step by four.
#[inline]
#[target_feature(enable = "avx2")]
fn hash(state: &mut __m256i) -> __m256i {
    let x = *state;
    *state = _mm256_add_epi64(x, _mm256_set1_epi64x(STEP.wrapping_mul(4) as i64));
    let x = multiply(_mm256_xor_si256(x, _mm256_srli_epi64::<30>(x)), 0xbf58_476d_1ce4_e5b9);
    let x = multiply(_mm256_xor_si256(x, _mm256_srli_epi64::<27>(x)), 0x94d0_49bb_1331_11eb);
    _mm256_xor_si256(x, _mm256_srli_epi64::<31>(x))
}

/// The product modulo 2⁶⁴, from products of halves.
#[inline]
#[target_feature(enable = "avx2")]
fn multiply(x: __m256i, by: u64) -> __m256i {
    let low = _mm256_mul_epu32(x, _mm256_set1_epi64x(by as i64));
    let crossed = _mm256_mullo_epi32(x, _mm256_set1_epi64x(by.rotate_left(32) as i64));
    let upper = _mm256_and_si256(crossed, _mm256_set1_epi64x(-1 << 32));
    _mm256_add_epi64(low, _mm256_add_epi64(_mm256_slli_epi64::<32>(crossed), upper))
}

/// The upper and the lower halves of eight hashes, in the order 0, 1, 4, 5, 2, 3, 6, 7 that costs one shuffle;
/// [`pairs`] is its end.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(first: __m256i, second: __m256i) -> (__m256i, __m256i) {
    let (first, second) = (_mm256_castsi256_ps(first), _mm256_castsi256_ps(second));
    let high = _mm256_shuffle_ps::<0b11_01_11_01>(first, second);
    let low = _mm256_shuffle_ps::<0b10_00_10_00>(first, second);
    (_mm256_castps_si256(high), _mm256_castps_si256(low))
}

/// For the uniform m 2^e: e ln 2, and (m - 1)/(m + 1).
#[inline]
#[target_feature(enable = "avx2")]
fn exponent_and_ratio(high: __m256i) -> (__m256, __m256) {
    let whole = _mm256_cvtepi32_ps(_mm256_srli_epi32::<1>(high));
    let uniform = _mm256_mul_ps(_mm256_add_ps(whole, all(0.5)), all(1.0 / 2_147_483_648.0));
    let bits = _mm256_castps_si256(uniform);
    let exponent = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, _mm256_set1_epi32(super::ROOT_HALF)));
    let m = _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent)));
    let ratio = _mm256_div_ps(_mm256_sub_ps(m, all(1.0)), _mm256_add_ps(m, all(1.0)));
    (_mm256_mul_ps(_mm256_cvtepi32_ps(exponent), all(LN_2)), ratio)
}

#[inline]
#[target_feature(enable = "avx2")]
fn minus_two_ln(exponent: __m256, ratio: __m256) -> __m256 {
    let z = _mm256_mul_ps(ratio, ratio);
    let series = polynomial(z, super::ARTANH);
    let series = _mm256_mul_ps(series, ratio);
    _mm256_mul_ps(all(-2.0), _mm256_add_ps(exponent, _mm256_add_ps(series, series)))
}

/// The angle from the middle of its quarter.
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
    let series = _mm256_mul_ps(polynomial(z, super::SINE), z);
    _mm256_add_ps(_mm256_mul_ps(series, x), x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn cos(x: __m256) -> __m256 {
    polynomial(_mm256_mul_ps(x, x), super::COSINE)
}

/// The first coefficient is that of the highest power.
#[inline]
#[target_feature(enable = "avx2")]
fn polynomial<const N: usize>(x: __m256, coefficients: [f32; N]) -> __m256 {
    let mut sum = all(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = _mm256_add_ps(_mm256_mul_ps(sum, x), all(coefficient));
    }
    sum
}

/// Both normals of each pair, in their order.
#[inline]
#[target_feature(enable = "avx2")]
fn pairs(radius: __m256, low: __m256i, sine: __m256, cosine: __m256) -> [f32; 16] {
    let sign = _mm256_set1_epi32(i32::MIN);
    let exchange = _mm256_castsi256_ps(_mm256_slli_epi32::<1>(low)); // odd quarters, as a sign
    let next = _mm256_add_epi32(low, _mm256_set1_epi32(0x4000_0000)); // the next quarter
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

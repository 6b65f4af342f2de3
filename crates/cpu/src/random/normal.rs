//! Standard normals as functions of a stream and an index.
//!
//! Two consecutive elements share one 64-bit output of the stream, whose halves feed a Box-Muller transform. The transform
//! uses only operations that IEEE 754 defines exactly: addition, subtraction, multiplication, division, square root and
//! conversion from integers, all in f32 and never fused. The logarithm, sine and cosine are polynomials written out
//! here. So the bits are the same on every device that does not contract a × b + c.

use super::Stream;
use crate::Isa;

/// Returns the standard normal at `index`.
pub fn normal(stream: Stream, index: u64) -> f32 {
    let (high, low) = halves(stream.at(index / 2));
    let (even, odd) = box_muller(high, low);
    if index.is_multiple_of(2) { even } else { odd }
}

/// Returns the standard normals at the indices `0..count`.
pub fn normals(stream: Stream, count: usize) -> Vec<f32> {
    let mut values = vec![0f32; count];
    fill_normals(stream, 0, &mut values);
    values
}

/// Writes the standard normals at the indices from `first` on into `values`. Each equals [`normal`] of its index, bit for
/// bit.
pub fn fill_normals(stream: Stream, first: usize, values: &mut [f32]) {
    fill_normals_on(Isa::best(), stream, first, values);
}

/// [`fill_normals`] on a chosen instruction set.
fn fill_normals_on(isa: Isa, stream: Stream, first: usize, values: &mut [f32]) {
    // An odd first index is the second element of a pair.
    let (second, values) = values.split_at_mut((first % 2).min(values.len()));
    second.iter_mut().for_each(|value| *value = normal(stream, first as u64));
    let mut pair = first.div_ceil(2) as u64;
    let written = match isa {
        Isa::Portable => 0,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(avx2) => avx2.normals(stream, &mut pair, values),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(avx512) => avx512.avx2().normals(stream, &mut pair, values),
    };
    let rest = &mut values[written..];
    isa.run(
        #[inline(always)]
        || fill_pairs(stream, pair, rest),
    );
}

/// Writes the pairs from `pair` on. Of the last pair perhaps only the first element fits.
#[inline(always)]
fn fill_pairs(stream: Stream, mut pair: u64, values: &mut [f32]) {
    for values in values.chunks_mut(2 * PAIRS) {
        values.copy_from_slice(&next_pairs(stream, &mut pair).as_flattened()[..values.len()]);
    }
}

/// The number of pairs that are computed together: few enough that all loops over them are unrolled and nothing goes
/// through memory.
const PAIRS: usize = 16;

/// Returns the next pairs of elements and advances `pair` past them.
#[inline(always)]
fn next_pairs(stream: Stream, pair: &mut u64) -> [[f32; 2]; PAIRS] {
    let bits: [u64; PAIRS] = stream.at_each(*pair);
    *pair += PAIRS as u64;
    // Separate loops, so that the compiler makes vector code of each.
    let (mut high, mut low) = ([0; PAIRS], [0; PAIRS]);
    for i in 0..PAIRS {
        (high[i], low[i]) = halves(bits[i]);
    }
    let (mut even, mut odd) = ([0.0; PAIRS], [0.0; PAIRS]);
    for i in 0..PAIRS {
        (even[i], odd[i]) = at_angle(radius(high[i]), low[i]);
    }
    let mut both = [[0.0; 2]; PAIRS];
    for i in 0..PAIRS {
        both[i] = [even[i], odd[i]];
    }
    both
}

/// Splits the 64 bits of a pair of elements into two numbers.
#[inline(always)]
fn halves(bits: u64) -> (u32, u32) {
    ((bits >> 32) as u32, bits as u32)
}

/// Returns two independent standard normals made from two uniform integers (Box and Muller 1958).
fn box_muller(high: u32, low: u32) -> (f32, f32) {
    at_angle(radius(high), low)
}

/// Returns the radius of the transform, √(-2 ln u).
#[inline(always)]
fn radius(high: u32) -> f32 {
    // 31 bits make a uniform number in (0, 1]. The smallest is 2^-32, so no normal lies beyond 6.7.
    let uniform = ((high >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    (-2.0 * ln(uniform)).sqrt()
}

/// Returns the two coordinates of the point with that radius and the angle that `low` encodes.
#[inline(always)]
fn at_angle(radius: f32, low: u32) -> (f32, f32) {
    // Two bits choose a quarter of the circle; thirty choose the angle from its middle, in [-π/4, π/4).
    let quarter = low >> 30;
    let angle = ((low & 0x3fff_ffff) as i32 - 0x2000_0000) as f32 * (std::f32::consts::FRAC_PI_2 / 1_073_741_824.0);
    let (sine, cosine) = (sin(angle), cos(angle));
    // Rotate by whole quarters: exchange the coordinates in odd quarters, then set the signs.
    let exchange = quarter & 1 != 0;
    let x = if exchange { sine } else { cosine };
    let y = if exchange { cosine } else { sine };
    let x = f32::from_bits(x.to_bits() ^ (((quarter + 1) & 2) << 30)); // negative in quarters 1 and 2
    let y = f32::from_bits(y.to_bits() ^ ((quarter & 2) << 30)); // negative in quarters 2 and 3
    (radius * x, radius * y)
}

/// Returns the natural logarithm of a normal (not subnormal) number in (0, 1].
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = m 2^e with m in [√½, √2): subtracting the bits of √½ makes the exponent field count from there.
    let bits = x.to_bits() as i32;
    let exponent = (bits - ROOT_HALF) >> 23;
    let m = f32::from_bits((bits - (exponent << 23)) as u32);
    // ln m = 2 artanh s, s = (m - 1)/(m + 1), |s| < 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let series = polynomial(s * s, ARTANH) * s;
    exponent as f32 * std::f32::consts::LN_2 + (series + series)
}

/// The bits of √½.
pub(crate) const ROOT_HALF: i32 = 0x3f35_04f3;

/// Returns the sine, accurate to f32 for |x| ≤ π/4.
#[inline(always)]
fn sin(x: f32) -> f32 {
    let z = x * x;
    (polynomial(z, SINE) * z) * x + x
}

/// Returns the cosine, accurate to f32 for |x| ≤ π/4.
#[inline(always)]
fn cos(x: f32) -> f32 {
    polynomial(x * x, COSINE)
}

// Taylor series in x², the highest power first.

/// artanh x / x
pub(crate) const ARTANH: [f32; 5] = [1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
/// (sin x - x) / x³
pub(crate) const SINE: [f32; 4] = [1.0 / 362_880.0, -1.0 / 5_040.0, 1.0 / 120.0, -1.0 / 6.0];
/// cos x
pub(crate) const COSINE: [f32; 6] = [-1.0 / 3_628_800.0, 1.0 / 40_320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0];

/// Evaluates a polynomial by Horner's rule; the first coefficient belongs to the highest power.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients[1..].iter().fold(coefficients[0], |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream::new(20_221_106);

    #[test]
    fn the_whole_tensor_equals_its_elements_on_every_instruction_set() {
        for isa in Isa::available() {
            let fill = |first, values: &mut [f32]| fill_normals_on(isa, STREAM, first, values);
            for count in [0, 1, 2, 255, 256, 257, 1000] {
                let mut whole = vec![0.0; count];
                fill(0, &mut whole);
                let each: Vec<f32> = (0..count as u64).map(|index| normal(STREAM, index)).collect();
                assert!(whole.iter().zip(&each).all(|(a, b)| a.to_bits() == b.to_bits()), "{count} {isa:?}");
                // And so does any part of it.
                for (first, last) in [(0, count / 2), (count / 3, count), (count / 2 + 1, count), (count, count)] {
                    let mut part = vec![0.0; last.saturating_sub(first)];
                    fill(first, &mut part);
                    assert_eq!(part, whole[first.min(last)..last], "{first} {last} {count} {isa:?}");
                }
            }
        }
        assert_eq!(normals(STREAM, 1000)[999], normal(STREAM, 999));
    }

    #[test]
    fn polynomials_are_accurate_to_the_last_bits() {
        let check = |got: f32, expected: f64| {
            let tolerance = 2e-7 * expected.abs().max(0.1);
            assert!((f64::from(got) - expected).abs() <= tolerance, "{got} for {expected}");
        };
        for step in 0..=10_000 {
            let angle = (step as f32 / 5_000.0 - 1.0) * std::f32::consts::FRAC_PI_4;
            check(sin(angle), f64::from(angle).sin());
            check(cos(angle), f64::from(angle).cos());
            let x = (step as f32 + 0.5) / 10_000.5;
            check(ln(x), f64::from(x).ln());
        }
        check(ln(1.0 / 4_294_967_296.0), -32.0 * std::f64::consts::LN_2);
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn extreme_draws_are_finite() {
        for high in [0, 1, u32::MAX - 1, u32::MAX] {
            for low in [0, 1, 0x2000_0000, 0x3fff_ffff, 0x4000_0000, 0x8000_0000, 0xc000_0000, u32::MAX] {
                let (x, y) = box_muller(high, low);
                assert!(x.abs() < 6.7 && y.abs() < 6.7, "{high} {low}: {x} {y}");
            }
        }
    }
}

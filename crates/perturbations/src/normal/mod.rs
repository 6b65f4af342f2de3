//! Standard normals by counter: the value of an element is a function of the key and the element's index alone.
//!
//! Two elements share one 64-bit hash, whose halves feed a Box-Muller transform. Only operations that IEEE 754 fixes
//! are used (+, -, ×, ÷, square root, conversions of integers, in f32, never fused), and logarithm, sine and cosine
//! are polynomials written out here, so the bits are the same on every device that does not contract a × b + c.

#[cfg(target_arch = "x86_64")]
mod avx2;

use crate::NoiseKey;
use multiversion::multiversion;

/// The standard normal of one element.
pub fn normal(key: NoiseKey, index: u64) -> f32 {
    let (high, low) = halves(key.hash(index / 2));
    let (even, odd) = box_muller(high, low);
    if index.is_multiple_of(2) { even } else { odd }
}

/// The standard normals of elements `0..count`, for an image in the order channel, row, column.
pub fn normals(key: NoiseKey, count: usize) -> Vec<f32> {
    let mut values = vec![0f32; count];
    draw(key, 0, &mut values);
    values
}

/// Writes the standard normals of the elements from `first` on: the same operations, and so the same bits, on as many
/// elements at a time as the machine can.
pub(crate) fn draw(key: NoiseKey, first: usize, values: &mut [f32]) {
    // The second of a pair, if it begins with one.
    let (second, values) = values.split_at_mut((first % 2).min(values.len()));
    second.iter_mut().for_each(|value| *value = normal(key, first as u64));
    let mut pair = first.div_ceil(2) as u64;
    #[cfg(target_arch = "x86_64")]
    let values = match values.len() >= avx2::BLOCK && is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "instructions that the processor was asked for")]
        true => unsafe { avx2::draw(key, &mut pair, values) },
        false => values,
    };
    draw_portable(key, pair, values);
}

/// Writes the pairs from `pair` on, the last perhaps only half.
#[multiversion(targets("x86_64+avx2"))]
fn draw_portable(key: NoiseKey, mut pair: u64, values: &mut [f32]) {
    for values in values.chunks_mut(32) {
        values.copy_from_slice(&draw_few(key, &mut pair).as_flattened()[..values.len()]);
    }
}

/// The next few pairs of elements: so few that all loops are unrolled and nothing goes by way of memory.
#[inline(always)]
fn draw_few(key: NoiseKey, pair: &mut u64) -> [[f32; 2]; 16] {
    let bits: [u64; 16] = key.hashes(*pair);
    *pair += 16;
    let (mut high, mut low) = ([0; 16], [0; 16]);
    for i in 0..16 {
        (high[i], low[i]) = halves(bits[i]);
    }
    let (mut even, mut odd) = ([0.0; 16], [0.0; 16]);
    for i in 0..16 {
        (even[i], odd[i]) = at_angle(radius(high[i]), low[i]);
    }
    let mut both = [[0.0; 2]; 16];
    for i in 0..16 {
        both[i] = [even[i], odd[i]];
    }
    both
}

/// The 64 bits of a pair of elements, which are SplitMix64's started at the key, as two numbers.
#[inline(always)]
fn halves(bits: u64) -> (u32, u32) {
    ((bits >> 32) as u32, bits as u32)
}

/// Two independent standard normals from two uniform integers (Box and Muller 1958).
fn box_muller(high: u32, low: u32) -> (f32, f32) {
    at_angle(radius(high), low)
}

#[inline(always)]
fn radius(high: u32) -> f32 {
    // 31 bits to a real in (0, 1]: the smallest is 2^-32, so no draw lies beyond 6.7.
    let uniform = ((high >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
    (-2.0 * ln(uniform)).sqrt()
}

#[inline(always)]
fn at_angle(radius: f32, low: u32) -> (f32, f32) {
    // Two bits choose a quarter of the circle, thirty an angle from its middle in [-π/4, π/4).
    let quarter = low >> 30;
    let angle = ((low & 0x3fff_ffff) as i32 - 0x2000_0000) as f32 * (std::f32::consts::FRAC_PI_2 / 1_073_741_824.0);
    let (sine, cosine) = (sin(angle), cos(angle));
    // Rotate by whole quarters: exchange for odd ones, then the signs.
    let exchange = quarter & 1 != 0;
    let x = if exchange { sine } else { cosine };
    let y = if exchange { cosine } else { sine };
    let x = f32::from_bits(x.to_bits() ^ (((quarter + 1) & 2) << 30)); // minus in quarters 1 and 2
    let y = f32::from_bits(y.to_bits() ^ ((quarter & 2) << 30)); // minus in quarters 2 and 3
    (radius * x, radius * y)
}

/// Natural logarithm of a normal number in (0, 1].
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = m 2^e with m in [√½, √2): the exponent field counted from √½.
    let bits = x.to_bits() as i32;
    let exponent = (bits - ROOT_HALF) >> 23;
    let m = f32::from_bits((bits - (exponent << 23)) as u32);
    // ln m = 2 artanh s, s = (m - 1)/(m + 1), |s| < 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let series = polynomial(s * s, ARTANH) * s;
    exponent as f32 * std::f32::consts::LN_2 + (series + series)
}

/// The bits of √½.
const ROOT_HALF: i32 = 0x3f35_04f3;

/// Right to f32 for |x| ≤ π/4.
#[inline(always)]
fn sin(x: f32) -> f32 {
    let z = x * x;
    (polynomial(z, SINE) * z) * x + x
}

/// Right to f32 for |x| ≤ π/4.
#[inline(always)]
fn cos(x: f32) -> f32 {
    polynomial(x * x, COSINE)
}

// Taylor's series in x², the highest power first: artanh x / x, (sin x - x) / x³ and cos x.
const ARTANH: [f32; 5] = [1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
const SINE: [f32; 4] = [1.0 / 362_880.0, -1.0 / 5_040.0, 1.0 / 120.0, -1.0 / 6.0];
const COSINE: [f32; 6] = [-1.0 / 3_628_800.0, 1.0 / 40_320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0];

#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients[1..].iter().fold(coefficients[0], |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: NoiseKey = NoiseKey(20_221_106);

    #[test]
    fn the_whole_tensor_equals_its_elements() {
        for count in [0, 1, 2, 255, 256, 257, 1000] {
            let whole = normals(KEY, count);
            let each: Vec<f32> = (0..count as u64).map(|index| normal(KEY, index)).collect();
            assert!(whole.iter().zip(&each).all(|(a, b)| a.to_bits() == b.to_bits()), "{count}");
            assert_eq!(whole.len(), count);
            // And so does any part of it.
            for (first, last) in [(0, count / 2), (count / 3, count), (count / 2 + 1, count), (count, count)] {
                let mut part = vec![0.0; last.saturating_sub(first)];
                draw(KEY, first, &mut part);
                assert_eq!(part, whole[first.min(last)..last], "{first} {last} {count}");
            }
        }
    }

    #[test]
    fn polynomials_are_right_to_the_last_bits() {
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

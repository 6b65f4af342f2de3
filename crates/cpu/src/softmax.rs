use crate::isa::Isa;
use crate::math::exp_nonpositive;
use crate::row::{has_tail, load_last, mask_last, store_last};
use crate::simd::{Simd, Vectorized};

/// Replaces each row of `len` values by exp(x) / Σ exp(x).
///
/// The maximum of the row is subtracted first, so that the exponentials are finite. Each of them is multiplied by one over
/// their sum. Minus infinity becomes 0; NaN or infinity anywhere in a row makes the whole row NaN, and so does a row of
/// nothing but minus infinity.
///
/// # Panics
/// Panics if `values` is not made of whole rows.
pub fn softmax(isa: Isa, values: &mut [f32], len: usize) {
    assert!(len > 0 && values.len().is_multiple_of(len), "whole rows of {len}");
    isa.vectorize(Softmax { values, len });
}

struct Softmax<'a> {
    values: &'a mut [f32],
    len: usize,
}

impl Vectorized for Softmax<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in self.values.chunks_exact_mut(self.len) {
            softmax_row(s, row, self.len);
        }
    }
}

/// Replaces the first `valid` values of a row by their [`softmax`] and the rest by 0.
///
/// Three passes over the row, which stays in the first-level cache: the maximum, the exponentials and their sum, the scale.
///
/// # Panics
/// Panics if the row is shorter than `valid`.
#[inline(always)]
pub(crate) fn softmax_row<S: Simd>(s: S, row: &mut [f32], valid: usize) {
    let (row, beyond) = row.split_at_mut(valid);
    beyond.fill(0.0);
    // Minus infinity is never the maximum. The vectors take turns with two maxima, which as the second operand win against
    // NaN; the exponentials bring it back.
    let nothing = s.splat(f32::NEG_INFINITY);
    let last = if has_tail(row) { load_last(s, row) } else { nothing };
    let mut most = [nothing; 2];
    let (pairs, odd) = row.as_chunks().0.as_chunks::<2>();
    for pair in pairs {
        most[0] = s.max(s.load(&pair[0]), most[0]);
        most[1] = s.max(s.load(&pair[1]), most[1]);
    }
    for x in odd {
        most[0] = s.max(s.load(x), most[0]);
    }
    most[1] = s.max(mask_last(s, last, valid, nothing), most[1]);
    let most = s.splat(s.largest(s.max(most[0], most[1])));

    let zero = s.splat(0.0);
    let mut sum = zero;
    for x in row.as_chunks_mut().0 {
        let y = exp_nonpositive(s, s.sub(s.load(x), most));
        sum = s.add(sum, y);
        s.store(y, x);
    }
    let last = if has_tail(row) { exp_nonpositive(s, s.sub(last, most)) } else { zero };
    let scale = s.splat(1.0 / s.sum(s.add(sum, mask_last(s, last, valid, zero))));

    for x in row.as_chunks_mut().0 {
        s.store(s.mul(s.load(x), scale), x);
    }
    if has_tail(row) {
        store_last(s, s.mul(last, scale), row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_same_bits, sample};

    /// Computes on every instruction set and returns the common result.
    fn everywhere(x: &[f32], len: usize) -> Vec<f32> {
        let all = Isa::available().into_iter().map(|isa| {
            let mut y = x.to_vec();
            softmax(isa, &mut y, len);
            y
        });
        all.reduce(|want, got| {
            assert_same_bits(&got, &want);
            want
        })
        .unwrap()
    }

    #[test]
    fn rows_are_exponentials_over_their_sum() {
        for len in [1, 2, 15, 16, 17, 32, 49, 64, 100, 197, 208] {
            let x: Vec<f32> = sample(3 * len).iter().map(|x| 10.0 * x).collect();
            let want: Vec<f64> = x
                .chunks(len)
                .flat_map(|x| {
                    let sum: f64 = x.iter().map(|x| f64::from(*x).exp()).sum();
                    x.iter().map(move |x| f64::from(*x).exp() / sum)
                })
                .collect();
            assert_close(&everywhere(&x, len), &want, 3e-7);
        }
    }

    #[test]
    fn only_valid_values_count() {
        struct Row(Vec<f32>, usize);
        impl Vectorized for Row {
            type Output = Vec<f32>;
            #[inline(always)]
            fn run<S: Simd>(mut self, s: S) -> Vec<f32> {
                softmax_row(s, &mut self.0, self.1);
                self.0
            }
        }
        for valid in [1, 15, 16, 17, 40, 48, 64] {
            let mut x = sample(64);
            x[valid..].fill(f32::NAN);
            let mut want = everywhere(&x[..valid], valid);
            want.resize(64, 0.0);
            for isa in Isa::available() {
                assert_same_bits(&isa.vectorize(Row(x.clone(), valid)), &want);
            }
        }
    }

    #[test]
    fn large_and_infinite_values() {
        let y = everywhere(&[1000.0, 1001.0, f32::NEG_INFINITY, -5000.0], 4);
        assert!((y[1] - 0.731_058_6).abs() < 1e-6);
        assert_eq!(y[2..], [0.0; 2]);
        for spoiler in [f32::NAN, f32::INFINITY] {
            let y = everywhere(&[1.0, spoiler, 3.0, 1.0, 1.0, 1.0], 3);
            assert!(y[..3].iter().all(|y| y.is_nan()), "{y:?}");
            assert_close(&y[3..], &[1.0 / 3.0; 3], 1e-7);
        }
    }
}

//! Elementary functions of vectors, made of operations that are rounded identically on every instruction set.
//!
//! All of them are NaN where `x` is. The polynomials and quotients are minimax approximations, fitted for this crate.

use crate::simd::Simd;

/// The arguments between which 2ⁿ in [`exp_within`] is a normal number.
pub(crate) const EXP_RANGE: (f32, f32) = (-87.3, 88.37);

/// Returns (p, 2ⁿ) with eˣ = 2ⁿ (1 + p), for x in [`EXP_RANGE`].
#[inline(always)]
fn exp_parts<S: Simd>(s: S, x: S::F32) -> (S::F32, S::F32) {
    // ln 2 as a sum of two floats, so that r = x - n ln 2 is right to the last bit.
    const LN_2_REST: f32 = -1.904_654_2e-9;
    let n = s.round(s.mul(x, s.splat(std::f32::consts::LOG2_E)));
    let r = s.neg_mul_add(n, s.splat(std::f32::consts::LN_2), x);
    let r = s.neg_mul_add(n, s.splat(LN_2_REST), r);
    // (eʳ - 1 - r) / r² for |r| < ln 2 / 2.
    let q = s.mul_add(s.splat(8.312_522e-3), r, s.splat(4.189_013_7e-2));
    let q = s.mul_add(q, r, s.splat(0.166_671_14));
    let q = s.mul_add(q, r, s.splat(0.499_992_3));
    (s.mul_add(s.mul(r, r), q, r), s.power_of_two(n))
}

/// Returns eˣ for x in [`EXP_RANGE`] with a relative error below 2e-7. The caller sees to the range.
#[inline(always)]
pub(crate) fn exp_within<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (p, power) = exp_parts(s, x);
    s.mul_add(p, power, power)
}

/// Returns eˣ with a relative error below 2e-7. It is 0 below -87.3 and infinite above 88.37.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let high = s.splat(EXP_RANGE.1);
    // The value comes second because that keeps NaN.
    let y = exp_nonpositive_or(s, s.min(high, x), x);
    s.select_less(high, x, s.splat(f32::INFINITY), y)
}

/// Returns eˣ for x ≤ 0 with a relative error below 2e-7. It is 0 below -87.3.
#[inline(always)]
pub(crate) fn exp_nonpositive<S: Simd>(s: S, x: S::F32) -> S::F32 {
    exp_nonpositive_or(s, x, x)
}

/// Returns eˣ, or 0 where `decider` is below the range.
#[inline(always)]
fn exp_nonpositive_or<S: Simd>(s: S, x: S::F32, decider: S::F32) -> S::F32 {
    let low = s.splat(EXP_RANGE.0);
    let y = exp_within(s, s.max(low, x));
    s.select_less(decider, low, s.splat(0.0), y)
}

/// Returns eˣ - 1 for x ≤ 0 with a relative error below 8e-7.
#[inline(always)]
pub(crate) fn exp_m1_nonpositive<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // 2ⁿ (1 + p) - 1 = 2ⁿ p + (2ⁿ - 1), where the second term is exact or, far from 0, nearly -1.
    let (p, power) = exp_parts(s, s.max(s.splat(EXP_RANGE.0), x));
    s.mul_add(p, power, s.sub(power, s.splat(1.0)))
}

/// Returns σ(x) = 1 / (1 + e⁻ˣ) with a relative error below 4e-7. It is 1.2e-38 and not 0 below -87.3.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F32) -> S::F32 {
    sigmoid_above(s, s.max(s.splat(EXP_RANGE.0), x))
}

/// Returns σ(x) for x ≥ -87.3.
#[inline(always)]
pub(crate) fn sigmoid_above<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let e = exp_within(s, s.min(s.splat(EXP_RANGE.1), x));
    s.div(e, s.add(e, s.splat(1.0)))
}

/// Returns tanh x with a relative error below 4e-7. Its absolute value is never above 1.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // At ±8.179 the quotient is exactly ±1.
    const END: f32 = 8.179;
    const P: [f32; 5] = [1.0, 0.133_797_18, 3.494_034_3e-3, 2.058_347_9e-5, 1.331_906_9e-8];
    const Q: [f32; 5] = [1.0, 0.467_130_33, 2.587_107_2e-2, 3.283_092_5e-4, 7.762_018_3e-7];
    odd_quotient(s, x, END, &P, &Q)
}

/// Returns Φ(x) - 1/2, where Φ is the cumulative distribution function of the standard normal, with an absolute error below
/// 2.5e-7. From ±5.125 on it is exactly ±1/2.
#[inline(always)]
pub(crate) fn centered_normal_cdf<S: Simd>(s: S, x: S::F32) -> S::F32 {
    const END: f32 = 5.125;
    const P: [f32; 5] = [0.398_941_87, 5.079_32e-2, 5.606_172e-3, 3.274_889e-4, 6.044_542_3e-6];
    const Q: [f32; 6] = [1.0, 0.293_979_76, 3.806_130_6e-2, 2.781_032_1e-3, 1.174_655_3e-4, 5.152_335e-7];
    odd_quotient(s, x, END, &P, &Q)
}

/// Returns the error function with an absolute error below 5e-7.
#[inline(always)]
pub(crate) fn erf<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let half = centered_normal_cdf(s, s.mul(x, s.splat(std::f32::consts::SQRT_2)));
    s.add(half, half)
}

/// Returns x P(x²) / Q(x²) for x clamped to ±end. The coefficients are in ascending order.
///
/// All of them are positive, so that the sums lose no digits. A quotient of low degrees costs less than an exponential, and
/// its division overlaps with the products of other vectors.
#[inline(always)]
fn odd_quotient<S: Simd>(s: S, x: S::F32, end: f32, p: &[f32], q: &[f32]) -> S::F32 {
    let x = s.min(s.splat(end), s.max(s.splat(-end), x));
    let square = s.mul(x, x);
    s.div(s.mul(x, polynomial(s, square, p)), polynomial(s, square, q))
}

/// Returns a polynomial of `x` with coefficients in ascending order.
#[inline(always)]
fn polynomial<S: Simd>(s: S, x: S::F32, coefficients: &[f32]) -> S::F32 {
    let (last, rest) = coefficients.split_last().expect("a polynomial has a coefficient");
    rest.iter().rev().fold(
        s.splat(*last),
        #[inline(always)]
        |y, c| s.mul_add(y, x, s.splat(*c)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{LANES, Vectorized};
    use crate::testing::{assert_same_bits, erf as exact_erf};
    use crate::{Isa, row};

    #[derive(Clone, Copy)]
    enum Function {
        Exp,
        ExpNonpositive,
        ExpM1,
        Sigmoid,
        Tanh,
        Cdf,
        Erf,
    }

    struct Evaluation<'a>(Function, &'a mut [f32]);

    impl Vectorized for Evaluation<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let Self(function, values) = self;
            match function {
                Function::Exp => row::map_in_place(s, values, |x| exp(s, x)),
                Function::ExpNonpositive => row::map_in_place(s, values, |x| exp_nonpositive(s, x)),
                Function::ExpM1 => row::map_in_place(s, values, |x| exp_m1_nonpositive(s, x)),
                Function::Sigmoid => row::map_in_place(s, values, |x| sigmoid(s, x)),
                Function::Tanh => row::map_in_place(s, values, |x| tanh(s, x)),
                Function::Cdf => row::map_in_place(s, values, |x| centered_normal_cdf(s, x)),
                Function::Erf => row::map_in_place(s, values, |x| erf(s, x)),
            }
        }
    }

    fn evaluate(function: Function, x: &[f32]) -> Vec<f32> {
        let all = Isa::available().into_iter().map(|isa| {
            let mut y = x.to_vec();
            isa.vectorize(Evaluation(function, &mut y));
            y
        });
        all.reduce(|want, got| {
            assert_same_bits(&got, &want);
            want
        })
        .unwrap()
    }

    fn at(function: Function, x: f32) -> f32 {
        evaluate(function, &[x])[0]
    }

    /// Numbers from `low` to `high`, and small ones between.
    fn numbers(low: f32, high: f32) -> Vec<f32> {
        let steps = 40_000;
        let even = (0..=steps).map(|i| low + (high - low) * i as f32 / steps as f32);
        let small = (-300..0).flat_map(|i| [10f32.powf(i as f32 / 10.0), -(10f32.powf(i as f32 / 10.0))]);
        even.chain(small.filter(|x| *x >= low && *x <= high)).collect()
    }

    /// Returns the largest absolute and relative errors.
    fn errors(function: Function, x: &[f32], exact: impl Fn(f64) -> f64) -> (f64, f64) {
        let y = evaluate(function, x);
        x.iter().zip(y).fold((0.0, 0.0), |(absolute, relative): (f64, f64), (x, y)| {
            let want = exact(f64::from(*x));
            let error = (f64::from(y) - want).abs();
            (absolute.max(error), relative.max(if want == 0.0 { error } else { error / want.abs() }))
        })
    }

    #[test]
    fn exponentials_are_accurate() {
        let all = numbers(-87.3, 88.3);
        assert!(errors(Function::Exp, &all, f64::exp).1 < 2e-7);
        assert!(errors(Function::ExpNonpositive, &numbers(-87.3, 0.0), f64::exp).1 < 2e-7);
        assert!(errors(Function::ExpM1, &numbers(-87.0, 0.0), f64::exp_m1).1 < 8e-7);
        assert!(errors(Function::Sigmoid, &all, |x| 1.0 / (1.0 + (-x).exp())).1 < 4e-7);
        assert_eq!([-87.4, -1e30, f32::NEG_INFINITY].map(|x| at(Function::Exp, x)), [0.0; 3]);
        assert_eq!([-87.4, -1e30, f32::NEG_INFINITY].map(|x| at(Function::ExpNonpositive, x)), [0.0; 3]);
        assert_eq!([88.4, 1e30, f32::INFINITY].map(|x| at(Function::Exp, x)), [f32::INFINITY; 3]);
        assert_eq!([88.4, 1e30, f32::INFINITY].map(|x| at(Function::Sigmoid, x)), [1.0; 3]);
        assert!([-88.4, -1e30, f32::NEG_INFINITY].iter().all(|x| at(Function::Sigmoid, *x) < 1.3e-38));
        assert_eq!((at(Function::Exp, 0.0), at(Function::ExpM1, 0.0), at(Function::Sigmoid, 0.0)), (1.0, 0.0, 0.5));
    }

    #[test]
    fn quotients_are_accurate() {
        assert!(errors(Function::Tanh, &numbers(-12.0, 12.0), f64::tanh).1 < 4e-7);
        let cdf = |x: f64| 0.5 * exact_erf(x * std::f64::consts::FRAC_1_SQRT_2);
        assert!(errors(Function::Cdf, &numbers(-8.0, 8.0), cdf).0 < 2.5e-7);
        assert!(errors(Function::Erf, &numbers(-8.0, 8.0), exact_erf).0 < 5e-7);
        for (function, end) in [(Function::Tanh, 1.0), (Function::Cdf, 0.5), (Function::Erf, 1.0)] {
            assert_eq!([-1e30, f32::NEG_INFINITY, 8.179, 1e30].map(|x| at(function, x)), [-end, -end, end, end]);
            assert!(evaluate(function, &numbers(-12.0, 12.0)).iter().all(|y| y.abs() <= end));
            assert_eq!(at(function, -0.0).to_bits(), (-0.0f32).to_bits());
        }
    }

    #[test]
    fn nan_stays() {
        use Function::*;
        for function in [Exp, ExpNonpositive, ExpM1, Sigmoid, Tanh, Cdf, Erf] {
            assert!(evaluate(function, &[f32::NAN; LANES]).iter().all(|y| y.is_nan()));
        }
    }
}

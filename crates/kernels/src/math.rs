//! exp without branches or calls, so that the compiler turns loops over it into vector code.

/// Returns e^x with a relative error below 2e-7. It is 0 below -87.3 and infinite above 88.37; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding 1.5 · 2²³ rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.3, 88.37);
    let t = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = t - ROUND;
    // r = x - n ln 2, with ln 2 split into two parts so that the first product is exact.
    let r = clamped - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // The minimax polynomial of (e^r - 1 - r) / r² on |r| < ln 2 / 2, with the coefficients of Cephes.
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    // Multiply by 2^n, made from its bits; the clamp keeps it a normal number.
    let y = y * f32::from_bits((t.to_bits() << 23).wrapping_add(1f32.to_bits()));
    let y = if x < -87.3 { 0.0 } else { y };
    if x > 88.37 { f32::INFINITY } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let want = f64::from(x).exp();
            assert!((f64::from(exp(x)) / want - 1.0).abs() < 2e-7, "exp({x}) = {} not {want}", exp(x));
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }
}

//! What the tests of several modules use.

/// Panics unless two slices hold the same bits. All NaN are equal: IEEE 754 does not fix their sign and payload.
#[track_caller]
pub(crate) fn assert_same_bits(got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{got} is not {want} at {i}");
    }
}

/// Panics unless all values differ by at most `tolerance`, or both are NaN or infinite.
#[track_caller]
pub(crate) fn assert_close(got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let got = f64::from(*got);
        let same = got == *want || got.is_nan() && want.is_nan() || (got - want).abs() <= tolerance;
        assert!(same, "{got} is not {want} at {i}");
    }
}

/// Returns reproducible numbers in [-2, 2).
pub(crate) fn sample(len: usize) -> Vec<f32> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    })
    .take(len)
    .collect()
}

/// Returns the error function to about 1e-15: its power series near 0 and the continued fraction of erfc beyond 3.
pub(crate) fn erf(x: f64) -> f64 {
    let a = x.abs();
    let y = if a < 3.0 {
        let mut term = a;
        let mut sum = a;
        for n in 1..100 {
            term *= -a * a / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let fraction = (1..60).rev().fold(0.0, |rest, k| f64::from(k) / 2.0 / (a + rest));
        1.0 - (-a * a).exp() / (a + fraction) / std::f64::consts::PI.sqrt()
    };
    y.copysign(x)
}

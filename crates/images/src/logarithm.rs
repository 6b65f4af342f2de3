//! Logarithm and exponential by operations that IEEE 754 fixes exactly, so that every machine computes the same bits.

/// Returns the natural logarithm of a positive number. The number is halved or doubled into [1/2, 1), and the series of
/// artanh gives the rest.
pub(crate) fn ln(x: f64) -> f64 {
    let (mut x, mut twos) = (x, 0.0);
    while x >= 1.0 {
        (x, twos) = (x / 2.0, twos + 1.0);
    }
    while x < 0.5 {
        (x, twos) = (x * 2.0, twos - 1.0);
    }
    let z = (x - 1.0) / (x + 1.0); // in [-1/3, 0)
    let (mut power, mut sum) = (z, 0.0);
    for odd in (1..40).step_by(2) {
        sum += power / f64::from(odd);
        power *= z * z;
    }
    2.0 * sum + twos * std::f64::consts::LN_2
}

/// Returns the exponential: its series at a sixty-fourth of the argument, squared six times.
pub(crate) fn exp(x: f64) -> f64 {
    let small = x / 64.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..16 {
        term *= small / f64::from(n);
        sum += term;
    }
    (0..6).fold(sum, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_exponential_are_close_to_those_of_the_system() {
        for i in 1..400 {
            let x = f64::from(i) * 0.0371;
            assert!((ln(x) - x.ln()).abs() < 1e-14 * (1.0 + x.ln().abs()), "ln {x}");
            let y = x - 7.0;
            assert!((exp(y) / y.exp() - 1.0).abs() < 1e-13, "exp {y}");
        }
    }
}

//! Random numbers that are a function of a key and a counter, and the two functions they need, by operations that
//! IEEE 754 fixes exactly: the same on every machine.

/// SplitMix64 (Steele, Lea and Flood 2014): the `n`-th number is a mix of `key + n * GAMMA`.
pub(crate) struct Draws {
    state: u64,
}

impl Draws {
    pub(crate) fn new(key: u64) -> Self {
        Self { state: key }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From [0, 1), a multiple of 2⁻⁵³.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From [low, high).
    pub(crate) fn uniform(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One of 0 to `most`.
    pub(crate) fn index(&mut self, most: usize) -> usize {
        ((u128::from(self.next()) * (most as u128 + 1)) >> 64) as usize
    }
}

/// Natural logarithm of a positive number: halved or doubled into [1/2, 1), the rest by the series of artanh.
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

/// Exponential, by its series at a sixty-fourth of the argument.
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
    fn published_numbers_of_splitmix64() {
        let mut draws = Draws::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| draws.next()), expected);
    }

    #[test]
    fn logarithm_and_exponential_are_nearly_the_systems() {
        for i in 1..400 {
            let x = f64::from(i) * 0.0371;
            assert!((ln(x) - x.ln()).abs() < 1e-14 * (1.0 + x.ln().abs()), "ln {x}");
            let y = x - 7.0;
            assert!((exp(y) / y.exp() - 1.0).abs() < 1e-13, "exp {y}");
        }
    }
}

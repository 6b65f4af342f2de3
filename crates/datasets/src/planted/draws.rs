//! Random numbers that depend on where they are used and not on what was drawn before.

use hard_imagenet_cpu::random::{Stream, StreamReader, mix};

/// A stream of draws that belongs to one (seed, sample, purpose).
///
/// It uses only integer operations and IEEE 754 additions, multiplications, divisions and square roots, so every
/// machine draws the same values to the last bit.
pub(super) struct Draws(StreamReader);

impl Draws {
    /// Creates the stream for one purpose of one sample. Each purpose has its own stream, so that a new draw in one
    /// does not change the others.
    pub(super) fn new(seed: u64, sample: u64, purpose: u64) -> Self {
        let key = mix(mix(mix(seed).wrapping_add(sample)).wrapping_add(purpose));
        Self(Stream::new(key).reader())
    }

    /// Returns 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a uniform number in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        self.0.next_unit()
    }

    /// Returns a uniform number in [low, high).
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit() as f32
    }

    /// Returns a uniform integer in 0..n, from the upper 32 bits: planted images are pinned to these numbers.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (((self.bits() >> 32) * n as u64) >> 32) as usize
    }

    /// Returns true half of the time.
    pub(super) fn coin(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// Returns a uniform direction without trigonometry: a point of the disc, scaled to length 1.
    pub(super) fn direction(&mut self) -> (f32, f32) {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.01 && square <= 1.0 {
                let length = square.sqrt();
                return ((x / length) as f32, (y / length) as f32);
            }
        }
    }
}

/// Returns a value in [0, 1) for each point of an integer lattice.
pub(super) fn lattice(key: u32, x: i32, y: i32) -> f32 {
    let mut h = key ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^= h >> 16;
    (h >> 8) as f32 / (1u32 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_sample_and_purpose_has_its_own_stream() {
        let mut draws = Draws::new(1, 2, 3);
        let first = [draws.bits(), draws.bits()];
        let mut again = Draws::new(1, 2, 3);
        assert_eq!(first, [again.bits(), again.bits()]);
        assert_ne!(first[0], Draws::new(1, 2, 4).bits());
        assert_ne!(first[0], Draws::new(1, 3, 3).bits());
        assert_ne!(first[0], Draws::new(2, 2, 3).bits());
    }

    #[test]
    fn draws_fill_their_ranges_evenly() {
        let mut draws = Draws::new(7, 0, 0);
        let n = 40_000;
        let (mut sum, mut counts) = (0.0, [0usize; 8]);
        for _ in 0..n {
            let u = draws.unit();
            assert!((0.0..1.0).contains(&u));
            sum += u;
            counts[draws.below(8)] += 1;
        }
        // Five standard errors.
        assert!((sum / n as f64 - 0.5).abs() < 5.0 * (1.0f64 / 12.0 / n as f64).sqrt());
        for count in counts {
            assert!((count as f64 - n as f64 / 8.0).abs() < 5.0 * (n as f64 * 7.0 / 64.0).sqrt(), "{counts:?}");
        }
    }

    #[test]
    fn directions_have_length_one() {
        let mut draws = Draws::new(7, 1, 0);
        for _ in 0..100 {
            let (x, y) = draws.direction();
            assert!((x * x + y * y - 1.0).abs() < 1e-6);
        }
    }
}

use hard_imagenet_cpu::random::{Stream, below, fnv1a, splitmix64};

/// Identifies one draw of noise. The same key gives the same noise, bit for bit, on every device.
///
/// A key is a function of (run seed, sample id, trial) and of nothing else. Foreground and background noise of a trial,
/// in every strength, therefore share one standard normal tensor. Common random numbers make differences between
/// conditions less noisy, and the published code also shares them between foreground and background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoiseKey(pub u64);

impl NoiseKey {
    /// Returns the key of a sample and trial under the seed of a run.
    ///
    /// The sample id is hashed with FNV-1a. Seed, sample and trial are mixed in one after the other with SplitMix64, so
    /// that keys of neighboring seeds or trials are unrelated.
    pub fn new(seed: u64, sample: &str, trial: u32) -> Self {
        Self(splitmix64(splitmix64(splitmix64(seed) ^ fnv1a(sample)) ^ u64::from(trial)))
    }

    /// Returns a key for another purpose, whose random numbers are unrelated to those of this key.
    pub fn fork(self, purpose: &str) -> Self {
        Self(splitmix64(self.0 ^ fnv1a(purpose)))
    }

    /// Returns an integer in `0..bound`, a function of the key and `index`. All values are equally likely up to one part in
    /// 2⁶⁴.
    ///
    /// # Panics
    /// Panics if `bound` is 0.
    pub fn below(self, index: u64, bound: u64) -> u64 {
        assert_ne!(bound, 0, "no number is below 0");
        below(self.stream().at(index), bound)
    }

    /// Returns the stream of random bits that starts at the key.
    pub(crate) fn stream(self) -> Stream {
        Stream::new(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_each_of_its_three_parts_and_never_changes() {
        let key = NoiseKey::new(0, "val/n03218198/ILSVRC2012_val_00000538", 0);
        assert_eq!(key, NoiseKey(0x0b46_d004_7bd2_b8e0), "records of earlier runs could not be recomputed");
        for other in [
            NoiseKey::new(1, "val/n03218198/ILSVRC2012_val_00000538", 0),
            NoiseKey::new(0, "val/n03218198/ILSVRC2012_val_00000539", 0),
            NoiseKey::new(0, "val/n03218198/ILSVRC2012_val_00000538", 1),
        ] {
            assert_ne!(key, other);
        }
    }

    #[test]
    fn numbers_are_below_their_bound_and_equally_likely() {
        let key = NoiseKey::new(0, "a", 0).fork("numbers");
        assert!((0..100).all(|index| key.below(index, 1) == 0));
        let mut counts = [0i32; 6];
        for index in 0..6000 {
            counts[key.below(index, 6) as usize] += 1;
        }
        // Chi-square of 5 degrees of freedom: 15.1 is passed with probability 0.99.
        let chi_square: f64 = counts.iter().map(|n| f64::from(n - 1000).powi(2) / 1000.0).sum();
        assert!(chi_square < 15.1, "{counts:?}");
        assert_ne!(key, NoiseKey::new(0, "a", 0).fork("others"));
    }
}

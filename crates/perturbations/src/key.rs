use hard_imagenet_cpu::random::{Stream, below, fnv1a, splitmix64};

/// Names one draw of noise: the same key gives the same noise, bit for bit, on every device.
///
/// A key is a function of (run seed, sample id, trial) and of nothing else, so foreground and background noise of a
/// trial, and every strength, share one standard normal tensor: common random numbers make differences between
/// conditions less noisy, and the published code shares them between foreground and background as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoiseKey(pub u64);

impl NoiseKey {
    /// The key of one sample's trial under a run's seed.
    ///
    /// FNV-1a over the sample's bytes, then the finaliser of SplitMix64 after each of seed, sample and trial, so that
    /// keys of neighbouring seeds or trials have nothing in common.
    pub fn new(seed: u64, sample: &str, trial: u32) -> Self {
        Self(splitmix64(splitmix64(splitmix64(seed) ^ fnv1a(sample)) ^ u64::from(trial)))
    }

    /// The key of another use of the same draw: what it gives has nothing in common with this one's.
    pub fn fork(self, purpose: &str) -> Self {
        Self(splitmix64(self.0 ^ fnv1a(purpose)))
    }

    /// A whole number in `0..bound`, all alike likely but for one part in 2⁶⁴: a function of key and index.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(self, index: u64, bound: u64) -> u64 {
        assert_ne!(bound, 0, "no number is below 0");
        below(self.stream().at(index), bound)
    }

    /// The stream of random bits that starts at the key.
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
    fn numbers_are_below_their_bound_and_alike_likely() {
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

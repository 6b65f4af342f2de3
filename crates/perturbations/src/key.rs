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
        Self(mix(mix(mix(seed) ^ fnv(sample)) ^ u64::from(trial)))
    }

    /// The key of another use of the same draw: what it gives has nothing in common with this one's.
    pub fn fork(self, purpose: &str) -> Self {
        Self(mix(self.0 ^ fnv(purpose)))
    }

    /// A whole number in `0..bound`, all alike likely but for one part in 2⁶⁴: a function of key and index.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(self, index: u64, bound: u64) -> u64 {
        assert_ne!(bound, 0, "no number is below 0");
        ((u128::from(self.hash(index)) * u128::from(bound)) >> 64) as u64
    }

    /// 64 random bits: the output `index` of SplitMix64 started at the key.
    #[inline(always)]
    pub(crate) fn hash(self, index: u64) -> u64 {
        mix(self.0.wrapping_add(index.wrapping_mul(STEP)))
    }

    /// The same of `first` and the indices after it, without multiplying by each.
    #[inline(always)]
    pub(crate) fn hashes<const N: usize>(self, first: u64) -> [u64; N] {
        let mut state = self.0.wrapping_add(first.wrapping_mul(STEP));
        let mut hashes = [0; N];
        for hash in &mut hashes {
            *hash = mix(state);
            state = state.wrapping_add(STEP);
        }
        hashes
    }
}

/// What SplitMix64 adds to its state at each step: 2⁶⁴ over the golden ratio.
pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// FNV-1a.
fn fnv(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The next output of SplitMix64 at state `x` (Steele, Lea, Flood 2014): a bijection of u64.
#[inline(always)]
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(STEP);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
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

    #[test]
    fn mixing_is_splitmix64() {
        // First outputs of the reference implementation at seed 1234567.
        let outputs = [6_457_827_717_110_365_317u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (step, expected) in (0u64..).zip(outputs) {
            assert_eq!(mix(1_234_567u64.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15))), expected);
        }
    }
}

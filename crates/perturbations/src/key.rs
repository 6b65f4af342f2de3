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
        let sample = sample
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(mix(mix(mix(seed) ^ sample) ^ u64::from(trial)))
    }
}

/// The next output of SplitMix64 at state `x` (Steele, Lea, Flood 2014): a bijection of u64.
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
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
    fn mixing_is_splitmix64() {
        // First outputs of the reference implementation at seed 1234567.
        let outputs = [6_457_827_717_110_365_317u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (step, expected) in (0u64..).zip(outputs) {
            assert_eq!(mix(1_234_567u64.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15))), expected);
        }
    }
}

/// Names one draw of noise: the same key gives the same noise, bit for bit, on every device.
///
/// A key is a function of (run seed, sample id, trial) and of nothing else, so foreground and background noise of a
/// trial, and every strength, share one standard normal tensor (SPEC 4.1; common random numbers make differences
/// between conditions less noisy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoiseKey(pub u64);

impl NoiseKey {
    /// The key of one sample's trial under a run's seed.
    pub fn new(_seed: u64, _sample: &str, _trial: u32) -> Self {
        unimplemented!()
    }
}

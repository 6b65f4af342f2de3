//! Random numbers as functions of a key and a counter.
//!
//! Nothing here has hidden state. Number `i` of a [`Stream`] depends on the stream's key and on `i` alone, so results do
//! not depend on threads, shards, batch sizes or what was drawn before. The generator is SplitMix64 (Steele, Lea and
//! Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), whose state after `i` steps is simply
//! `key + i · GAMMA`.
//!
//! Make a key from everything the numbers should depend on by alternating [`mix`] or [`splitmix64`] with an addition or
//! an exclusive or, and hash names with [`fnv1a`]:
//!
//! ```
//! use hard_imagenet_cpu::random::{Stream, below, fnv1a, splitmix64, unit};
//!
//! let (seed, trial) = (0, 3);
//! let key = splitmix64(splitmix64(seed) ^ fnv1a("sample 17")) ^ trial;
//! let stream = Stream::new(key);
//!
//! // By index, in any order ...
//! let die = below(stream.at(1000), 6);
//! assert!(die < 6);
//! assert!((0.0..1.0).contains(&unit(stream.at(7))));
//!
//! // ... or one after the other.
//! let mut reader = stream.reader();
//! assert_eq!([reader.next_u64(), reader.next_u64()], [stream.at(0), stream.at(1)]);
//! ```

pub(crate) mod normal;

pub use normal::{fill_normals, normal, normals};

/// The step of SplitMix64's state: 2⁶⁴ divided by the golden ratio, as an odd number.
pub const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Returns the finalizer of SplitMix64 at `z`: a bijection of `u64` that scatters neighboring numbers.
#[inline(always)]
pub const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(MULTIPLIERS[0]);
    let z = (z ^ (z >> 27)).wrapping_mul(MULTIPLIERS[1]);
    z ^ (z >> 31)
}

/// The multipliers of [`mix`].
pub(crate) const MULTIPLIERS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// Returns the next output of SplitMix64 in the given state, `mix(state + GAMMA)`. This too is a bijection of `u64`.
#[inline(always)]
pub const fn splitmix64(state: u64) -> u64 {
    mix(state.wrapping_add(GAMMA))
}

/// Returns the 64-bit FNV-1a hash of the bytes of `text`.
pub const fn fnv1a(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (mut hash, mut i) = (0xcbf2_9ce4_8422_2325u64, 0);
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// Maps 64 random bits to an integer in `0..bound`, each with the same probability up to one part in 2⁶⁴ / `bound`.
/// Returns 0 if `bound` is 0.
#[inline(always)]
pub const fn below(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

/// Maps 64 random bits to a number in `[0, 1)`, a multiple of 2⁻⁵³.
#[inline(always)]
pub const fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A stream of random bits that is addressed by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// Creates the stream of a key: the outputs of SplitMix64 seeded with `key`.
    #[inline(always)]
    pub const fn new(key: u64) -> Self {
        Self { key }
    }

    /// Returns the 64 random bits at `index`, counted from 0.
    #[inline(always)]
    pub const fn at(self, index: u64) -> u64 {
        splitmix64(self.state(index))
    }

    /// Returns the 64 random bits at `first` and at the `N - 1` indices after it, without a multiplication for each
    /// index.
    #[inline(always)]
    pub const fn at_each<const N: usize>(self, first: u64) -> [u64; N] {
        let (mut state, mut bits, mut i) = (self.state(first), [0; N], 0);
        while i < N {
            bits[i] = splitmix64(state);
            state = state.wrapping_add(GAMMA);
            i += 1;
        }
        bits
    }

    /// Returns a reader that starts at index 0.
    pub const fn reader(self) -> StreamReader {
        StreamReader { state: self.key }
    }

    /// The state of SplitMix64 before it makes the output at `index`.
    #[inline(always)]
    pub(crate) const fn state(self, index: u64) -> u64 {
        self.key.wrapping_add(index.wrapping_mul(GAMMA))
    }
}

/// Reads a [`Stream`] from its beginning, one number after the other.
#[derive(Clone, Debug)]
pub struct StreamReader {
    state: u64,
}

impl StreamReader {
    /// Returns the next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let bits = splitmix64(self.state);
        self.state = self.state.wrapping_add(GAMMA);
        bits
    }

    /// Returns the next number in `[0, 1)`, a multiple of 2⁻⁵³.
    pub fn next_unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// Returns the next integer in `0..bound`; see [`below`].
    pub fn next_below(&mut self, bound: u64) -> u64 {
        below(self.next_u64(), bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the reference implementation (<https://prng.di.unimi.it/splitmix64.c>) seeded with 1234567.
    const PUBLISHED: [u64; 3] = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];

    #[test]
    fn streams_are_splitmix64() {
        let stream = Stream::new(1_234_567);
        assert_eq!([0, 1, 2].map(|index| stream.at(index)), PUBLISHED);
        assert_eq!(stream.at_each::<3>(0), PUBLISHED);
        assert_eq!(stream.at_each::<2>(1), PUBLISHED[1..]);
        let mut reader = stream.reader();
        assert_eq!(PUBLISHED.map(|_| reader.next_u64()), PUBLISHED);
        assert_eq!(splitmix64(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(GAMMA), splitmix64(0));
    }

    #[test]
    fn fnv1a_matches_published_hashes() {
        // Test vectors of the authors, http://www.isthe.com/chongo/tech/comp/fnv/.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn integers_stay_below_their_bound_and_are_equally_likely() {
        let stream = Stream::new(fnv1a("integers"));
        assert!((0..100).all(|index| below(stream.at(index), 1) == 0));
        let (mut counts, mut reader) = ([0i32; 6], stream.reader());
        for _ in 0..6000 {
            counts[reader.next_below(6) as usize] += 1;
        }
        // Chi-square with 5 degrees of freedom exceeds 15.1 with probability 0.01.
        let chi_square: f64 = counts.iter().map(|n| f64::from(n - 1000).powi(2) / 1000.0).sum();
        assert!(chi_square < 15.1, "{counts:?}");
    }

    #[test]
    fn unit_numbers_stay_in_their_interval() {
        assert_eq!(unit(0), 0.0);
        assert_eq!(unit(u64::MAX), 1.0 - 2f64.powi(-53));
        let mut reader = Stream::new(7).reader();
        let mean = (0..40_000).map(|_| reader.next_unit()).sum::<f64>() / 40_000.0;
        // Five standard errors.
        assert!((mean - 0.5).abs() < 5.0 * (1.0f64 / 12.0 / 40_000.0).sqrt());
    }
}

//! Changes that a fuzzer makes, without one.

/// The bytes with one to eight changes, the same for the same round: a byte turned into another, a number into one at its
/// limits, a piece taken out or put in twice.
pub(crate) fn changed(whole: &[u8], round: u64) -> Vec<u8> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // SplitMix64 (Steele et al. 2014).
    let mut below = |limit: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    };
    let mut bytes = whole.to_vec();
    for _ in 0..=below(8) {
        let at = below(bytes.len());
        let piece = at..(at + below(16)).min(bytes.len());
        match below(5) {
            0 => bytes[at] ^= 1 << below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)],
            2 => bytes[piece].fill([0, 0xff][below(2)]),
            3 => drop(bytes.drain(piece)),
            _ => {
                let again = bytes[piece].to_vec();
                let _ = bytes.splice(at..at, again);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

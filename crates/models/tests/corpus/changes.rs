//! Changes to files like those that a fuzzer makes.

use hard_imagenet_cpu::random::{GAMMA, Stream};

/// Returns the bytes with one to eight changes, which depend only on `round`: flipped bits, extreme values, and removed
/// or repeated sections.
pub(crate) fn change(whole: &[u8], round: u64) -> Vec<u8> {
    let mut random = Stream::new(round.wrapping_mul(GAMMA)).reader();
    let mut below = |limit: usize| (random.next_u64() % limit.max(1) as u64) as usize;
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

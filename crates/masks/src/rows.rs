//! Operations on rows of mask pixels, many pixels at a time. The measures of a mask are built from them.
//!
//! Bytes that are 0 or 1 are counted in lanes of one byte, which compilers turn into vector instructions. A lane counts
//! to 255 before it is emptied into the total.

/// The number of lanes.
const LANES: usize = 32;

/// Counts the positions at which `f` of two rows is 1. `f` must return 0 or 1.
pub(crate) fn count(a: &[u8], b: &[u8], f: impl Fn(u8, u8) -> u8) -> usize {
    let mut total = 0;
    for (a, b) in a.chunks(LANES * 255).zip(b.chunks(LANES * 255)) {
        let mut lanes = [0u8; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..LANES {
                lanes[lane] += f(a[lane], b[lane]);
            }
        }
        total += lanes.iter().map(|&lane| usize::from(lane)).sum::<usize>();
        total += a_rest.iter().zip(b_rest).map(|(&a, &b)| usize::from(f(a, b))).sum::<usize>();
    }
    total
}

/// Returns whether any pixel is object.
pub(crate) fn any(row: &[u8]) -> bool {
    row.chunks(LANES * 4).any(|pixels| pixels.iter().fold(0, |any, &v| any | v) != 0)
}

/// Calls `found` with each position at which two rows differ. Eight equal pixels are skipped at a time.
pub(crate) fn differences(a: &[u8], b: &[u8], mut found: impl FnMut(usize)) {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (at, (a, b)) in a_words.iter().zip(b_words).enumerate() {
        let mut changed = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        while changed != 0 {
            found(at * 8 + changed.trailing_zeros() as usize / 8);
            changed &= changed - 1;
        }
    }
    for (at, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        if a != b {
            found(a_words.len() * 8 + at);
        }
    }
}

/// Calls `found` with each stretch of object pixels: its first position and the one after its last.
pub(crate) fn stretches(row: &[u8], mut found: impl FnMut(usize, usize)) {
    let Some((_, before)) = row.split_last() else { return };
    let mut start = (row[0] != 0).then_some(0);
    differences(before, &row[1..], |at| {
        start = match start {
            Some(start) => {
                found(start, at + 1);
                None
            }
            None => Some(at + 1),
        };
    });
    if let Some(start) = start {
        found(start, row.len());
    }
}

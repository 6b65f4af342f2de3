//! Rows of mask pixels, many pixels at a time: what the measures of a mask are made of.
//!
//! Bytes that are 0 or 1 are counted in lanes of a byte each, which compilers turn into vector instructions; a lane
//! holds at most 255 before it is emptied.

/// Lanes side by side.
const LANES: usize = 32;

/// In how many places `f` of two rows is 1; it must give 0 or 1.
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

/// Is any pixel object?
pub(crate) fn any(row: &[u8]) -> bool {
    row.chunks(LANES * 4).any(|pixels| pixels.iter().fold(0, |any, &v| any | v) != 0)
}

/// Calls `found` with each place where two rows differ, eight at a time where they do not.
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

/// Calls `found` with each stretch of object pixels, as its first place and one past its last.
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

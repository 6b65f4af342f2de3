//! The compressed text of COCO's files.
//!
//! A number is a sequence of characters of six bits: five bits of the number, lowest first, and one bit that says
//! whether more characters follow. From the fourth run on, the number is the difference from the run two places before.

use super::{Rle, RleError};

/// The character for six zero bits.
const ZERO: u8 = b'0';
/// Set if another character of the number follows.
const MORE: u8 = 0x20;
/// The sign bit in the last character of a number.
const SIGN: u8 = 0x10;
/// A limit above the bits of any difference of two runs and below an overflow.
const MOST_BITS: u32 = 60;

impl Rle {
    /// Parses COCO's compressed form.
    ///
    /// # Errors
    /// Returns an [`RleError`] if the text is not a valid code or its runs do not fill the mask.
    pub fn from_compressed(height: usize, width: usize, text: &str) -> Result<Self, RleError> {
        let mut counts: Vec<u32> = Vec::new();
        let (mut number, mut bits) = (0i64, 0);
        for (at, &character) in text.as_bytes().iter().enumerate() {
            let index = counts.len();
            let digit = character.checked_sub(ZERO).filter(|&digit| digit < 64).ok_or(RleError::Character { at })?;
            if bits == MOST_BITS {
                return Err(RleError::Run { index });
            }
            number |= i64::from(digit & 0x1f) << bits;
            bits += 5;
            if digit & MORE != 0 {
                continue;
            }
            if digit & SIGN != 0 {
                number |= -1 << bits;
            }
            let before = if index > 2 { counts[index - 2].into() } else { 0 };
            counts.push(u32::try_from(number + before).map_err(|_| RleError::Run { index })?);
            (number, bits) = (0, 0);
        }
        if bits > 0 {
            return Err(RleError::Truncated);
        }
        Self::from_counts(height, width, &counts)
    }

    /// Returns COCO's compressed form, which result files contain.
    pub fn to_compressed(&self) -> String {
        let mut text = String::with_capacity(self.counts.len() * 2);
        for (index, &count) in self.counts.iter().enumerate() {
            let before = if index > 2 { self.counts[index - 2] } else { 0 };
            let mut number = i64::from(count) - i64::from(before);
            loop {
                let digit = (number & 0x1f) as u8;
                number >>= 5;
                let done = number == if digit & SIGN != 0 { -1 } else { 0 };
                text.push(char::from(ZERO + digit + if done { 0 } else { MORE }));
                if done {
                    break;
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_codes_are_errors() {
        let check = |height, width, text, expected| {
            assert_eq!(Rle::from_compressed(height, width, text), Err(expected), "{text}")
        };
        check(2, 2, "", RleError::Sum { height: 2, width: 2, got: 0 });
        check(2, 2, "11", RleError::Sum { height: 2, width: 2, got: 2 });
        check(2, 2, "15", RleError::Sum { height: 2, width: 2, got: 6 });
        check(2, 2, "1/", RleError::Character { at: 1 });
        check(2, 2, "1é", RleError::Character { at: 1 });
        check(2, 2, "1p", RleError::Character { at: 1 });
        check(2, 2, "4P", RleError::Truncated);
        check(2, 2, "N", RleError::Run { index: 0 });
        check(2, 2, "1oooooooooooo0", RleError::Run { index: 1 });
        check(2, 2, "1PPPPPPPPPPP1", RleError::Run { index: 1 });
        check(usize::MAX, 2, "4", RleError::Size { height: usize::MAX, width: 2 });
        check(1 << 20, 1 << 20, "4", RleError::Size { height: 1 << 20, width: 1 << 20 });
    }

    #[test]
    fn the_largest_runs_survive() {
        let counts = [0, u32::MAX - 3, 1, 1, 1];
        let rle = Rle::from_counts(u32::MAX as usize, 1, &counts).unwrap();
        let again = Rle::from_compressed(u32::MAX as usize, 1, &rle.to_compressed()).unwrap();
        assert_eq!(again.counts(), counts);
    }
}

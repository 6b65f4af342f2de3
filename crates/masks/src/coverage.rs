use crate::{Heatmap, Mask};

impl Mask {
    /// Divides the image into a grid of `rows` × `columns` cells and returns the share of each cell that is object:
    /// `(rows, columns)`, in [0, 1].
    ///
    /// Pixels on a boundary between cells count for each cell by the part that lies in it. This brings a mask to the
    /// size of a feature map.
    ///
    /// ```
    /// use hard_imagenet_masks::Mask;
    ///
    /// let mask = Mask::from_fn(4, 4, |row, column| row < 2 && column < 3);
    /// assert_eq!(mask.coverage(2, 2).as_slice(), [1.0, 0.5, 0.0, 0.0]);
    /// ```
    #[allow(clippy::missing_panics_doc, reason = "the values match the extents by construction")]
    pub fn coverage(&self, rows: usize, columns: usize) -> Heatmap {
        let (row_cells, column_cells) = (cells(self.height(), rows), cells(self.width(), columns));
        let mut covered = vec![0.0f64; rows * columns];
        for (y, row_cells) in row_cells.iter().enumerate() {
            let mut line = vec![0.0f64; columns];
            for (&value, column_cells) in self.row(y).iter().zip(&column_cells) {
                if value != 0 {
                    column_cells.iter().for_each(|&(cell, share)| line[cell] += share);
                }
            }
            for &(cell, share) in row_cells {
                covered[cell * columns..][..columns]
                    .iter_mut()
                    .zip(&line)
                    .for_each(|(sum, value)| *sum += share * value);
            }
        }
        let values = covered.into_iter().map(|share| share as f32).collect();
        Heatmap::from_values(rows, columns, values)
    }
}

/// For each pixel of a line, the cells that it lies in and the share of the cell that it fills.
fn cells(pixels: usize, cells: usize) -> Vec<Vec<(usize, f64)>> {
    let size = pixels as f64 / cells as f64;
    let cells_of = |pixel: usize| {
        let (from, to) = (pixel as f64 / size, (pixel + 1) as f64 / size);
        (from.floor() as usize..(to.ceil() as usize).min(cells))
            .map(|cell| (cell, to.min(cell as f64 + 1.0) - from.max(cell as f64)))
            .filter(|&(_, share)| share > 0.0)
            .collect()
    };
    (0..pixels).map(cells_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundary_pixels_count_for_both_cells() {
        // The middle third of a line of four pixels begins within a pixel.
        let line = Mask::from_fn(1, 4, |_, column| column == 1);
        let got = line.coverage(1, 3).into_vec();
        assert!((got[0] - 0.25).abs() < 1e-6 && (got[1] - 0.5).abs() < 1e-6 && got[2] == 0.0, "{got:?}");
        let whole: f32 = Mask::from_fn(7, 5, |_, _| true).coverage(3, 2).as_slice().iter().sum();
        assert!((whole - 6.0).abs() < 1e-5);
        assert_eq!(Mask::new(0, 3).coverage(1, 1).as_slice(), [0.0]);
    }
}

//! Size and position of the object.

use crate::{Mask, Rect, rows};

impl Mask {
    /// Returns the number of object pixels.
    pub fn area(&self) -> usize {
        rows::count(self.as_slice(), self.as_slice(), |v, _| v)
    }

    /// Returns the share of object pixels, in [0, 1]; 0 for a mask without pixels.
    pub fn fraction(&self) -> f64 {
        if self.as_slice().is_empty() { 0.0 } else { self.area() as f64 / self.as_slice().len() as f64 }
    }

    /// Returns whether no pixel is object.
    pub fn is_empty(&self) -> bool {
        !rows::any(self.as_slice())
    }

    /// Returns whether every pixel is object.
    pub fn is_full(&self) -> bool {
        self.area() == self.as_slice().len()
    }

    /// Returns the smallest rectangle that contains every object pixel; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<Rect> {
        if self.width() == 0 {
            return None;
        }
        let lines = self.as_slice().chunks_exact(self.width());
        let top = lines.clone().position(rows::any)?;
        let bottom = lines.clone().rposition(rows::any)? + 1;
        let mut columns = vec![0; self.width()];
        for line in lines.take(bottom).skip(top) {
            columns.iter_mut().zip(line).for_each(|(any, &value)| *any |= value);
        }
        let left = columns.iter().position(|&any| any != 0)?;
        let right = columns.iter().rposition(|&any| any != 0)? + 1;
        Some(Rect { top, left, bottom, right })
    }

    /// Returns the mean (row, column) of the object pixels, in pixel indices; `None` for an empty mask.
    ///
    /// The centroid of a single pixel is its index.
    pub fn centroid(&self) -> Option<(f64, f64)> {
        let (mut area, mut row_sum, mut column_sum) = (0, 0, 0);
        // Columns are counted in bytes, which hold at most 255 rows.
        for first in (0..self.height()).step_by(255) {
            let mut counts = vec![0u8; self.width()];
            for row in first..self.height().min(first + 255) {
                counts.iter_mut().zip(self.row(row)).for_each(|(count, &value)| *count += value);
                let pixels = rows::count(self.row(row), self.row(row), |v, _| v);
                area += pixels;
                row_sum += pixels * row;
            }
            column_sum += counts.iter().enumerate().map(|(column, &count)| column * usize::from(count)).sum::<usize>();
        }
        (area > 0).then(|| (row_sum as f64 / area as f64, column_sum as f64 / area as f64))
    }

    /// Returns the distance of the centroid from the center of the image, in units of half the image's diagonal; `None`
    /// for an empty mask.
    ///
    /// It is 0 in the center and just below 1 for a single pixel in a corner.
    pub fn eccentricity(&self) -> Option<f64> {
        let (row, column) = self.centroid()?;
        let (half_height, half_width) = (self.height() as f64 / 2.0, self.width() as f64 / 2.0);
        let distance = (row + 0.5 - half_height).hypot(column + 0.5 - half_width);
        Some(distance / half_height.hypot(half_width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a mask from rows of `#` and `.` that are separated by blanks.
    fn mask(rows: &str) -> Mask {
        let rows: Vec<&[u8]> = rows.split_whitespace().map(str::as_bytes).collect();
        Mask::from_fn(rows.len(), rows[0].len(), |row, column| rows[row][column] == b'#')
    }

    #[test]
    fn areas_and_shares() {
        let check = |rows, area, fraction, empty, full| {
            let mask = mask(rows);
            assert_eq!((mask.area(), mask.is_empty(), mask.is_full()), (area, empty, full), "{mask:?}");
            assert_eq!(mask.fraction(), fraction);
        };
        check("... ...", 0, 0.0, true, false);
        check("### ###", 6, 1.0, false, true);
        check("#.. ..#", 2, 1.0 / 3.0, false, false);
        assert_eq!(Mask::new(0, 5).fraction(), 0.0);
    }

    #[test]
    fn bounding_boxes() {
        let check = |rows, expected: Option<(usize, usize, usize, usize)>| {
            let expected = expected.map(|(top, left, bottom, right)| Rect { top, left, bottom, right });
            assert_eq!(mask(rows).bounding_box(), expected, "{rows}");
        };
        check("... ...", None);
        check("... .#.", Some((1, 1, 2, 2)));
        check("#.. ..# ...", Some((0, 0, 2, 3)));
        check("..# ... #..", Some((0, 0, 3, 3)));
        assert_eq!(Mask::new(3, 0).bounding_box(), None);
    }

    #[test]
    fn centroids() {
        assert_eq!(mask("... .#. ...").centroid(), Some((1.0, 1.0)));
        assert_eq!(mask("... .#. ...").eccentricity(), Some(0.0));
        assert_eq!(mask("#. ..").centroid(), Some((0.0, 0.0)));
        assert_eq!(mask("#. ..").eccentricity(), Some(0.5));
        assert_eq!(mask(".. ..").centroid(), None);
        assert_eq!(mask(".. ..").eccentricity(), None);
    }
}

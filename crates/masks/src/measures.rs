//! How large an object is and where.

use crate::{Mask, Rect, rows};

impl Mask {
    /// Number of object pixels.
    pub fn area(&self) -> usize {
        rows::count(self.as_slice(), self.as_slice(), |v, _| v)
    }

    /// Share of object pixels, in [0, 1]; 0 for a mask without pixels.
    pub fn fraction(&self) -> f64 {
        if self.as_slice().is_empty() { 0.0 } else { self.area() as f64 / self.as_slice().len() as f64 }
    }

    /// Is no pixel object?
    pub fn is_empty(&self) -> bool {
        !rows::any(self.as_slice())
    }

    /// Is every pixel object?
    pub fn is_full(&self) -> bool {
        self.area() == self.as_slice().len()
    }

    /// The smallest rectangle that holds every object pixel; `None` for an empty mask.
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

    /// Mean (row, column) of the object pixels, in pixel indices, so that a pixel's own centroid is its index; `None`
    /// for an empty mask.
    pub fn centroid(&self) -> Option<(f64, f64)> {
        let (mut area, mut row_sum, mut column_sum) = (0, 0, 0);
        // A byte for each column counts at most 255 rows before it is emptied.
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

    /// How far the centroid lies from the centre of the image, in units of half the image's diagonal: 0 in the
    /// centre, just below 1 for a single pixel in a corner; `None` for an empty mask.
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

    /// Rows of `#` and `.`, divided by blanks.
    fn mask(picture: &str) -> Mask {
        let rows: Vec<&[u8]> = picture.split_whitespace().map(str::as_bytes).collect();
        Mask::from_fn(rows.len(), rows[0].len(), |row, column| rows[row][column] == b'#')
    }

    #[test]
    fn counts() {
        let check = |picture, area, fraction, empty, full| {
            let mask = mask(picture);
            assert_eq!((mask.area(), mask.is_empty(), mask.is_full()), (area, empty, full), "{mask:?}");
            assert_eq!(mask.fraction(), fraction);
        };
        check("... ...", 0, 0.0, true, false);
        check("### ###", 6, 1.0, false, true);
        check("#.. ..#", 2, 1.0 / 3.0, false, false);
        assert_eq!(Mask::new(0, 5).fraction(), 0.0);
    }

    #[test]
    fn boxes() {
        let check = |picture, expected: Option<(usize, usize, usize, usize)>| {
            let expected = expected.map(|(top, left, bottom, right)| Rect { top, left, bottom, right });
            assert_eq!(mask(picture).bounding_box(), expected, "{picture}");
        };
        check("... ...", None);
        check("... .#.", Some((1, 1, 2, 2)));
        check("#.. ..# ...", Some((0, 0, 2, 3)));
        check("..# ... #..", Some((0, 0, 3, 3)));
        assert_eq!(Mask::new(3, 0).bounding_box(), None);
    }

    #[test]
    fn centres() {
        assert_eq!(mask("... .#. ...").centroid(), Some((1.0, 1.0)));
        assert_eq!(mask("... .#. ...").eccentricity(), Some(0.0));
        assert_eq!(mask("#. ..").centroid(), Some((0.0, 0.0)));
        assert_eq!(mask("#. ..").eccentricity(), Some(0.5));
        assert_eq!(mask(".. ..").centroid(), None);
        assert_eq!(mask(".. ..").eccentricity(), None);
    }
}

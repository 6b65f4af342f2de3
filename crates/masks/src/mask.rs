use crate::{Components, Connectivity, Rect};

/// Which pixels of an image belong to the object: `(H, W)`, row-major, one byte a pixel, 0 or 1.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    data: Vec<u8>,
}

/// Why a mask could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// The number of values is not height × width.
    #[error("a mask of {height} × {width} needs {} values, got {got}", height * width)]
    Length {
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
        /// Values given.
        got: usize,
    },
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
    /// [`MaskError::Length`] unless there are `height * width` values.
    pub fn from_vec(height: usize, width: usize, mut values: Vec<u8>) -> Result<Self, MaskError> {
        if values.len() != height * width {
            return Err(MaskError::Length { height, width, got: values.len() });
        }
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

    /// Number of object pixels.
    pub fn area(&self) -> usize {
        self.data.iter().map(|&v| usize::from(v)).sum()
    }

    /// Share of object pixels, in [0, 1]; 0 for a mask without pixels.
    pub fn fraction(&self) -> f64 {
        if self.data.is_empty() { 0.0 } else { self.area() as f64 / self.data.len() as f64 }
    }

    /// Is no pixel object?
    pub fn is_empty(&self) -> bool {
        self.data.iter().all(|&v| v == 0)
    }

    /// Is every pixel object?
    pub fn is_full(&self) -> bool {
        self.data.iter().all(|&v| v != 0)
    }

    /// The background: object pixels where this mask has none.
    pub fn complement(&self) -> Self {
        Self { height: self.height, width: self.width, data: self.data.iter().map(|&v| 1 - v).collect() }
    }

    /// Intersection over union, in [0, 1]; `None` if both masks are empty.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn iou(&self, other: &Self) -> Option<f64> {
        let both = self.overlap(other);
        let either = self.area() + other.area() - both;
        (either > 0).then(|| both as f64 / either as f64)
    }

    /// Dice's coefficient, twice the intersection over the sum of the areas, in [0, 1]; `None` if both masks are empty.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn dice(&self, other: &Self) -> Option<f64> {
        let both = self.overlap(other);
        let sum = self.area() + other.area();
        (sum > 0).then(|| 2.0 * both as f64 / sum as f64)
    }

    fn overlap(&self, other: &Self) -> usize {
        assert_eq!((self.height, self.width), (other.height, other.width), "masks of two sizes do not compare");
        self.data.iter().zip(&other.data).map(|(&a, &b)| usize::from(a & b)).sum()
    }

    /// The smallest rectangle that holds every object pixel; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<Rect> {
        let mut found: Option<Rect> = None;
        for (row, pixels) in self.data.chunks_exact(self.width.max(1)).enumerate() {
            let Some(left) = pixels.iter().position(|&v| v != 0) else { continue };
            let right = pixels.iter().rposition(|&v| v != 0).map_or(left, |last| last) + 1;
            let line = Rect { top: row, left, bottom: row + 1, right };
            found = Some(found.map_or(line, |all| all.hull(&line)));
        }
        found
    }

    /// Mean (row, column) of the object pixels, in pixel indices, so that a pixel's own centroid is its index; `None`
    /// for an empty mask.
    pub fn centroid(&self) -> Option<(f64, f64)> {
        let (mut area, mut rows, mut columns) = (0usize, 0usize, 0usize);
        for (row, pixels) in self.data.chunks_exact(self.width.max(1)).enumerate() {
            for (column, &value) in pixels.iter().enumerate() {
                let value = usize::from(value);
                area += value;
                rows += value * row;
                columns += value * column;
            }
        }
        (area > 0).then(|| (rows as f64 / area as f64, columns as f64 / area as f64))
    }

    /// How far the centroid lies from the centre of the image, in units of half the image's diagonal: 0 in the
    /// centre, just below 1 for a single pixel in a corner; `None` for an empty mask.
    pub fn eccentricity(&self) -> Option<f64> {
        let (row, column) = self.centroid()?;
        let (half_height, half_width) = (self.height as f64 / 2.0, self.width as f64 / 2.0);
        let distance = (row + 0.5 - half_height).hypot(column + 0.5 - half_width);
        Some(distance / half_height.hypot(half_width))
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
            assert_eq!(mask.complement().area(), picture.matches('.').count());
            assert_eq!(mask.complement().complement(), mask);
        };
        check("... ...", 0, 0.0, true, false);
        check("### ###", 6, 1.0, false, true);
        check("#.. ..#", 2, 1.0 / 3.0, false, false);
        assert_eq!(Mask::new(0, 5).fraction(), 0.0);
    }

    #[test]
    fn overlaps() {
        let (a, b, none) = (mask("##. ##."), mask(".## .##"), mask("... ..."));
        assert_eq!(a.iou(&b), Some(2.0 / 6.0));
        assert_eq!(a.dice(&b), Some(4.0 / 8.0));
        assert_eq!(a.iou(&a), Some(1.0));
        assert_eq!(a.iou(&none), Some(0.0));
        assert_eq!(none.iou(&none), None);
        assert_eq!(none.dice(&none), None);
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

    #[test]
    fn values_become_zero_and_one_and_must_be_as_many_as_pixels() {
        assert_eq!(Mask::from_vec(1, 3, vec![0, 7, 255]).unwrap().as_slice(), [0, 1, 1]);
        let error = Mask::from_vec(2, 3, vec![0; 5]).unwrap_err().to_string();
        assert_eq!(error, "a mask of 2 × 3 needs 6 values, got 5");
    }
}

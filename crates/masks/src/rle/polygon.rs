//! Conversion of polygons to masks, identical to COCO's own tools, so that areas and overlaps equal the published ones.
//!
//! The rule works on small pixels, a fifth as wide as the image's. Corners move to the nearest small pixel. Edges
//! become chains of small pixels, as in Bresenham's algorithm. Wherever a chain passes the middle of a column of image
//! pixels, the column changes between background and object below that place (even-odd).

use super::{Rle, RleError, pixel_count};

/// The number of small pixels along the side of an image pixel.
const SMALL: i64 = 5;
/// A chain passes the middle of a column where it steps from this small pixel of an image pixel to the next one.
const MIDDLE: i64 = 2;

impl Rle {
    /// Creates the mask of the pixels inside a polygon, equal to pycocotools.
    ///
    /// Corners are (x, y) = (column, row) in pixels; (0, 0) is the top left corner of the image. The last corner is
    /// joined to the first. Areas that the polygon covers twice are outside. The polygon may reach beyond the image;
    /// coordinates beyond ±4 · 10⁸ are clipped to that. COCO's files store the numbers in one flat list, which
    /// `as_chunks::<2>()` turns into corners without a copy.
    ///
    /// # Errors
    /// Returns [`RleError::Size`] or [`RleError::Corner`].
    pub fn from_polygon(height: usize, width: usize, corners: &[[f64; 2]]) -> Result<Self, RleError> {
        let pixels = pixel_count(height, width)?;
        if let Some(index) = corners.iter().position(|[x, y]| !x.is_finite() || !y.is_finite()) {
            return Err(RleError::Corner { index, x: corners[index][0], y: corners[index][1] });
        }
        // The cast to i32 saturates, so the arithmetic below cannot overflow.
        let small = |place: f64| i64::from((SMALL as f64 * place + 0.5) as i32);
        let corners: Vec<[i64; 2]> = corners.iter().map(|&[x, y]| [small(x), small(y)]).collect();
        let mut changes: Vec<u32> = Vec::new();
        for (index, &from) in corners.iter().enumerate() {
            let to = corners[(index + 1) % corners.len()];
            crossings(from, to, width, |column, y| {
                let row = (y - MIDDLE + SMALL - 1).div_euclid(SMALL).clamp(0, height as i64);
                changes.push(column * height as u32 + row as u32);
            });
        }
        changes.sort_unstable();
        changes.push(pixels);
        let mut at = 0;
        let runs = changes.into_iter().enumerate().map(|(index, change)| {
            let length = change - at;
            at = change;
            (length, index % 2 == 1)
        });
        Ok(Self::joined(height, width, runs))
    }

    /// Creates the mask of the pixels inside any of several polygons, as COCO describes an object that has several
    /// parts.
    ///
    /// # Errors
    /// As [`Rle::from_polygon`].
    pub fn from_polygons<P: AsRef<[[f64; 2]]>>(
        height: usize,
        width: usize,
        polygons: impl IntoIterator<Item = P>,
    ) -> Result<Self, RleError> {
        let none = Self::from_polygon(height, width, &[])?;
        polygons
            .into_iter()
            .try_fold(none, |all, polygon| Ok(all.union(&Self::from_polygon(height, width, polygon.as_ref())?)))
    }
}

/// Calls `found` with each image column whose middle the edge passes, and with the small row there.
fn crossings(from: [i64; 2], to: [i64; 2], width: usize, mut found: impl FnMut(u32, i64)) {
    let flat = (to[0] - from[0]).abs() >= (to[1] - from[1]).abs();
    // The chain steps along its longer side, in ascending order of that coordinate.
    let axis = usize::from(!flat);
    let ([x, y], [end_x, end_y]) = if from[axis] > to[axis] { (to, from) } else { (from, to) };
    if x == end_x {
        return;
    }
    let first = (x.min(end_x) - MIDDLE + SMALL - 1).div_euclid(SMALL).max(0);
    let last = (x.max(end_x) - 1 - MIDDLE).div_euclid(SMALL).min(width as i64 - 1);
    if flat {
        let slope = (end_y - y) as f64 / (end_x - x) as f64;
        let row = |column: i64| (y as f64 + slope * (column - x) as f64 + 0.5) as i64;
        for column in first..=last {
            let at = column * SMALL + MIDDLE;
            found(column as u32, row(at).min(row(at + 1)));
        }
    } else {
        let slope = (end_x - x) as f64 / (end_y - y) as f64;
        let column_of = |step: i64| (x as f64 + slope * step as f64 + 0.5) as i64;
        for column in first..=last {
            // Find the step at which the chain crosses the middle: solve for it, then correct for rounding.
            let at = column * SMALL + MIDDLE;
            let passed = |step: i64| (column_of(step) > at) == (slope > 0.0);
            let mut step = (((at as f64 + 0.5) - x as f64) / slope) as i64;
            while step > 0 && passed(step - 1) {
                step -= 1;
            }
            while !passed(step) {
                step += 1;
            }
            found(column as u32, y + step - 1);
        }
    }
}

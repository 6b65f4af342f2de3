use crate::Rect;

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
        assert!(column < self.width);
        self.data[row * self.width + column] != 0
    }

    /// All pixels, row-major, each 0 or 1.
    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }

    /// Number of object pixels.
    pub fn area(&self) -> usize {
        self.data.iter().map(|&v| usize::from(v)).sum()
    }

    /// The smallest rectangle that holds every object pixel; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<Rect> {
        let mut found: Option<Rect> = None;
        for row in 0..self.height {
            for column in 0..self.width {
                if self.get(row, column) {
                    let r = found.get_or_insert(Rect { top: row, left: column, bottom: row + 1, right: column + 1 });
                    r.bottom = row + 1;
                    r.left = r.left.min(column);
                    r.right = r.right.max(column + 1);
                }
            }
        }
        found
    }
}

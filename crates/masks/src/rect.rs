/// A rectangle of pixels, half-open: rows `top..bottom`, columns `left..right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// One past the last row.
    pub bottom: usize,
    /// One past the last column.
    pub right: usize,
}

impl Rect {
    /// Number of rows; 0 if the bottom is not below the top.
    pub fn height(&self) -> usize {
        self.bottom.saturating_sub(self.top)
    }

    /// Number of columns; 0 if the right is not beyond the left.
    pub fn width(&self) -> usize {
        self.right.saturating_sub(self.left)
    }

    /// Number of pixels.
    pub fn area(&self) -> usize {
        self.height() * self.width()
    }

    /// Does it hold no pixel?
    pub fn is_empty(&self) -> bool {
        self.area() == 0
    }

    /// Does it hold this pixel?
    pub fn contains(&self, row: usize, column: usize) -> bool {
        (self.top..self.bottom).contains(&row) && (self.left..self.right).contains(&column)
    }

    /// The smallest rectangle that holds both.
    pub(crate) fn hull(&self, other: &Rect) -> Rect {
        Rect {
            top: self.top.min(other.top),
            left: self.left.min(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

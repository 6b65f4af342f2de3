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
    /// Number of rows.
    pub fn height(&self) -> usize {
        self.bottom - self.top
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.right - self.left
    }
}

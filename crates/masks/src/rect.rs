/// A rectangle of pixels, half-open: rows `top..bottom`, columns `left..right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rect {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// The row after the last one.
    pub bottom: usize,
    /// The column after the last one.
    pub right: usize,
}

impl Rect {
    /// Returns the number of rows; 0 if `bottom` is not below `top`.
    pub fn height(&self) -> usize {
        self.bottom.saturating_sub(self.top)
    }

    /// Returns the number of columns; 0 if `right` is not beyond `left`.
    pub fn width(&self) -> usize {
        self.right.saturating_sub(self.left)
    }

    /// Returns the number of pixels.
    pub fn area(&self) -> usize {
        self.height() * self.width()
    }

    /// Returns whether the rectangle contains no pixel.
    pub fn is_empty(&self) -> bool {
        self.area() == 0
    }

    /// Returns whether the rectangle contains the pixel.
    pub fn contains(&self, row: usize, column: usize) -> bool {
        (self.top..self.bottom).contains(&row) && (self.left..self.right).contains(&column)
    }

    /// Returns the (row, column) of the first and the last pixel; `None` if the rectangle contains no pixel.
    pub fn corners(&self) -> Option<((usize, usize), (usize, usize))> {
        (!self.is_empty()).then(|| ((self.top, self.left), (self.bottom - 1, self.right - 1)))
    }

    /// Returns the box without its last row and column.
    ///
    /// The published code takes the last row and column for exclusive ends and so loses them (Q3). A box that is one
    /// pixel wide or high becomes empty.
    pub fn to_exclusive(&self) -> Self {
        Self { bottom: self.bottom.saturating_sub(1), right: self.right.saturating_sub(1), ..*self }
    }

    /// Returns the smallest rectangle that contains both.
    pub(crate) fn hull(&self, other: &Rect) -> Rect {
        Rect {
            top: self.top.min(other.top),
            left: self.left.min(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inclusive_and_exclusive_ends() {
        let bounds = Rect { top: 1, left: 2, bottom: 4, right: 8 };
        assert_eq!(bounds.corners(), Some(((1, 2), (3, 7))));
        assert_eq!(bounds.to_exclusive(), Rect { top: 1, left: 2, bottom: 3, right: 7 });
        let line = Rect { top: 1, left: 2, bottom: 2, right: 8 };
        assert!(line.to_exclusive().is_empty());
        assert_eq!(line.to_exclusive().corners(), None);
    }
}

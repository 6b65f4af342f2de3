/// A rectangle of pixels, half-open: rows `top..bottom`, columns `left..right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

    /// The first and the last pixel, as inclusive (row, column); `None` if it holds no pixel.
    pub fn corners(&self) -> Option<((usize, usize), (usize, usize))> {
        (!self.is_empty()).then(|| ((self.top, self.left), (self.bottom - 1, self.right - 1)))
    }

    /// The box that the published code makes of this one: it takes the last row and column for the ends, which so are
    /// lost (Q3). A box one pixel wide or high becomes empty.
    pub fn to_exclusive(&self) -> Self {
        Self { bottom: self.bottom.saturating_sub(1), right: self.right.saturating_sub(1), ..*self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_ends() {
        let bounds = Rect { top: 1, left: 2, bottom: 4, right: 8 };
        assert_eq!(bounds.corners(), Some(((1, 2), (3, 7))));
        assert_eq!(bounds.to_exclusive(), Rect { top: 1, left: 2, bottom: 3, right: 7 });
        let line = Rect { top: 1, left: 2, bottom: 2, right: 8 };
        assert!(line.to_exclusive().is_empty());
        assert_eq!(line.to_exclusive().corners(), None);
    }
}

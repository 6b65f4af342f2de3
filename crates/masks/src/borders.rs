use crate::{Mask, Rect};

/// The borders of an image that an object touches. The object may continue beyond them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Borders {
    /// Whether it touches the first row.
    pub top: bool,
    /// Whether it touches the first column.
    pub left: bool,
    /// Whether it touches the last row.
    pub bottom: bool,
    /// Whether it touches the last column.
    pub right: bool,
}

impl Borders {
    /// Returns whether the object touches any border.
    pub fn has_any(&self) -> bool {
        self.count() > 0
    }

    /// Returns the number of touched borders.
    pub fn count(&self) -> usize {
        [self.top, self.left, self.bottom, self.right].map(usize::from).iter().sum()
    }
}

impl Rect {
    /// Returns the borders that the box touches in an image of `height` × `width`; none if the box is empty.
    pub fn borders(&self, height: usize, width: usize) -> Borders {
        if self.is_empty() {
            return Borders::default();
        }
        Borders { top: self.top == 0, left: self.left == 0, bottom: self.bottom >= height, right: self.right >= width }
    }
}

impl Mask {
    /// Returns the borders of the image that the object touches.
    pub fn borders(&self) -> Borders {
        self.bounding_box().map_or(Borders::default(), |bounds| bounds.borders(self.height(), self.width()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Connectivity;

    #[test]
    fn touched_borders() {
        let check = |pixels: &[(usize, usize)], top, left, bottom, right| {
            let mask = Mask::from_fn(4, 5, |row, column| pixels.contains(&(row, column)));
            assert_eq!(mask.borders(), Borders { top, left, bottom, right }, "{mask:?}");
        };
        check(&[], false, false, false, false);
        check(&[(1, 1), (2, 3)], false, false, false, false);
        check(&[(0, 0)], true, true, false, false);
        check(&[(3, 2)], false, false, true, false);
        check(&[(0, 4), (3, 1)], true, false, true, true);
        assert_eq!(Mask::new(4, 5).complement().borders().count(), 4);
        assert!(!Mask::new(0, 5).complement().borders().has_any());
    }

    #[test]
    fn each_component_has_its_own_borders() {
        let mask = Mask::from_fn(4, 5, |row, column| (row == 0 && column > 2) || (row, column) == (2, 1));
        let parts = mask.components(Connectivity::Four);
        let counts: Vec<usize> = parts.iter().map(|part| part.bounds.borders(4, 5).count()).collect();
        assert_eq!(counts, [2, 0]);
    }
}

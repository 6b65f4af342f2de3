//! Masks as sets of pixels.

use crate::{Mask, rows};

impl Mask {
    /// Returns the background as a mask.
    pub fn complement(&self) -> Self {
        self.combined(self, |v, _| 1 - v)
    }

    /// Returns the pixels that are object in either mask.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn union(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a | b)
    }

    /// Returns the pixels that are object in both masks.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a & b)
    }

    /// Returns the pixels that are object in this mask but not in the other.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn difference(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a & !b)
    }

    /// Returns the pixels that are object in exactly one of the masks.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn symmetric_difference(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a ^ b)
    }

    /// Returns the intersection over union, in [0, 1]; `None` if both masks are empty.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn iou(&self, other: &Self) -> Option<f64> {
        let both = self.overlap(other);
        let either = self.area() + other.area() - both;
        (either > 0).then(|| both as f64 / either as f64)
    }

    /// Returns Dice's coefficient, twice the intersection over the sum of the areas, in [0, 1]; `None` if both masks
    /// are empty.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn dice(&self, other: &Self) -> Option<f64> {
        let both = self.overlap(other);
        let sum = self.area() + other.area();
        (sum > 0).then(|| 2.0 * both as f64 / sum as f64)
    }

    fn overlap(&self, other: &Self) -> usize {
        self.assert_same_size(other);
        rows::count(self.as_slice(), other.as_slice(), |a, b| a & b)
    }

    fn combined(&self, other: &Self, f: impl Fn(u8, u8) -> u8) -> Self {
        self.assert_same_size(other);
        let values = self.as_slice().iter().zip(other.as_slice()).map(|(&a, &b)| f(a, b)).collect();
        Self::from_binary(self.height(), self.width(), values)
    }

    fn assert_same_size(&self, other: &Self) {
        let sizes = [self, other].map(|mask| (mask.height(), mask.width()));
        assert_eq!(sizes[0], sizes[1], "masks of different sizes cannot be compared");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(pixels: &str) -> Mask {
        Mask::from_fn(1, pixels.len(), |_, column| pixels.as_bytes()[column] == b'#')
    }

    #[test]
    fn set_operations() {
        let (a, b) = (mask("##.."), mask(".#.#"));
        assert_eq!(a.union(&b), mask("##.#"));
        assert_eq!(a.intersection(&b), mask(".#.."));
        assert_eq!(a.difference(&b), mask("#..."));
        assert_eq!(a.symmetric_difference(&b), mask("#..#"));
        assert_eq!(a.complement(), mask("..##"));
    }

    #[test]
    fn overlap_measures() {
        let (a, b, none) = (mask("##.##."), mask(".##.##"), mask("......"));
        assert_eq!(a.iou(&b), Some(2.0 / 6.0));
        assert_eq!(a.dice(&b), Some(4.0 / 8.0));
        assert_eq!(a.iou(&a), Some(1.0));
        assert_eq!(a.iou(&none), Some(0.0));
        assert_eq!(none.iou(&none), None);
        assert_eq!(none.dice(&none), None);
    }
}

//! Masks and heatmaps as arrays `(H, W)` of the crate `ndarray`.

use crate::{Heatmap, Mask};
use ndarray::{Array2, ArrayView2};

/// Every value that is not 0 is object. The view may have any memory layout.
impl From<ArrayView2<'_, u8>> for Mask {
    fn from(array: ArrayView2<'_, u8>) -> Self {
        let (height, width) = array.dim();
        Self::from_vec(height, width, array.iter().copied().collect()).expect("one value per pixel")
    }
}

/// `true` is object. The view may have any memory layout.
impl From<ArrayView2<'_, bool>> for Mask {
    fn from(array: ArrayView2<'_, bool>) -> Self {
        let (height, width) = array.dim();
        Self::from_vec(height, width, array.iter().map(|&value| u8::from(value)).collect())
            .expect("one value per pixel")
    }
}

/// Object pixels become 1, background pixels 0.
impl From<&Mask> for Array2<u8> {
    fn from(mask: &Mask) -> Self {
        array(mask.height(), mask.width(), mask.as_slice().to_vec())
    }
}

/// Object pixels become `true`.
impl From<&Mask> for Array2<bool> {
    fn from(mask: &Mask) -> Self {
        array(mask.height(), mask.width(), mask.as_slice().iter().map(|&value| value != 0).collect())
    }
}

/// The view may have any memory layout.
impl From<ArrayView2<'_, f32>> for Heatmap {
    fn from(array: ArrayView2<'_, f32>) -> Self {
        let (height, width) = array.dim();
        Self::from_vec(height, width, array.iter().copied().collect()).expect("one value per pixel")
    }
}

/// Moves the values without a copy.
impl From<Heatmap> for Array2<f32> {
    fn from(map: Heatmap) -> Self {
        array(map.height(), map.width(), map.into_vec())
    }
}

fn array<T>(height: usize, width: usize, values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec((height, width), values).expect("one value per pixel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn masks_become_arrays_and_come_back() {
        let mask = Mask::from_fn(2, 3, |row, column| row == 1 && column > 0);
        assert_eq!(Array2::<u8>::from(&mask), array![[0, 0, 0], [0, 1, 1]]);
        assert_eq!(Array2::<bool>::from(&mask), array![[false, false, false], [false, true, true]]);
        assert_eq!(Mask::from(array![[0u8, 0, 0], [0, 7, 255]].view()), mask);
        // A transposed view is not contiguous.
        assert_eq!(Mask::from(array![[false, false], [false, true], [false, true]].t()), mask);
        assert_eq!(Mask::from(Array2::<u8>::from(&Mask::new(0, 5)).view()), Mask::new(0, 5));
    }

    #[test]
    fn heatmaps_become_arrays_and_come_back() {
        let map = Heatmap::from_vec(2, 2, vec![0.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(Array2::from(map.clone()), array![[0.0, 1.0], [2.0, 3.0]]);
        assert_eq!(Heatmap::from(array![[0.0, 2.0], [1.0, 3.0]].t()), map);
    }
}

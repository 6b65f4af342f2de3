//! Standard normals of a [`NoiseKey`]: those of [`hard_imagenet_cpu::random`] on the key's stream.

use crate::NoiseKey;
use hard_imagenet_cpu::random;

/// Returns the standard normal of element `index`, a function of the key and the index alone.
pub fn normal(key: NoiseKey, index: u64) -> f32 {
    random::normal(key.stream(), index)
}

/// Returns the standard normals of the elements `0..count`, for an image in the order channel, row, column.
pub fn normals(key: NoiseKey, count: usize) -> Vec<f32> {
    random::normals(key.stream(), count)
}

/// Writes the standard normals of the elements from `first` on.
pub(crate) fn draw(key: NoiseKey, first: usize, values: &mut [f32]) {
    random::fill_normals(key.stream(), first, values);
}

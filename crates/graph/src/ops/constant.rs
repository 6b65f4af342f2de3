//! Values that belong to the architecture, not to the checkpoint.

use candle_core::{DType, Device, Result, Tensor};
use std::sync::Arc;

/// Numbers that follow from a network's shape: an attention mask, say. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    shape: Vec<usize>,
    values: Arc<[f32]>,
}

impl Constant {
    /// Row-major values of a shape.
    ///
    /// # Panics
    /// When they are not as many as the shape says.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "values of shape {shape:?}");
        Self { shape: shape.to_vec(), values: values.into() }
    }

    /// Its extents.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// As a tensor.
    ///
    /// # Errors
    /// From candle, when the device fails.
    pub fn tensor(&self, device: &Device, dtype: DType) -> Result<Tensor> {
        Tensor::from_slice(&self.values, self.shape.as_slice(), device)?.to_dtype(dtype)
    }
}

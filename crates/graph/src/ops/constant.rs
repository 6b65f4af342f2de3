//! Values that belong to the architecture and not to the checkpoint.

use candle_core::{DType, Device, Result, Tensor};
use std::sync::Arc;

/// Numbers that follow from a network's shape, such as an attention mask. Clones share the numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    shape: Vec<usize>,
    values: Arc<[f32]>,
}

impl Constant {
    /// Creates a constant of the given shape from row-major values.
    ///
    /// # Panics
    /// Panics if the number of values does not match the shape.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "values of shape {shape:?}");
        Self { shape: shape.to_vec(), values: values.into() }
    }

    /// Returns the shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the values in row-major order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the constant as a tensor of its shape.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub fn tensor(&self, device: &Device, dtype: DType) -> Result<Tensor> {
        Tensor::from_slice(&self.values, self.shape.as_slice(), device)?.to_dtype(dtype)
    }
}

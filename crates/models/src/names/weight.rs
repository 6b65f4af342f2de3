use crate::loading::StoredTensor;
use candle_core::{DType, Device, Result, Tensor};

/// A weight under the zoo's name, and how it is made of what a file holds.
pub(crate) struct Weight {
    pub(crate) shape: Vec<usize>,
    /// What to read for it.
    pub(crate) parts: Vec<StoredTensor>,
    join: Join,
    /// Added to each number in the end.
    plus: f64,
}

/// How several stored tensors become one weight.
enum Join {
    /// One after the other along the first dimension.
    Rows,
    /// As their sum.
    Sum,
}

impl Weight {
    /// Tensors that are one after the other along the first dimension.
    pub(crate) fn rows(parts: Vec<StoredTensor>) -> Self {
        let mut shape = parts.first().map_or(vec![], |part| part.shape.clone());
        if let Some(rows) = shape.first_mut() {
            *rows = parts.iter().filter_map(|part| part.shape.first()).sum();
        }
        Self { shape, parts, join: Join::Rows, plus: 0.0 }
    }

    /// Zeros.
    pub(super) fn zeros(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), parts: vec![], join: Join::Rows, plus: 0.0 }
    }

    /// Rows as columns.
    pub(super) fn transposed(self) -> Self {
        Self::rows(self.parts.into_iter().map(StoredTensor::transposed).collect())
    }

    /// The sum with tensors that are one after the other in another weight.
    pub(super) fn add(&mut self, other: Vec<StoredTensor>) {
        self.parts.extend(other);
        self.join = Join::Sum;
    }

    /// Adds a number to each.
    pub(super) fn shift(&mut self, plus: f64) {
        self.plus += plus;
    }

    /// Its numbers, f32, of the values of its parts.
    ///
    /// # Errors
    /// From candle, for parts of shapes that do not go together.
    pub(crate) fn value(&self, parts: &[Tensor]) -> Result<Tensor> {
        let parts = parts.iter().map(|part| part.to_dtype(DType::F32)).collect::<Result<Vec<_>>>()?;
        let whole = match self.join {
            _ if parts.is_empty() => Tensor::zeros(self.shape.as_slice(), DType::F32, &Device::Cpu)?,
            Join::Rows => Tensor::cat(&parts, 0)?,
            Join::Sum => {
                parts.iter().skip(1).try_fold(parts[0].clone(), |sum, part| sum.add(&part.reshape(sum.shape())?))?
            }
        };
        if self.plus == 0.0 { Ok(whole) } else { whole + self.plus }
    }
}

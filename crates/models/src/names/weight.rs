use crate::loading::StoredTensor;
use candle_core::{DType, Device, Result, Tensor};

/// A weight of the zoo, and how it is made from the tensors of a file.
pub(crate) struct Weight {
    pub(crate) shape: Vec<usize>,
    /// The tensors to read.
    pub(crate) parts: Vec<StoredTensor>,
    join: Join,
    /// A number that is added to each element at the end.
    plus: f64,
}

/// How several stored tensors become one weight.
enum Join {
    /// They are concatenated along the first dimension.
    Rows,
    /// They are added.
    Sum,
}

impl Weight {
    /// Makes a weight of tensors that are concatenated along the first dimension.
    pub(crate) fn rows(parts: Vec<StoredTensor>) -> Self {
        let mut shape = parts.first().map_or(vec![], |part| part.shape.clone());
        if let Some(rows) = shape.first_mut() {
            *rows = parts.iter().filter_map(|part| part.shape.first()).sum();
        }
        Self { shape, parts, join: Join::Rows, plus: 0.0 }
    }

    /// Returns whether the weight is larger than what the file holds for it.
    pub(crate) fn repeats(&self) -> bool {
        self.parts.iter().any(StoredTensor::repeats)
    }

    /// Makes a weight of zeros.
    pub(super) fn zeros(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), parts: vec![], join: Join::Rows, plus: 0.0 }
    }

    /// Returns the transposed weight.
    pub(super) fn transposed(self) -> Self {
        Self::rows(self.parts.into_iter().map(StoredTensor::transposed).collect())
    }

    /// Adds tensors to the weight, element by element.
    pub(super) fn add(&mut self, other: Vec<StoredTensor>) {
        self.parts.extend(other);
        self.join = Join::Sum;
    }

    /// Adds a number to each element.
    pub(super) fn shift(&mut self, plus: f64) {
        self.plus += plus;
    }

    /// Computes the value, f32, from the values of the parts.
    ///
    /// # Errors
    /// Returns candle's error if the shapes of the parts do not fit together.
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

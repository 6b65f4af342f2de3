use candle_core::{DType, Device, Tensor};
use std::io::{Read, Seek, SeekFrom};

/// A tensor in a file: its description and its place. Values are read by [`Checkpoint::read`](crate::Checkpoint::read).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTensor {
    /// The name in the file.
    pub name: String,
    /// The type of the elements, candle's f16, bf16, f32 or f64.
    pub dtype: DType,
    /// The lengths of the dimensions.
    pub shape: Vec<usize>,
    /// The distance between neighboring elements along each dimension, in elements.
    pub(super) strides: Vec<usize>,
    /// The offset of the first element in the file, in bytes.
    pub(super) at: u64,
    /// The index of the file, for weights in several files.
    pub(super) source: usize,
}

impl StoredTensor {
    /// Describes a tensor in a section of a file that begins at byte `from` and has `elements` elements. The tensor
    /// begins `offset` elements into the section.
    ///
    /// Every tensor passes this check, so no tensor lies outside the file. A tensor can have more elements than the
    /// section, because torch stores a tensor made by `expand` with strides of 0 ([`repeats`](Self::repeats)).
    pub(crate) fn within(
        (from, elements): (u64, usize),
        offset: usize,
        tensor: (String, DType, Vec<usize>),
        strides: Option<Vec<usize>>,
    ) -> Result<Self, String> {
        let (name, dtype, shape) = tensor;
        let wrong =
            || format!("its tensor {name:?} of shape {shape:?} lies outside its data; download or copy the file again");
        // The number of bytes must be a number, too.
        let count = shape.iter().try_fold(dtype.size_in_bytes(), |count, &length| count.checked_mul(length));
        let count = count.filter(|&bytes| bytes <= isize::MAX as usize).ok_or_else(wrong)?;
        let whole = row_major(&shape);
        let mut strides = strides.unwrap_or_else(|| whole.clone());
        if strides.len() != shape.len() {
            return Err(wrong());
        }
        // The stride of a dimension of length 1 is never used, and torch writes arbitrary ones.
        for (i, _) in shape.iter().enumerate().filter(|(_, length)| **length == 1) {
            strides[i] = whole[i];
        }
        let reach = shape.iter().zip(&strides).try_fold(offset, |reach, (&length, &stride)| {
            reach.checked_add(length.saturating_sub(1).checked_mul(stride)?)
        });
        if count > 0 && reach.is_none_or(|last| last >= elements) {
            return Err(wrong());
        }
        let at =
            (offset as u64).checked_mul(dtype.size_in_bytes() as u64).and_then(|skipped| from.checked_add(skipped));
        Ok(Self { at: at.ok_or_else(wrong)?, name, dtype, shape, strides, source: 0 })
    }

    /// Returns the number of elements.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns whether the tensor has more elements than the file has for it, as one made by `expand` has.
    pub(crate) fn repeats(&self) -> bool {
        self.elements() > self.span()
    }

    /// Returns the number of elements in the file from the first one to the last one.
    fn span(&self) -> usize {
        let last = self.shape.iter().zip(&self.strides).map(|(&length, stride)| length.saturating_sub(1) * stride);
        if self.elements() == 0 { 0 } else { last.sum::<usize>() + 1 }
    }

    /// Returns the tensor with its dimensions in reverse order.
    pub(crate) fn transposed(mut self) -> Self {
        self.shape.reverse();
        self.strides.reverse();
        self
    }

    /// Returns the `length` slices from `start` on along a dimension, or `None` if there are fewer.
    pub(crate) fn narrow(mut self, dim: usize, start: usize, length: usize) -> Option<Self> {
        if start.checked_add(length)? > *self.shape.get(dim)? {
            return None;
        }
        let skipped = start.checked_mul(self.strides[dim])?.checked_mul(self.dtype.size_in_bytes())?;
        self.at = self.at.checked_add(skipped as u64)?;
        self.shape[dim] = length;
        Some(self)
    }

    /// Reads the values onto the CPU, in the stored dtype. `buffer` is reused between tensors.
    pub(super) fn read(&self, file: &mut (impl Read + Seek), buffer: &mut Vec<u8>) -> candle_core::Result<Tensor> {
        let size = self.dtype.size_in_bytes();
        let count = self.elements();
        buffer.resize(self.span() * size, 0);
        file.seek(SeekFrom::Start(self.at))?;
        file.read_exact(buffer)?;
        match self.strides == row_major(&self.shape) {
            true => Tensor::from_raw_buffer(buffer, self.dtype, &self.shape, &Device::Cpu),
            false => Tensor::from_raw_buffer(&self.gather(buffer, count), self.dtype, &self.shape, &Device::Cpu),
        }
    }

    /// Copies the elements in row-major order.
    fn gather(&self, bytes: &[u8], count: usize) -> Vec<u8> {
        let size = self.dtype.size_in_bytes();
        let mut gathered = Vec::with_capacity(count * size);
        let mut place = vec![0; self.shape.len()];
        for _ in 0..count {
            let at = size * place.iter().zip(&self.strides).map(|(index, stride)| index * stride).sum::<usize>();
            gathered.extend_from_slice(&bytes[at..at + size]);
            // Advance the last index; an index that reaches its length restarts at 0 and advances the one before it.
            for (index, length) in place.iter_mut().zip(&self.shape).rev() {
                *index = (*index + 1) % length;
                if *index > 0 {
                    break;
                }
            }
        }
        gathered
    }
}

/// Returns the strides of a row-major tensor without gaps.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i].max(1));
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn stored(shape: &[usize], strides: &[usize], offset: usize) -> Result<StoredTensor, String> {
        let tensor = ("a".to_owned(), DType::F32, shape.to_vec());
        StoredTensor::within((4, 6), offset, tensor, Some(strides.to_vec()))
    }

    /// Reads a tensor from a file of four other bytes and the numbers 0 to 5.
    fn check(shape: &[usize], strides: &[usize], offset: usize, want: &[f32]) {
        let bytes: Vec<u8> = [9u8; 4].into_iter().chain((0..6).flat_map(|i| (i as f32).to_le_bytes())).collect();
        let read = stored(shape, strides, offset).unwrap().read(&mut Cursor::new(bytes), &mut Vec::new()).unwrap();
        assert_eq!(read.dims(), shape);
        assert_eq!(read.flatten_all().unwrap().to_vec1::<f32>().unwrap(), want);
    }

    #[test]
    fn strided_tensors_are_read_in_order() {
        check(&[2, 3], &[3, 1], 0, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        check(&[3, 2], &[1, 3], 0, &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        check(&[2, 2], &[2, 1], 1, &[1.0, 2.0, 3.0, 4.0]);
        check(&[2, 2], &[0, 1], 4, &[4.0, 5.0, 4.0, 5.0]);
        check(&[], &[], 3, &[3.0]);
        check(&[0, 3], &[3, 1], 0, &[]);
        check(&[3, 2, 2], &[0, 1, 0], 2, &[2.0, 2.0, 3.0, 3.0, 2.0, 2.0, 3.0, 3.0, 2.0, 2.0, 3.0, 3.0]);
        // Overlapping rows, as `unfold` makes them.
        check(&[4, 3], &[1, 1], 0, &[0.0, 1.0, 2.0, 1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0]);
        check(&[9], &[0], 5, &[5.0; 9]);
    }

    #[test]
    fn tensors_that_repeat_elements_are_known() {
        let repeats = |shape: &[usize], strides: &[usize]| stored(shape, strides, 0).unwrap().repeats();
        assert!(repeats(&[1 << 40], &[0]) && repeats(&[4, 3], &[1, 1]) && repeats(&[2, 2], &[0, 1]));
        assert!(!repeats(&[2, 3], &[3, 1]) && !repeats(&[3, 2], &[1, 3]) && !repeats(&[2], &[3]));
        assert!(!repeats(&[1, 6], &[0, 1]) && !repeats(&[0, 9], &[0, 0]) && !repeats(&[], &[]));
    }

    #[test]
    fn views_select_elements() {
        let bytes: Vec<u8> = [9u8; 4].into_iter().chain((0..6).flat_map(|i| (i as f32).to_le_bytes())).collect();
        let values = |stored: StoredTensor| {
            let read = stored.read(&mut Cursor::new(&bytes), &mut Vec::new()).unwrap();
            (read.dims().to_vec(), read.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        };
        let whole = || stored(&[2, 3], &[3, 1], 0).unwrap();
        assert_eq!(values(whole().transposed()), (vec![3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(values(whole().narrow(0, 1, 1).unwrap()), (vec![1, 3], vec![3.0, 4.0, 5.0]));
        assert_eq!(values(whole().narrow(1, 1, 2).unwrap()), (vec![2, 2], vec![1.0, 2.0, 4.0, 5.0]));
        assert_eq!(whole().narrow(1, 2, 2), None);
        assert_eq!(whole().narrow(2, 0, 1), None);
        assert_eq!(whole().narrow(0, usize::MAX, 1), None);
    }

    #[test]
    fn tensors_outside_the_file_are_errors() {
        for (shape, strides, offset) in [
            (&[7][..], &[1][..], 0),
            (&[2, 3], &[3, 1], 1),
            (&[2], &[1, 1], 0),
            (&[2], &[usize::MAX], 1),
            (&[usize::MAX, 2], &[0, 0], 0),
            (&[1 << 62], &[0], 0),
            (&[1], &[1], usize::MAX),
            (&[0, usize::MAX, usize::MAX], &[1, 1], 0),
        ] {
            let error = stored(shape, strides, offset).unwrap_err();
            assert!(error.contains("\"a\""), "{error}");
        }
    }
}

//! Values as strided views of buffers.

/// The index of a buffer of a plan.
pub(crate) type BufferId = usize;

/// Returns the distance between rows of `len` elements.
///
/// A tile reads the same columns of several rows at once. If rows lie a multiple of 2 KB apart, these fall into one or two sets
/// of the first-level cache, which cannot hold all of them.
fn pitch(len: usize) -> usize {
    if len > 0 && len.is_multiple_of(512) { len + 16 } else { len }
}

/// Where the elements of a value lie: element (i, j, ..) at `start + i · strides[0] + j · strides[1] + ..` of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) buffer: BufferId,
    pub(crate) start: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<usize>,
    /// The number of zeros that can be read on all sides of each image `(B, C, H, W)`.
    pub(crate) border: usize,
}

impl View {
    /// Describes a whole buffer with the dimensions in the given order in memory, the last one contiguous.
    pub(crate) fn in_order(buffer: BufferId, shape: &[usize], order: &[usize]) -> Self {
        let mut strides = vec![0; shape.len()];
        let mut stride = 1;
        for &dim in order.iter().rev() {
            strides[dim] = stride;
            stride *= shape[dim];
        }
        Self { buffer, start: 0, shape: shape.to_vec(), strides, border: 0 }
    }

    /// Describes a whole buffer in row-major order.
    pub(crate) fn dense(buffer: BufferId, shape: &[usize]) -> Self {
        Self::in_order(buffer, shape, &(0..shape.len()).collect::<Vec<_>>())
    }

    /// Describes rows in a whole buffer in row-major order, with a distance between rows that suits the cache.
    pub(crate) fn rows(buffer: BufferId, shape: &[usize]) -> Self {
        let mut padded = shape.to_vec();
        if let Some(last) = padded.last_mut() {
            *last = pitch(*last);
        }
        Self { shape: shape.to_vec(), ..Self::dense(buffer, &padded) }
    }

    /// Describes images `(B, C, H, W)` in a whole buffer, channels last, with `border` pixels on all sides and a distance
    /// between pixels that suits the cache.
    pub(crate) fn images(buffer: BufferId, shape: &[usize], border: usize) -> Self {
        let (c, h, w) = (pitch(shape[1]), shape[2] + 2 * border, shape[3] + 2 * border);
        Self {
            buffer,
            start: border * (w + 1) * c,
            shape: shape.to_vec(),
            strides: vec![h * w * c, 1, w * c, c],
            border,
        }
    }

    /// Returns the number of elements.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns whether the elements are contiguous in row-major order.
    pub(crate) fn is_dense(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&n, &stride)| {
            let fits = n == 1 || stride == expected;
            expected *= n;
            fits
        })
    }

    /// Returns the same elements in another shape, or `None` if that needs a copy.
    pub(crate) fn reshape(&self, shape: &[usize]) -> Option<Self> {
        // Join old dimensions that are contiguous, then divide them into new ones.
        let old: Vec<(usize, usize)> =
            self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|(n, _)| *n != 1).collect();
        let mut strides = vec![0; shape.len()];
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            // The smallest groups of old and new dimensions with the same number of elements.
            let (first, mut have) = (i, old[i].0);
            i += 1;
            let (new_first, mut want) = (j, 1);
            loop {
                if want < have && j < shape.len() {
                    want *= shape[j];
                    j += 1;
                } else if have < want && i < old.len() {
                    have *= old[i].0;
                    i += 1;
                } else {
                    break;
                }
            }
            if have != want {
                return None;
            }
            if (first..i - 1).any(|d| old[d].1 != old[d + 1].0 * old[d + 1].1) {
                return None;
            }
            let mut stride = old[i - 1].1;
            for d in (new_first..j).rev() {
                strides[d] = stride;
                stride *= shape[d];
            }
        }
        Some(Self { shape: shape.to_vec(), strides, border: 0, ..*self })
    }

    /// Returns the view with its dimensions in another order.
    pub(crate) fn permute(&self, order: &[usize]) -> Self {
        Self {
            shape: order.iter().map(|&d| self.shape[d]).collect(),
            strides: order.iter().map(|&d| self.strides[d]).collect(),
            border: 0,
            ..*self
        }
    }

    /// Returns a range of indices along a dimension.
    pub(crate) fn narrow(&self, dim: usize, start: usize, len: usize) -> Self {
        let mut view = Self { start: self.start + start * self.strides[dim], border: 0, ..self.clone() };
        view.shape[dim] = len;
        view
    }

    /// Returns the view without a dimension of which one index is kept.
    pub(crate) fn select(&self, dim: usize, index: usize) -> Self {
        let mut view = self.narrow(dim, index, 1);
        view.shape.remove(dim);
        view.strides.remove(dim);
        view
    }

    /// Returns the view broadcast to a shape by NumPy's rule: repeated elements have stride 0.
    pub(crate) fn broadcast(&self, shape: &[usize]) -> Self {
        let missing = shape.len() - self.shape.len();
        let strides = (0..shape.len())
            .map(|d| if d < missing || self.shape[d - missing] != shape[d] { 0 } else { self.strides[d - missing] })
            .collect();
        Self { shape: shape.to_vec(), strides, border: 0, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_flatten_to_tokens_without_a_copy() {
        let images = View::images(0, &[2, 8, 3, 5], 0);
        let tokens = images.reshape(&[2, 8, 15]).unwrap().permute(&[0, 2, 1]);
        assert!(tokens.is_dense());
        assert_eq!(images.reshape(&[2, 120]), None);
        // With a border, rows are apart.
        assert_eq!(View::images(0, &[2, 8, 3, 5], 1).reshape(&[2, 8, 15]), None);
        assert_eq!(View::images(0, &[2, 8, 3, 5], 1).start, (7 + 1) * 8);
    }

    #[test]
    fn heads_split_without_a_copy() {
        let qkv = View::dense(0, &[2, 7, 24]);
        let heads = qkv.reshape(&[2, 7, 3, 4, 2]).unwrap().permute(&[2, 0, 3, 1, 4]);
        let k = heads.select(0, 1);
        assert_eq!((k.start, k.shape, k.strides), (8, vec![2, 4, 7, 2], vec![168, 2, 24, 1]));
    }

    #[test]
    fn dimensions_of_length_one_never_need_a_copy() {
        let view = View::images(0, &[2, 8, 1, 1], 0);
        assert_eq!(view.reshape(&[2, 8]).unwrap().strides, [8, 1]);
        assert_eq!(View::dense(0, &[6]).reshape(&[1, 2, 1, 3]).unwrap().strides[1], 3);
        assert_eq!(View::dense(0, &[3, 1]).broadcast(&[2, 3, 4]).strides, [0, 1, 0]);
    }
}

//! What is known of a tensor while a file is taken over: its value, or the node that will compute it.

use crate::axes::Axis;
use crate::error::Reason;
use candle_core::{DType, Tensor};
use hard_imagenet_graph::NodeId;

/// Stands for the batch size while shapes are computed: a prime that no network has for a dimension, so that a multiple
/// of it is as many batches. A graph never holds it, nor any other batch size.
pub(crate) const BATCH: usize = 10_007;

/// Does a dimension grow with the batch?
pub(crate) fn grows(dim: usize) -> bool {
    dim > 0 && dim.is_multiple_of(BATCH)
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Independent of the picture: floats as f32, integers as i64, truth values as u8.
    Known {
        tensor: Tensor,
        /// The file's name of it, where it is in the file as it is.
        name: Option<String>,
    },
    /// Computed by a node.
    Node {
        id: NodeId,
        /// With [`BATCH`].
        shape: Vec<usize>,
        axes: Vec<Axis>,
    },
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Self::Known { tensor, name: None }
    }
}

impl Value {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Known { tensor, .. } => tensor.dims(),
            Self::Node { shape, .. } => shape,
        }
    }

    pub(crate) fn rank(&self) -> usize {
        self.shape().len()
    }

    pub(crate) fn known(&self) -> Option<&Tensor> {
        match self {
            Self::Known { tensor, .. } => Some(tensor),
            Self::Node { .. } => None,
        }
    }

    /// A tensor that must not depend on the picture.
    pub(crate) fn tensor(&self) -> Result<&Tensor, Reason> {
        self.known().ok_or_else(|| "an input depends on the picture where a constant is expected".into())
    }

    /// Its elements as integers.
    pub(crate) fn ints(&self) -> Result<Vec<i64>, Reason> {
        Ok(self.tensor()?.to_dtype(DType::I64)?.flatten_all()?.to_vec1()?)
    }

    /// Its elements as floats.
    pub(crate) fn floats(&self) -> Result<Vec<f32>, Reason> {
        Ok(self.tensor()?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    }

    /// Its only element, if it is a float known to be alone.
    pub(crate) fn scalar(&self) -> Option<f32> {
        let tensor = self.known().filter(|tensor| tensor.elem_count() == 1 && tensor.dtype() == DType::F32)?;
        tensor.flatten_all().ok()?.to_vec1().ok()?.pop()
    }

    /// Is it integers or truth values?
    pub(crate) fn is_integral(&self) -> bool {
        self.known().is_some_and(|tensor| tensor.dtype() != DType::F32)
    }
}

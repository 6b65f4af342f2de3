//! What is known of a tensor while a file is taken over: its value, or the node that will compute it.

use crate::axes::Axis;
use crate::error::Reason;
use candle_core::{DType, Tensor};
use hard_imagenet_graph::NodeId;
use std::collections::HashMap;

/// Stands for the batch size while shapes are computed. It is a prime that no network has as a dimension, so that a multiple of
/// it is recognized as a multiple of the batch size. A graph contains neither it nor any other batch size.
pub(crate) const BATCH: usize = 10_007;

/// Returns whether a dimension grows with the batch.
pub(crate) fn grows(dim: usize) -> bool {
    dim > 0 && dim.is_multiple_of(BATCH)
}

/// Values by their names in the file.
pub(crate) type Scope = HashMap<String, Value>;

/// A value of the ONNX graph.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A tensor that does not depend on the images: floats as f32, integers as i64, truth values as u8.
    Known {
        tensor: Tensor,
        /// Its name in the file, if the file contains it unchanged.
        name: Option<String>,
    },
    /// The value of a node.
    Node {
        id: NodeId,
        /// The shape, with [`BATCH`] for the batch size.
        shape: Vec<usize>,
        axes: Vec<Axis>,
        /// Whether its elements are integers in the file, as pixels of the type uint8 are until they are cast.
        integral: bool,
    },
}

/// Formats a shape for error messages, with `B` for the batch size.
pub(crate) fn show_shape(shape: &[usize]) -> String {
    let dim = |&dim: &usize| match dim {
        BATCH => "B".to_owned(),
        dim if grows(dim) => format!("{} B", dim / BATCH),
        dim => dim.to_string(),
    };
    format!("({})", shape.iter().map(dim).collect::<Vec<_>>().join(", "))
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

    /// Returns the tensor, or an error if the value depends on the images.
    pub(crate) fn tensor(&self) -> Result<&Tensor, Reason> {
        self.known().ok_or_else(|| "an input depends on the images where a constant is expected".into())
    }

    /// Returns the elements as integers.
    pub(crate) fn ints(&self) -> Result<Vec<i64>, Reason> {
        Ok(self.tensor()?.to_dtype(DType::I64)?.flatten_all()?.to_vec1()?)
    }

    /// Returns the elements as floats.
    pub(crate) fn floats(&self) -> Result<Vec<f32>, Reason> {
        Ok(self.tensor()?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
    }

    /// Returns the only element of a known float tensor.
    pub(crate) fn scalar(&self) -> Option<f32> {
        let tensor = self.known().filter(|tensor| tensor.elem_count() == 1 && tensor.dtype() == DType::F32)?;
        tensor.flatten_all().ok()?.to_vec1().ok()?.pop()
    }

    /// Returns whether the value is known to be integers or truth values.
    pub(crate) fn is_integral(&self) -> bool {
        match self {
            Self::Known { tensor, .. } => tensor.dtype() != DType::F32,
            Self::Node { integral, .. } => *integral,
        }
    }
}

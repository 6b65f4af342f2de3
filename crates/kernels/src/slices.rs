//! CPU operations on the slices of two tensors.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

/// Applies a function of two slices to two CPU tensors; the result has the given shape and the dtype of `a`.
///
/// `f` receives the elements in row-major order as f32, whatever the dtypes, and returns as many elements as the shape
/// has. Gradients do not flow through the result.
pub(crate) fn map_slices<F>(a: &Tensor, b: &Tensor, shape: impl Into<Shape>, f: F) -> Result<Tensor>
where
    F: Fn(&[f32], &[f32]) -> Vec<f32>,
{
    let dtype = a.dtype();
    let (a, b) = (a.to_dtype(DType::F32)?.contiguous()?, b.to_dtype(DType::F32)?.contiguous()?);
    a.apply_op2_no_bwd(&b, &MapSlices { f, shape: shape.into() })?.to_dtype(dtype)
}

struct MapSlices<F> {
    f: F,
    shape: Shape,
}

impl<F: Fn(&[f32], &[f32]) -> Vec<f32>> CustomOp2 for MapSlices<F> {
    fn name(&self) -> &'static str {
        "map-slices"
    }

    fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32((self.f)(slice(a, la)?, slice(b, lb)?)), self.shape.clone()))
    }
}

/// Returns the elements of a contiguous f32 tensor.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => candle_core::bail!("this CPU operation needs contiguous f32 tensors"),
    }
}

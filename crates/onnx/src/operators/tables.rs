//! Tables that depend on the batch size only, such as a mask of zeros of shape (B, H, W).
//!
//! Exporters compute positions from such tables by operators on integers and truth values, which a graph does not have. What
//! is computed from them is the same for each image, so it is computed here for one image and repeated.

use super::{Call, dispatch};
use crate::error::Reason;
use crate::importer::Importer;
use crate::value::BATCH;
use crate::value::{Value, grows};
use candle_core::{DType, Tensor};

/// Returns the values of a node's outputs if all its inputs are tables and constants and each image has its own part of
/// the values.
///
/// The operator is computed for one image and for two. Its values are tables if those for two are those for one, repeated;
/// so the operator may treat dimensions as it likes.
pub(super) fn apply(importer: &mut Importer, call: &Call<'_>) -> Result<Option<Vec<Value>>, Reason> {
    let has_table = call.inputs().any(|value| importer.table(value).is_some());
    let has_image = call.inputs().any(|value| value.known().is_none() && importer.table(value).is_none());
    if !has_table || has_image || ["Shape", "Size"].contains(&call.node.op.as_str()) {
        return Ok(None);
    }
    let mut evaluate = |images: usize| -> Result<Vec<Value>, Reason> {
        let inputs =
            call.inputs.iter().map(|value| value.as_ref().map(|value| of_images(importer, value, images)).transpose());
        let inputs = inputs.collect::<Result<_, Reason>>()?;
        dispatch(importer, &Call { node: call.node, inputs })
    };
    // What fails here may still work node by node.
    let (Ok(one), Ok(two)) = (evaluate(1), evaluate(2)) else { return Ok(None) };
    let mut results = Vec::with_capacity(one.len());
    for (one, two) in one.into_iter().zip(two) {
        let (Some(single), Some(double)) = (one.known(), two.known()) else { return Ok(None) };
        if is_same(single, double)? {
            results.push(one);
        } else if single.dims().first() == Some(&1) && is_same(&repeated(single, 2)?, double)? {
            results.push(importer.expand_batch(&one)?);
        } else {
            return Ok(None);
        }
    }
    Ok(Some(results))
}

/// Returns a value for a number of images: a table is repeated, and the batch size in a shape becomes that number.
fn of_images(importer: &Importer, value: &Value, images: usize) -> Result<Value, Reason> {
    if let Some(table) = importer.table(value) {
        return Ok(repeated(table.tensor()?, images)?.into());
    }
    if value.is_integral() && value.rank() <= 1 {
        let values = value.ints()?;
        let is_batch = |&dim: &i64| usize::try_from(dim).is_ok_and(grows);
        if values.iter().any(is_batch) {
            let one = |dim: i64| if is_batch(&dim) { dim / BATCH as i64 * images as i64 } else { dim };
            let values: Vec<i64> = values.into_iter().map(one).collect();
            return Ok(Tensor::from_vec(values, value.shape(), &candle_core::Device::Cpu)?.into());
        }
    }
    Ok(value.clone())
}

/// Repeats a tensor (1, ..) along its first dimension.
fn repeated(tensor: &Tensor, images: usize) -> Result<Tensor, Reason> {
    let mut shape = tensor.dims().to_vec();
    match shape.first_mut() {
        Some(first) => *first = images,
        None => return Err("a table has no dimensions".into()),
    }
    Ok(tensor.broadcast_as(shape)?.contiguous()?)
}

fn is_same(a: &Tensor, b: &Tensor) -> Result<bool, Reason> {
    if a.dims() != b.dims() || a.dtype() != b.dtype() {
        return Ok(false);
    }
    let bits = |t: &Tensor| -> Result<Vec<u64>, Reason> {
        let values = t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        Ok(values.into_iter().map(f64::to_bits).collect())
    };
    Ok(bits(a)? == bits(b)?)
}

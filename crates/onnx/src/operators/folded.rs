//! Operators that compute shapes and tables. Their inputs never depend on the images, so they are evaluated at once.

use super::{Call, dimension};
use crate::error::Reason;
use crate::importer::Importer;
use crate::tensor;
use crate::value::{BATCH, Value, grows};
use candle_core::{DType, Device, Tensor};
use std::path::Path;

fn ints(values: Vec<i64>, shape: &[usize]) -> Result<Value, Reason> {
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.into())
}

pub(super) fn constant(call: &Call<'_>) -> Result<Value, Reason> {
    if let Some(stored) = call.tensor("value") {
        // Only initializers may have their data in another file, so an attribute needs no folder.
        return Ok(tensor::read(stored, Path::new(""))?.into());
    }
    let attribute = call.node.attributes.first().ok_or("it has no value")?;
    match attribute.name.as_str() {
        "value_int" => ints(vec![attribute.i], &[]),
        "value_ints" => ints(attribute.ints.clone(), &[attribute.ints.len()]),
        "value_float" => Ok(Tensor::new(attribute.f, &Device::Cpu)?.into()),
        "value_floats" => Ok(Tensor::new(attribute.floats.as_slice(), &Device::Cpu)?.into()),
        other => Err(format!("its attribute {other} is not supported").into()),
    }
}

/// The largest number of elements of a table. It keeps a number in a file from exhausting the memory.
pub(super) const LARGEST: usize = 1 << 28;

pub(super) fn constant_of_shape(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let mut shape = call.x()?.ints()?.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>()?;
    let batched = shape.first() == Some(&BATCH);
    if batched {
        shape[0] = 1;
    }
    shape.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim)).filter(|n| *n <= LARGEST).ok_or("it is too large")?;
    let value = match call.tensor("value") {
        Some(stored) => tensor::read(stored, Path::new(""))?.flatten_all()?.get(0)?,
        None => Tensor::new(0f32, &Device::Cpu)?,
    };
    let value = Value::from(value.broadcast_as(shape)?.contiguous()?);
    if batched { importer.expand_batch(&value) } else { Ok(value) }
}

pub(super) fn shape(importer: &Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let all = importer.file_shape(call.x()?);
    let rank = all.len() as i64;
    let bound = |at: i64| if at < 0 { at + rank } else { at }.clamp(0, rank) as usize;
    let (start, end) = (bound(call.int("start", 0)), bound(call.int("end", rank)));
    let part = all.get(start..end).unwrap_or_default().to_vec();
    let len = part.len();
    ints(part, &[len])
}

pub(super) fn size(importer: &Importer, call: &Call<'_>) -> Result<Value, Reason> {
    ints(vec![importer.file_shape(call.x()?).iter().product()], &[])
}

pub(super) fn range(call: &Call<'_>) -> Result<Value, Reason> {
    let whole = call.x()?.is_integral();
    let bound = |i: usize| -> Result<f64, Reason> {
        let value = call.input(i)?.tensor()?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        value.first().copied().ok_or_else(|| "a bound is empty".into())
    };
    let (start, limit, step) = (bound(0)?, bound(1)?, bound(2)?);
    let count = ((limit - start) / step).ceil().max(0.0);
    if count.is_nan() || count > LARGEST as f64 {
        return Err("it is too long".into());
    }
    let values: Vec<f64> = (0..count as usize).map(|i| start + i as f64 * step).collect();
    let dtype = if whole { DType::I64 } else { DType::F32 };
    Ok(Tensor::new(values, &Device::Cpu)?.to_dtype(dtype)?.into())
}

pub(super) fn eye(call: &Call<'_>) -> Result<Value, Reason> {
    let &[rows, columns] = call.x()?.shape() else { return Err("only two dimensions are supported".into()) };
    if grows(rows) || grows(columns) {
        return Err("its size is the batch size".into());
    }
    let shift = call.int("k", 0);
    let one = |i: usize| f32::from(u8::from((i / columns) as i64 + shift == (i % columns) as i64));
    Ok(Tensor::from_vec((0..rows * columns).map(one).collect(), (rows, columns), &Device::Cpu)?.into())
}

pub(super) fn cumulative_sum(call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?.tensor()?;
    let axis = call.input(1)?.ints()?.first().copied().ok_or("it has no axis")?;
    if call.int("exclusive", 0) != 0 || call.int("reverse", 0) != 0 {
        return Err("exclusive and reverse sums are not supported".into());
    }
    let sum = x.to_dtype(DType::F32)?.cumsum(dimension(axis, x.rank())?)?;
    Ok(sum.to_dtype(x.dtype())?.into())
}

/// Returns rows of a table by their indices along its first dimensions.
pub(super) fn gather_nd(call: &Call<'_>) -> Result<Value, Reason> {
    let (table, places) = (call.x()?.tensor()?, call.input(1)?);
    let (Some((&depth, before)), 0) = (places.shape().split_last(), call.int("batch_dims", 0)) else {
        return Err("batch_dims is not supported".into());
    };
    let (outer, inner) = table
        .dims()
        .split_at_checked(depth)
        .ok_or("its indices have more coordinates than its table has dimensions")?;
    let flat: Vec<u32> = places
        .ints()?
        .chunks(depth.max(1))
        .map(|place| {
            let at = place.iter().zip(outer).try_fold(0, |at, (&i, &extent)| Some(at * extent + wrapped(i, extent)?));
            at.and_then(|at| u32::try_from(at).ok()).ok_or("an index is out of bounds")
        })
        .collect::<Result<_, _>>()?;
    let rows = table.reshape([&[outer.iter().product()], inner].concat())?.contiguous()?;
    let count = flat.len();
    let taken = rows.index_select(&Tensor::from_vec(flat, count, &Device::Cpu)?, 0)?;
    Ok(taken.reshape([before, inner].concat())?.into())
}

/// The operands of a scatter: a table, the values to write into it, and its own values, as numbers.
type Scatter<'a> = (&'a Tensor, Vec<f64>, Vec<f64>);

fn scatter_operands<'a>(call: &'a Call<'_>) -> Result<Scatter<'a>, Reason> {
    if call.text("reduction", "none") != "none" {
        return Err("reductions are not supported".into());
    }
    let numbers = |t: &Tensor| -> Result<Vec<f64>, Reason> { Ok(t.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?) };
    let (table, new) = (call.x()?.tensor()?, call.input(2)?.tensor()?);
    Ok((table, numbers(new)?, numbers(table)?))
}

/// Returns a tensor in the shape and dtype of a table.
fn tensor_like(table: &Tensor, values: Vec<f64>) -> Result<Value, Reason> {
    Ok(Tensor::from_vec(values, table.dims(), &Device::Cpu)?.to_dtype(table.dtype())?.into())
}

/// Writes slices of a table, each at its index.
pub(super) fn scatter_nd(call: &Call<'_>) -> Result<Value, Reason> {
    let (table, new, mut values) = scatter_operands(call)?;
    let places = call.input(1)?;
    let depth = places.shape().last().copied().unwrap_or(0);
    let (outer, inner) = table
        .dims()
        .split_at_checked(depth)
        .ok_or("its indices have more coordinates than its table has dimensions")?;
    let length: usize = inner.iter().product();
    let places = places.ints()?;
    if places.len() / depth.max(1) * length != new.len() {
        return Err("the number of values does not match the number of indices".into());
    }
    for (place, new) in places.chunks(depth.max(1)).zip(new.chunks(length.max(1))) {
        let at = place.iter().zip(outer).try_fold(0, |at, (&i, &extent)| Some(at * extent + wrapped(i, extent)?));
        let at = at.ok_or("an index is out of bounds")?;
        values[at * length..][..length].copy_from_slice(new);
    }
    tensor_like(table, values)
}

/// Writes single values of a table. Each has an index along one axis and keeps its own position along the others.
pub(super) fn scatter_elements(call: &Call<'_>) -> Result<Value, Reason> {
    let (table, new, mut values) = scatter_operands(call)?;
    let (places, dims) = (call.input(1)?, table.dims());
    let axis = call.axis("axis", 0, dims.len())?;
    let fits = places.rank() == dims.len() && places.shape().iter().zip(dims).all(|(own, all)| own <= all);
    let indices = places.ints()?;
    if !fits || indices.len() != new.len() {
        return Err("its indices do not match its table".into());
    }
    for (i, (index, new)) in indices.iter().zip(new).enumerate() {
        let (mut rest, mut at, mut step) = (i, 0, 1);
        for (dim, (&own, &extent)) in places.shape().iter().zip(dims).enumerate().rev() {
            let place =
                if dim == axis { wrapped(*index, extent).ok_or("an index is out of bounds")? } else { rest % own };
            at += place * step;
            (rest, step) = (rest / own, step * extent);
        }
        values[at] = new;
    }
    tensor_like(table, values)
}

/// Resolves an index; a negative one counts from the end. Returns `None` if it is out of bounds.
pub(super) fn wrapped(index: i64, extent: usize) -> Option<usize> {
    let index = if index < 0 { index + extent as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < extent)
}

pub(super) fn non_zero(call: &Call<'_>) -> Result<Value, Reason> {
    let dims = call.x()?.tensor()?.dims().to_vec();
    let hits: Vec<usize> = call.x()?.floats()?.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, _)| i).collect();
    let along = |dim: usize| {
        let inner: usize = dims[dim + 1..].iter().product();
        let extent = dims[dim];
        hits.iter().map(move |hit| (hit / inner % extent) as i64)
    };
    ints((0..dims.len()).flat_map(along).collect(), &[dims.len(), hits.len()])
}

pub(super) fn product(call: &Call<'_>) -> Result<Value, Reason> {
    let values = call.x()?.ints()?;
    if !call.x()?.is_integral() || call.x()?.rank() != 1 {
        return Err("only the product of a shape is supported".into());
    }
    let product = values.iter().try_fold(1i64, |n, &v| n.checked_mul(v)).ok_or("its product is too large")?;
    if call.int("keepdims", 1) != 0 { ints(vec![product], &[1]) } else { ints(vec![product], &[]) }
}

pub(super) fn rounded(call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?.tensor()?;
    Ok(match call.node.op.as_str() {
        "Ceil" => x.ceil()?,
        "Floor" => x.floor()?,
        _ => x.round()?,
    }
    .into())
}

pub(super) fn unary(call: &Call<'_>) -> Result<Value, Reason> {
    let shape = call.x()?.shape().to_vec();
    let f: fn(i64) -> i64 = match call.node.op.as_str() {
        "Neg" => i64::wrapping_neg,
        "Abs" => i64::wrapping_abs,
        _ => return Err("this operator does not support integers".into()),
    };
    ints(call.x()?.ints()?.into_iter().map(f).collect(), &shape)
}

/// Broadcasts the two inputs to one shape.
fn broadcast(call: &Call<'_>) -> Result<(Tensor, Tensor), Reason> {
    let (a, b) = (call.x()?.tensor()?, call.input(1)?.tensor()?);
    let shape = a.shape().broadcast_shape_binary_op(b.shape(), "two tables")?;
    Ok((a.broadcast_as(shape.clone())?, b.broadcast_as(shape)?))
}

pub(super) fn arithmetic(call: &Call<'_>) -> Result<Value, Reason> {
    let f: fn(i64, i64) -> Option<i64> = match call.node.op.as_str() {
        "Add" => i64::checked_add,
        "Sub" => i64::checked_sub,
        "Mul" => i64::checked_mul,
        "Div" => i64::checked_div,
        "Min" => |a, b| Some(a.min(b)),
        "Max" => |a, b| Some(a.max(b)),
        _ => return Err("this operator does not support integers".into()),
    };
    let (a, b) = broadcast(call)?;
    let shape = a.dims().to_vec();
    let values = |tensor: Tensor| -> Result<Vec<i64>, Reason> { Value::from(tensor).ints() };
    let pairs = values(a)?.into_iter().zip(values(b)?);
    let result = pairs.map(|(a, b)| f(a, b).ok_or("its result is not an integer")).collect::<Result<_, _>>()?;
    ints(result, &shape)
}

/// Evaluates comparisons, logical operators and the remainder.
pub(super) fn compared(call: &Call<'_>) -> Result<Value, Reason> {
    if call.node.op == "Not" {
        let x = call.x()?.tensor()?;
        return Ok(x.eq(&x.zeros_like()?)?.into());
    }
    let (a, b) = broadcast(call)?;
    let shape = a.dims().to_vec();
    let values = |t: Tensor| -> Result<Vec<f64>, Reason> { Ok(t.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?) };
    let pairs = values(a)?.into_iter().zip(values(b)?);
    if call.node.op == "Mod" {
        let floored = call.int("fmod", 0) == 0;
        let remainder = |(a, b): (f64, f64)| if floored { a - b * (a / b).floor() } else { a % b };
        let dtype = if call.x()?.is_integral() { DType::I64 } else { DType::F32 };
        let values: Vec<f64> = pairs.map(remainder).collect();
        return Ok(Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?.into());
    }
    let f: fn(f64, f64) -> bool = match call.node.op.as_str() {
        "Equal" => |a, b| a == b,
        "Less" => |a, b| a < b,
        "LessOrEqual" => |a, b| a <= b,
        "Greater" => |a, b| a > b,
        "GreaterOrEqual" => |a, b| a >= b,
        "And" => |a, b| a != 0.0 && b != 0.0,
        "Or" => |a, b| a != 0.0 || b != 0.0,
        _ => |a, b| (a != 0.0) != (b != 0.0),
    };
    let truth: Vec<u8> = pairs.map(|(a, b)| u8::from(f(a, b))).collect();
    Ok(Tensor::from_vec(truth, shape, &Device::Cpu)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{AttributeProto, NodeProto};

    fn floats(values: &[f32], shape: &[usize]) -> Option<Value> {
        Some(Tensor::from_vec(values.to_vec(), shape, &Device::Cpu).unwrap().into())
    }

    fn whole(values: &[i64], shape: &[usize]) -> Option<Value> {
        ints(values.to_vec(), shape).ok()
    }

    /// The examples of the ONNX specification, and inputs that do not match.
    #[test]
    fn scatter_writes_into_tables() {
        let eight = floats(&[1., 2., 3., 4., 5., 6., 7., 8.], &[8]);
        let node = NodeProto::default();
        let nd = |inputs| scatter_nd(&Call { node: &node, inputs }).map(|value| value.floats().unwrap());
        let new = floats(&[9., 10., 11., 12.], &[4]);
        let got = nd(vec![eight.clone(), whole(&[4, 3, 1, -1], &[4, 1]), new.clone()]).unwrap();
        assert_eq!(got, [1., 11., 3., 10., 9., 6., 7., 12.]);
        let rows = nd(vec![floats(&[0.; 6], &[3, 2]), whole(&[2, 0], &[2, 1]), new.clone()]).unwrap();
        assert_eq!(rows, [11., 12., 0., 0., 9., 10.]);
        assert!(nd(vec![eight.clone(), whole(&[8, 3, 1, 7], &[4, 1]), new.clone()]).is_err());
        assert!(nd(vec![eight.clone(), whole(&[3, 1, 7], &[3, 1]), new]).is_err());

        let along = AttributeProto { name: "axis".into(), i: 1, ..AttributeProto::default() };
        let node = NodeProto { attributes: vec![along], ..NodeProto::default() };
        let elements = |inputs| scatter_elements(&Call { node: &node, inputs }).map(|value| value.floats().unwrap());
        let (row, new) = (floats(&[1., 2., 3., 4., 5.], &[1, 5]), floats(&[1.1, 2.1], &[1, 2]));
        let got = elements(vec![row.clone(), whole(&[1, -3], &[1, 2]), new.clone()]).unwrap();
        assert_eq!(got, [1., 1.1, 2.1, 4., 5.]);
        let square = floats(&[0.; 4], &[2, 2]);
        let got = elements(vec![square, whole(&[1, 0], &[2, 1]), floats(&[7., 8.], &[2, 1])]).unwrap();
        assert_eq!(got, [0., 7., 8., 0.]);
        assert!(elements(vec![row.clone(), whole(&[5, 0], &[1, 2]), new.clone()]).is_err());
        assert!(elements(vec![row, whole(&[1, 0], &[2, 1]), new]).is_err());
    }
}

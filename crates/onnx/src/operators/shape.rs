//! Operators that move elements without computing.

use super::folded::{LARGEST, wrapped};
use super::{Call, dimension};
use crate::error::Reason;
use crate::importer::{Importer, constant};
use crate::value::{BATCH, Value, grows, show_shape};
use hard_imagenet_graph::{Binary, Op};

pub(super) fn reshape(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let wanted = call.ints_input_or_attribute(1, "shape")?.ok_or("it has no shape")?;
    let before = importer.file_shape(x);
    let copies = call.int("allowzero", 0) == 0;
    let mut target = Vec::with_capacity(wanted.len());
    for (i, &dim) in wanted.iter().enumerate() {
        target.push(match dim {
            0 if copies => *before.get(i).ok_or("a 0 refers to a missing dimension")?,
            dim => dim,
        });
    }
    if let Some(rest) = target.iter().position(|&dim| dim == -1) {
        target[rest] = 1;
        let others = target.iter().try_fold(1i64, |n, &dim| n.checked_mul(dim)).filter(|others| *others > 0);
        target[rest] = others.map_or(0, |others| before.iter().product::<i64>() / others);
    }
    let target = target.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>()?;
    importer.reshape(x, &target)
}

pub(super) fn flatten(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let shape = call.x()?.shape();
    let axis = call.int("axis", 1);
    let at = if axis < 0 { axis + shape.len() as i64 } else { axis };
    let (before, after) = shape.split_at_checked(usize::try_from(at)?).ok_or("its axis is out of bounds")?;
    let target = [before.iter().product(), after.iter().product()];
    importer.reshape(call.x()?, &target)
}

pub(super) fn squeeze(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let shape = call.x()?.shape().to_vec();
    // A file for one image may remove the batch, which the reshape adds again where it belongs.
    let lengths = importer.file_shape(call.x()?);
    let gone = match call.ints_input_or_attribute(1, "axes")? {
        Some(axes) => axes.into_iter().map(|axis| dimension(axis, shape.len())).collect::<Result<Vec<_>, _>>()?,
        None => (0..shape.len()).filter(|&dim| lengths[dim] == 1).collect(),
    };
    let kept: Vec<usize> = (0..shape.len()).filter(|dim| !gone.contains(dim)).map(|dim| shape[dim]).collect();
    if gone.iter().any(|&dim| lengths[dim] != 1) {
        return Err(format!("{} cannot be squeezed to {}", show_shape(&shape), show_shape(&kept)).into());
    }
    importer.reshape(call.x()?, &kept)
}

pub(super) fn unsqueeze(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let shape = call.x()?.shape();
    let axes = call.ints_input_or_attribute(1, "axes")?.ok_or("it has no axes")?;
    let rank = shape.len() + axes.len();
    let new = axes.into_iter().map(|axis| dimension(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut old = shape.iter().copied();
    let target: Vec<usize> =
        (0..rank).map(|dim| if new.contains(&dim) { 1 } else { old.next().unwrap_or(1) }).collect();
    importer.reshape(call.x()?, &target)
}

pub(super) fn transpose(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let rank = call.x()?.rank();
    let order = match call.ints("perm") {
        Some(order) => order.iter().map(|&axis| dimension(axis, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).rev().collect(),
    };
    importer.op(Op::Permute(order), &[call.x()?])
}

pub(super) fn concat(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    // Empty values add nothing.
    let mut values: Vec<Value> = call.inputs().filter(|value| !value.shape().contains(&0)).cloned().collect();
    if values.is_empty() {
        return Ok(call.x()?.clone());
    }
    let dim = call.axis("axis", 0, call.x()?.rank())?;
    let batched = values.iter().any(|value| value.shape().first().is_some_and(|&dim| grows(dim)));
    for value in &mut values {
        // The file has one class token; each image gets a copy of it.
        if batched && dim > 0 && value.known().is_some() && value.shape().first() == Some(&1) {
            *value = importer.expand_batch(value)?;
        }
    }
    importer.op(Op::Concat { dim }, &values.iter().collect::<Vec<_>>())
}

pub(super) fn split(importer: &mut Importer, call: &Call<'_>) -> Result<Vec<Value>, Reason> {
    let x = call.x()?;
    let dim = call.axis("axis", 0, x.rank())?;
    let extent = x.shape()[dim];
    let count = call.node.outputs.len();
    let lengths = match call.ints_input_or_attribute(1, "split")? {
        Some(lengths) => lengths.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>()?,
        None => {
            let each = extent.div_ceil(count.max(1));
            (0..count).map(|i| each.min(extent.saturating_sub(i * each))).collect()
        }
    };
    if grows(extent) {
        return Err("it splits the batch".into());
    }
    let mut start = 0;
    let mut parts = Vec::with_capacity(count);
    for len in lengths {
        if len > extent {
            return Err(format!("a part of {len} is larger than the dimension of {extent}").into());
        }
        parts.push(importer.op(Op::Narrow { dim, start, len }, &[x])?);
        start += len;
    }
    Ok(parts)
}

pub(super) fn slice(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let mut x = call.x()?.clone();
    let file_shape = importer.file_shape(&x);
    let starts = call.ints_input_or_attribute(1, "starts")?.ok_or("it has no starts")?;
    let ends = call.ints_input_or_attribute(2, "ends")?.ok_or("it has no ends")?;
    let axes = call.ints_input_or_attribute(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.ints_input_or_attribute(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let dim = dimension(axis, x.rank())?;
        let extent = file_shape[dim];
        if extent == 0 {
            continue;
        }
        let bound = |at: i64, low: i64, high: i64| if at < 0 { at.saturating_add(extent) } else { at }.clamp(low, high);
        let indices: Vec<i64> = match step {
            0 => return Err("its step is 0".into()),
            1.. => (bound(start, 0, extent)..bound(end, 0, extent)).step_by(usize::try_from(step)?).collect(),
            _ => {
                let (first, last) = (bound(start, 0, extent - 1), bound(end, -1, extent - 1));
                let back = usize::try_from(step.unsigned_abs())?;
                (last + 1..=first).rev().step_by(back).collect()
            }
        };
        if indices.iter().copied().eq(0..extent) {
            continue;
        }
        if grows(x.shape()[dim]) {
            return Err("it splits the batch".into());
        }
        x = match step {
            1 => {
                let start = usize::try_from(indices.first().copied().unwrap_or(0))?;
                importer.op(Op::Narrow { dim, start, len: indices.len() }, &[&x])?
            }
            _ => {
                let indices = indices.into_iter().map(u32::try_from).collect::<Result<Vec<_>, _>>()?;
                importer.op(Op::IndexSelect { dim, indices: indices.into() }, &[&x])?
            }
        };
    }
    Ok(x)
}

pub(super) fn gather(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let (x, places) = (call.x()?, call.input(1)?);
    let dim = call.axis("axis", 0, x.rank())?;
    let extent = usize::try_from(importer.file_shape(x)[dim])?;
    let at = |&index: &i64| wrapped(index, extent).ok_or_else(|| Reason(format!("there is no index {index}")));
    let indices = places.ints()?.iter().map(at).collect::<Result<Vec<usize>, _>>()?;
    let target = [&x.shape()[..dim], places.shape(), &x.shape()[dim + 1..]].concat();
    // `as_strided` is exported as a table of all indices, which are in order if it does nothing.
    if indices.iter().copied().eq(0..extent) && places.rank() > 0 {
        return importer.reshape(x, &target);
    }
    if grows(x.shape()[dim]) {
        return Err("it splits the batch".into());
    }
    if let ([index], 0) = (indices.as_slice(), places.rank()) {
        return importer.op(Op::Select { dim, index: *index }, &[x]);
    }
    let flat: Vec<u32> = indices.into_iter().map(u32::try_from).collect::<Result<_, _>>()?;
    let taken = importer.op(Op::IndexSelect { dim, indices: flat.into() }, &[x])?;
    importer.reshape(&taken, &target)
}

pub(super) fn expand(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let wanted = call.input(1)?.ints()?.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>()?;
    let (rank, own) = (wanted.len().max(x.rank()), x.shape());
    let length_at = |dims: &[usize], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
    let shape: Vec<usize> =
        (0..rank).map(|i| if length_at(own, i) == 1 { length_at(&wanted, i) } else { length_at(own, i) }).collect();
    let padded: Vec<usize> = (0..rank).map(|i| length_at(own, i)).collect();
    let x = importer.reshape(x, &padded)?;
    let batched = shape.first().is_some_and(|&dim| grows(dim)) && padded[0] == 1;
    // The copies within each image, without the batch.
    let inner: Vec<usize> = (0..rank).map(|i| if padded[i] == 1 && !grows(shape[i]) { shape[i] } else { 1 }).collect();
    let size = inner.iter().chain(&padded).try_fold(1usize, |n, &dim| n.checked_mul(dim));
    size.filter(|size| *size <= LARGEST * BATCH).ok_or("it is too large")?;
    let x = match x.known() {
        Some(_) if inner.iter().zip(&padded).all(|(inner, own)| inner <= own) => x,
        Some(tensor) => {
            let target: Vec<usize> = (0..rank).map(|i| padded[i].max(inner[i])).collect();
            Value::from(tensor.broadcast_as(target)?.contiguous()?)
        }
        None if inner.iter().all(|&dim| dim == 1) => x,
        None => {
            let ones = constant(vec![1.0; inner.iter().product()], &inner)?;
            importer.op(Op::Binary(Binary::Mul), &[&x, &ones])?
        }
    };
    if batched { importer.expand_batch(&x) } else { Ok(x) }
}

pub(super) fn tile(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let mut x = call.x()?.clone();
    for (dim, times) in call.input(1)?.ints()?.into_iter().enumerate() {
        let times = usize::try_from(times)?;
        if grows(times) && dim == 0 && x.shape().first() == Some(&1) {
            x = importer.expand_batch(&x)?;
        } else if times != 1 {
            if times == 0 || grows(times) || x.shape().get(dim).is_none_or(|&extent| grows(extent)) {
                return Err("it repeats the images of a batch".into());
            }
            let size = x.shape().iter().try_fold(times, |n, &dim| n.checked_mul(dim));
            size.filter(|size| *size <= LARGEST * BATCH).ok_or("it is too large")?;
            x = importer.op(Op::Concat { dim }, &vec![&x; times])?;
        }
    }
    Ok(x)
}

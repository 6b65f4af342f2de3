//! Attention and what belongs to it in newer versions of the operators: rotary embeddings and normalization by the root mean
//! square.

use super::Call;
use super::folded::LARGEST;
use crate::error::Reason;
use crate::importer::{Importer, constant};
use crate::value::Value;
use candle_core::{DType, Tensor};
use hard_imagenet_graph::{Activation, Binary, Op, Reduce, Reduction};

/// Adds softmax(scale · Q Kᵀ + mask) V for each head.
pub(super) fn attention(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    check_attention(call)?;
    let x = call.x()?;
    let q = heads(importer, x, call.int("q_num_heads", 0), "q_num_heads")?;
    let k = heads(importer, call.input(1)?, call.int("kv_num_heads", 0), "kv_num_heads")?;
    let v = heads(importer, call.input(2)?, call.int("kv_num_heads", 0), "kv_num_heads")?;
    let (&[batch, count, rows, length], &[_, key_count, columns, _]) = (q.shape(), k.shape()) else {
        return Err("its inputs need three or four dimensions".into());
    };
    // Several heads of the queries share one of the keys and values.
    let mut shared = |value: Value| -> Result<Value, Reason> {
        if key_count == count {
            return Ok(value);
        }
        if key_count == 0 || count % key_count != 0 {
            return Err(format!("{count} heads of queries cannot share {key_count} heads of keys").into());
        }
        let group = count / key_count;
        let indices = (0..count).map(|i| u32::try_from(i / group)).collect::<Result<Vec<_>, _>>()?;
        importer.op(Op::IndexSelect { dim: 1, indices: indices.into() }, &[&value])
    };
    let (k, v) = (shared(k)?, shared(v)?);
    let scale = match call.float("scale", 0.0) {
        0.0 => 1.0 / (length as f64).sqrt(),
        scale => f64::from(scale),
    };
    let mut scores = importer.op(Op::MatMul { transpose_second: true }, &[&q, &k])?;
    scores = importer.op(Op::Scale(scale), &[&scores])?;
    let cap = f64::from(call.float("softcap", 0.0));
    if cap != 0.0 {
        scores = importer.op(Op::Scale(1.0 / cap), &[&scores])?;
        scores = importer.op(Op::Activation(Activation::Tanh), &[&scores])?;
        scores = importer.op(Op::Scale(cap), &[&scores])?;
    }
    if let Some(mask) = call.optional(3) {
        let mask = added_mask(mask, columns)?;
        scores = importer.op(Op::Binary(Binary::Add), &[&scores, &mask])?;
    }
    if call.int("is_causal", 0) != 0 {
        if rows.checked_mul(columns).is_none_or(|size| size > LARGEST) {
            return Err("its causal mask is too large".into());
        }
        let value = |i: usize| if i % columns <= i / columns { 0.0 } else { f32::NEG_INFINITY };
        let mask = constant((0..rows * columns).map(value).collect(), &[rows, columns])?;
        scores = importer.op(Op::Binary(Binary::Add), &[&scores, &mask])?;
    }
    let shares = importer.op(Op::Softmax, &[&scores])?;
    let y = importer.op(Op::MatMul { transpose_second: false }, &[&shares, &v])?;
    if x.rank() == 4 {
        return Ok(y);
    }
    let width = y.shape().last().copied().unwrap_or_default() * count;
    let y = importer.op(Op::Permute(vec![0, 2, 1, 3]), &[&y])?;
    let y = importer.reshape(&y, &[batch, rows, width])?;
    Ok(if y.shape() == x.shape() { importer.copy_axes(y, x) } else { y })
}

/// Checks that an attention has no form that is not supported.
fn check_attention(call: &Call<'_>) -> Result<(), Reason> {
    let extra = |i: usize| call.node.outputs.get(i).is_some_and(|name| !name.is_empty());
    if (4..=6).any(|i| call.optional(i).is_some()) || (1..=3).any(extra) {
        return Err("keys and values of an earlier call, and outputs other than the first, are not supported".into());
    }
    if call.optional(3).is_some() && call.float("softcap", 0.0) != 0.0 {
        return Err("a mask together with the attribute softcap is not supported".into());
    }
    if call.int("left_window_size", -1) != -1 || call.int("right_window_size", -1) != -1 {
        return Err("windows are not supported".into());
    }
    Ok(())
}

/// Returns a value as (B, heads, S, D). Three dimensions (B, S, heads · D) are split.
fn heads(importer: &mut Importer, x: &Value, count: i64, attribute: &str) -> Result<Value, Reason> {
    match *x.shape() {
        [_, _, _, _] => Ok(x.clone()),
        [batch, length, width] => {
            let count = usize::try_from(count).ok().filter(|count| *count > 0 && width % count == 0);
            let count = count.ok_or_else(|| Reason(format!("its attribute {attribute} does not divide {width}")))?;
            let y = importer.reshape(x, &[batch, length, count, width / count])?;
            importer.op(Op::Permute(vec![0, 2, 1, 3]), &[&y])
        }
        _ => Err("its inputs need three or four dimensions".into()),
    }
}

/// Returns a mask as numbers to add: where a truth value is false, minus infinity.
fn added_mask(mask: &Value, columns: usize) -> Result<Value, Reason> {
    if mask.shape().last() != Some(&columns) {
        return Err(format!("its mask does not have the {columns} columns of the keys").into());
    }
    match mask.known() {
        Some(tensor) if mask.is_integral() => {
            let zeros = Tensor::zeros(tensor.dims(), DType::F32, tensor.device())?;
            let hidden = Tensor::full(f32::NEG_INFINITY, tensor.dims(), tensor.device())?;
            Ok(tensor.ne(&tensor.zeros_like()?)?.where_cond(&zeros, &hidden)?.into())
        }
        _ => Ok(mask.clone()),
    }
}

/// Adds x / √(mean of squares + eps) · scale over the dimensions from `axis` on.
pub(super) fn rms_normalization(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let dims = (call.axis("axis", -1, x.rank())?..x.rank()).collect();
    let squares = importer.op(Op::Activation(Activation::Power(2.0)), &[x])?;
    let mean = importer.op(Op::Reduce(Reduce { how: Reduction::Mean, dims, keep: true }), &[&squares])?;
    let eps = constant(vec![call.float("epsilon", 1e-5)], &[1])?;
    let sum = importer.op(Op::Binary(Binary::Add), &[&mean, &eps])?;
    let root = importer.op(Op::Activation(Activation::Sqrt), &[&sum])?;
    let y = importer.op(Op::Binary(Binary::Div), &[x, &root])?;
    importer.op(Op::Binary(Binary::Mul), &[&y, call.input(1)?])
}

/// Rotates pairs of elements of each head by angles that depend on the position.
pub(super) fn rotary_embedding(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let shape = x.shape().to_vec();
    let y = heads(importer, x, call.int("num_heads", 0), "num_heads")?;
    let &[batch, count, rows, length] = y.shape() else {
        return Err("its inputs need three or four dimensions".into());
    };
    let rotated = match usize::try_from(call.int("rotary_embedding_dim", 0))? {
        0 => length,
        dim => dim,
    };
    let half = rotated / 2;
    if rotated > length || rotated % 2 != 0 || half == 0 {
        return Err(format!("{rotated} of {length} elements cannot be rotated in pairs").into());
    }
    let cos = angles(importer, call, 1, rows, half)?;
    let sin = angles(importer, call, 2, rows, half)?;
    let interleaved = call.int("interleaved", 0) != 0;
    let pick = |part: usize| -> Result<Vec<u32>, Reason> {
        let at = |i: usize| if interleaved { 2 * i + part } else { part * half + i };
        Ok((0..half).map(|i| u32::try_from(at(i))).collect::<Result<_, _>>()?)
    };
    let mut select = |indices: Vec<u32>| importer.op(Op::IndexSelect { dim: 3, indices: indices.into() }, &[&y]);
    let (a, b) = (select(pick(0)?)?, select(pick(1)?)?);
    let rest = select((u32::try_from(rotated)?..u32::try_from(length)?).collect());
    let mut product = |x: &Value, factor: &Value| importer.op(Op::Binary(Binary::Mul), &[x, factor]);
    let (a_cos, b_sin, a_sin, b_cos) = (product(&a, &cos)?, product(&b, &sin)?, product(&a, &sin)?, product(&b, &cos)?);
    let real = importer.op(Op::Binary(Binary::Sub), &[&a_cos, &b_sin])?;
    let imaginary = importer.op(Op::Binary(Binary::Add), &[&a_sin, &b_cos])?;
    let mut z = if interleaved {
        let mut column = |x: &Value| importer.reshape(x, &[batch, count, rows, half, 1]);
        let (real, imaginary) = (column(&real)?, column(&imaginary)?);
        let z = importer.op(Op::Concat { dim: 4 }, &[&real, &imaginary])?;
        importer.reshape(&z, &[batch, count, rows, rotated])?
    } else {
        importer.op(Op::Concat { dim: 3 }, &[&real, &imaginary])?
    };
    if rotated < length {
        z = importer.op(Op::Concat { dim: 3 }, &[&z, &rest?])?;
    }
    if shape.len() == 4 {
        return Ok(z);
    }
    let z = importer.op(Op::Permute(vec![0, 2, 1, 3]), &[&z])?;
    let z = importer.reshape(&z, &shape)?;
    Ok(importer.copy_axes(z, x))
}

/// Returns the cosines or sines `(1, 1, S, half)` of the positions, which must be the same for each image.
fn angles(importer: &Importer, call: &Call<'_>, input: usize, rows: usize, half: usize) -> Result<Value, Reason> {
    let constant = |i: usize| -> Result<Tensor, Reason> {
        let value = call.input(i)?;
        Ok(importer.table(value).unwrap_or(value).tensor()?.clone())
    };
    let mut cache = constant(input)?;
    if call.optional(3).is_some() {
        let positions = constant(3)?;
        if positions.dims() != [1, rows] && positions.dims() != [rows] {
            return Err("positions that differ between images are not supported".into());
        }
        let (flat, known) = (Value::from(positions.flatten_all()?).ints()?, cache.dim(0)?);
        let at = |&i: &i64| super::folded::wrapped(i, known).and_then(|i| u32::try_from(i).ok());
        let indices: Option<Vec<u32>> = flat.iter().map(at).collect();
        let indices = indices.ok_or("a position is outside of its tables")?;
        cache = cache.contiguous()?.index_select(&Tensor::new(indices, cache.device())?, 0)?;
    }
    if cache.elem_count() != rows * half {
        return Err(format!("its tables do not have {rows} × {half} elements").into());
    }
    Ok(cache.reshape((1, 1, rows, half))?.into())
}

//! Normalizations and reductions.

use super::{Call, dimension};
use crate::error::Reason;
use crate::importer::{Importer, constant};
use crate::value::{Value, grows};
use candle_core::{DType, Tensor};
use hard_imagenet_graph::{Activation, Binary, Op, Reduce, Reduction};

pub(super) fn batch(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let eps = f64::from(call.float("epsilon", 1e-5));
    let names = ["weight", "bias", "running_mean", "running_var"];
    let weights = names
        .iter()
        .enumerate()
        .map(|(i, name)| Ok((*name, call.input(i + 1)?)))
        .collect::<Result<Vec<_>, Reason>>()?;
    if x.rank() == 4 {
        return importer.weighted(Op::BatchNorm { channels: x.shape()[1], eps }, &[x], &weights);
    }
    let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|i| call.input(i).and_then(Value::tensor));
    let (bias, mean) = (bias?, mean?);
    let scale = (scale? / (variance? + eps)?.sqrt()?)?;
    let shift = (bias - (mean * &scale)?)?;
    affine(importer, x, &scale.into(), Some(&shift.into()))
}

/// Multiplies each channel (dimension 1) by a factor and adds a bias.
fn affine(importer: &mut Importer, x: &Value, scale: &Value, bias: Option<&Value>) -> Result<Value, Reason> {
    let shape = [&[scale.shape().iter().product()], vec![1; x.rank().saturating_sub(2)].as_slice()].concat();
    let scale = importer.reshape(scale, &shape)?;
    let y = importer.op(Op::Binary(Binary::Mul), &[x, &scale])?;
    let Some(bias) = bias else { return Ok(y) };
    let bias = importer.reshape(bias, &shape)?;
    importer.op(Op::Binary(Binary::Add), &[&y, &bias])
}

pub(super) fn layer(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let (x, scale) = (call.x()?, call.input(1)?);
    let axis = call.axis("axis", -1, x.rank())?;
    let eps = f64::from(call.float("epsilon", 1e-5));
    if axis + 1 == x.rank() && scale.rank() == 1 {
        let zeros = Value::from(scale.tensor()?.zeros_like()?);
        let bias = call.optional(2).unwrap_or(&zeros);
        let op = Op::LayerNorm { channels: x.shape()[axis], eps };
        return importer.weighted(op, &[x], &[("weight", scale), ("bias", bias)]);
    }
    let y = normalize(importer, x, &(axis..x.rank()).collect::<Vec<_>>(), eps)?;
    let y = importer.op(Op::Binary(Binary::Mul), &[&y, scale])?;
    match call.optional(2) {
        Some(bias) => importer.op(Op::Binary(Binary::Add), &[&y, bias]),
        None => Ok(y),
    }
}

/// Adds (x - mean) / √(variance + eps) over some dimensions.
fn normalize(importer: &mut Importer, x: &Value, dims: &[usize], eps: f64) -> Result<Value, Reason> {
    let mean = |importer: &mut Importer, x: &Value| {
        importer.op(Op::Reduce(Reduce { how: Reduction::Mean, dims: dims.to_vec(), keep: true }), &[x])
    };
    let average = mean(importer, x)?;
    let centered = importer.op(Op::Binary(Binary::Sub), &[x, &average])?;
    let squared = importer.op(Op::Activation(Activation::Power(2.0)), &[&centered])?;
    let variance = mean(importer, &squared)?;
    let variance = importer.op(Op::Binary(Binary::Add), &[&variance, &constant(vec![eps as f32], &[1])?])?;
    let deviation = importer.op(Op::Activation(Activation::Sqrt), &[&variance])?;
    importer.op(Op::Binary(Binary::Div), &[&centered, &deviation])
}

pub(super) fn instance(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let eps = f64::from(call.float("epsilon", 1e-5));
    let y = normalize(importer, x, &(2..x.rank()).collect::<Vec<_>>(), eps)?;
    affine(importer, &y, call.input(1)?, call.optional(2))
}

pub(super) fn group(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let shape = x.shape().to_vec();
    let groups = usize::try_from(call.int("num_groups", 1))?;
    let &[batch, channels, ..] = shape.as_slice() else { return Err("at least two dimensions are needed".into()) };
    if groups == 0 || channels % groups != 0 {
        return Err(format!("{channels} channels cannot be split into {groups} groups").into());
    }
    let size = channels / groups * shape[2..].iter().product::<usize>();
    let y = importer.reshape(x, &[batch, groups, size])?;
    let y = normalize(importer, &y, &[2], f64::from(call.float("epsilon", 1e-5)))?;
    let y = importer.reshape(&y, &shape)?;
    // Before version 21 of the operators there is one number per group instead of per channel.
    let each = |value: &Value| -> Result<Value, Reason> {
        let tensor = value.tensor()?;
        if tensor.elem_count() == channels {
            return Ok(value.clone());
        }
        Ok(tensor.reshape((groups, 1))?.broadcast_as((groups, channels / groups))?.contiguous()?.flatten_all()?.into())
    };
    affine(importer, &y, &each(call.input(1)?)?, Some(&each(call.input(2)?)?))
}

pub(super) fn lp(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let dims = vec![call.axis("axis", -1, x.rank())?];
    let norm = match call.int("p", 2) {
        1 => reduce_dims(importer, x, dims, true, "ReduceL1")?,
        _ => reduce_dims(importer, x, dims, true, "ReduceL2")?,
    };
    importer.op(Op::Binary(Binary::Div), &[x, &norm])
}

pub(super) fn softmax(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let rank = x.rank();
    let joins = importer.opset < 13;
    let dim = call.axis("axis", if joins { 1 } else { -1 }, rank)?;
    if x.shape()[dim..].iter().any(|&extent| grows(extent)) && (joins || grows(x.shape()[dim])) {
        return Err("it normalizes over the batch".into());
    }
    if joins && dim + 1 < rank {
        // Up to version 12 of the operators, a softmax joins all dimensions from the axis on.
        let shape = x.shape().to_vec();
        let joined = importer.reshape(x, &[&shape[..dim], &[shape[dim..].iter().product()]].concat())?;
        let y = match call.node.op.as_str() {
            "LogSoftmax" => log_softmax(importer, &joined, dim)?,
            _ => importer.op(Op::Softmax, &[&joined])?,
        };
        return importer.reshape(&y, &shape);
    }
    // Swap the axis with the last one, and back.
    let order: Vec<usize> = (0..rank)
        .map(|i| {
            if i == dim {
                rank - 1
            } else if i == rank - 1 {
                dim
            } else {
                i
            }
        })
        .collect();
    let swap = |importer: &mut Importer, x: &Value| match dim + 1 == rank {
        true => Ok(x.clone()),
        false => importer.op(Op::Permute(order.clone()), &[x]),
    };
    if call.node.op == "LogSoftmax" {
        return log_softmax(importer, x, dim);
    }
    let y = swap(importer, x)?;
    let y = importer.op(Op::Softmax, &[&y])?;
    swap(importer, &y)
}

/// Adds x - max - ln Σ exp(x - max), which is finite where a softmax is 0.
fn log_softmax(importer: &mut Importer, x: &Value, dim: usize) -> Result<Value, Reason> {
    let over = |how| Op::Reduce(Reduce { how, dims: vec![dim], keep: true });
    let largest = importer.op(over(Reduction::Max), &[x])?;
    let x = importer.op(Op::Binary(Binary::Sub), &[x, &largest])?;
    let exp = importer.op(Op::Activation(Activation::Exp), &[&x])?;
    let sum = importer.op(over(Reduction::Sum), &[&exp])?;
    let log = importer.op(Op::Activation(Activation::Log), &[&sum])?;
    importer.op(Op::Binary(Binary::Sub), &[&x, &log])
}

pub(super) fn reduce(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let axes = call.ints_input_or_attribute(1, "axes")?.unwrap_or_default();
    if axes.is_empty() && call.int("noop_with_empty_axes", 0) != 0 {
        return Ok(x.clone());
    }
    let mut dims = axes.into_iter().map(|axis| dimension(axis, x.rank())).collect::<Result<Vec<_>, _>>()?;
    if dims.is_empty() {
        dims = (0..x.rank()).collect();
    }
    dims.sort_unstable();
    if dims.iter().any(|&dim| grows(x.shape()[dim])) {
        return Err("it reduces over the batch".into());
    }
    let keep = call.int("keepdims", 1) != 0;
    if let Some(tensor) = x.known().filter(|_| x.is_integral()) {
        let floats = Value::from(tensor.to_dtype(DType::F32)?);
        let y = reduce_dims(importer, &floats, dims, keep, &call.node.op)?;
        return Ok(y.known().map(|y: &Tensor| y.to_dtype(DType::I64)).transpose()?.map_or(y, Value::from));
    }
    reduce_dims(importer, x, dims, keep, &call.node.op)
}

/// Adds a reduction and the elementwise functions that its operator applies before and after it.
fn reduce_dims(importer: &mut Importer, x: &Value, dims: Vec<usize>, keep: bool, op: &str) -> Result<Value, Reason> {
    let how = match op {
        "ReduceMean" => Reduction::Mean,
        "ReduceMax" | "ReduceMin" => Reduction::Max,
        _ => Reduction::Sum,
    };
    let reduce = Op::Reduce(Reduce { how, dims, keep });
    let before = match op {
        "ReduceMin" => Some(Op::Scale(-1.0)),
        "ReduceL1" => Some(Op::Activation(Activation::Abs)),
        "ReduceL2" | "ReduceSumSquare" => Some(Op::Activation(Activation::Power(2.0))),
        _ => None,
    };
    let after = match op {
        "ReduceMin" => Some(Op::Scale(-1.0)),
        "ReduceL2" => Some(Op::Activation(Activation::Sqrt)),
        _ => None,
    };
    let steps = before.into_iter().chain([reduce]).chain(after);
    steps.into_iter().try_fold(x.clone(), |x, op| importer.op(op, &[&x]))
}

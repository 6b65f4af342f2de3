//! Elementwise functions.

use super::Call;
use super::folded;
use crate::error::Reason;
use crate::importer::{Importer, constant};
use crate::value::Value;
use candle_core::{DType, Tensor};
use hard_imagenet_graph::{Activation, Binary, Op};

/// Returns the activation that the operator's name stands for, if there is one.
pub(super) fn activation(call: &Call<'_>) -> Result<Option<Activation>, Reason> {
    let bound = |i: usize, name: &str, default: f32| -> Result<f32, Reason> {
        match call.optional(i) {
            Some(value) => value.scalar().ok_or_else(|| "its bounds depend on the images".into()),
            None => Ok(call.float(name, default)),
        }
    };
    Ok(Some(match call.node.op.as_str() {
        "Relu" => Activation::Relu,
        "Gelu" if call.text("approximate", "none") == "tanh" => Activation::GeluTanh,
        "Gelu" => Activation::Gelu,
        "Sigmoid" => Activation::Sigmoid,
        "Swish" if call.float("alpha", 1.0) == 1.0 => Activation::Silu,
        "Tanh" => Activation::Tanh,
        "Mish" => Activation::Mish,
        "Softplus" => Activation::Softplus,
        "HardSwish" => Activation::HardSwish,
        "HardSigmoid" => Activation::HardSigmoid,
        "Clip" => Activation::Clamp(bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?),
        "LeakyRelu" => Activation::LeakyRelu(call.float("alpha", 0.01)),
        "Elu" => Activation::Elu(call.float("alpha", 1.0)),
        "Exp" => Activation::Exp,
        "Log" => Activation::Log,
        "Sqrt" => Activation::Sqrt,
        "Reciprocal" => Activation::Power(-1.0),
        "Abs" => Activation::Abs,
        "Erf" => Activation::Erf,
        "Sin" => Activation::Sin,
        "Cos" => Activation::Cos,
        _ => return Ok(None),
    }))
}

pub(super) fn activate(importer: &mut Importer, call: &Call<'_>, activation: Activation) -> Result<Value, Reason> {
    let x = call.x()?;
    if x.is_integral() {
        return folded::unary(call);
    }
    let (alpha, beta) = (call.float("alpha", 0.2), call.float("beta", 0.5));
    if activation == Activation::HardSigmoid && ((alpha - 1.0 / 6.0).abs() > 1e-6 || beta != 0.5) {
        let scaled = importer.op(Op::Scale(f64::from(alpha)), &[x])?;
        let moved = importer.op(Op::Binary(Binary::Add), &[&scaled, &constant(vec![beta], &[1])?])?;
        return importer.op(Op::Activation(Activation::Clamp(0.0, 1.0)), &[&moved]);
    }
    importer.op(Op::Activation(activation), &[x])
}

pub(super) fn negate(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    if call.x()?.is_integral() { folded::unary(call) } else { importer.op(Op::Scale(-1.0), &[call.x()?]) }
}

pub(super) fn binary(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let values: Vec<&Value> = call.inputs().collect();
    let (first, rest) = values.split_first().ok_or("it has no inputs")?;
    let binary = match call.node.op.as_str() {
        "Sub" => Binary::Sub,
        "Mul" => Binary::Mul,
        "Div" => Binary::Div,
        "Min" => Binary::Minimum,
        "Max" => Binary::Maximum,
        _ => Binary::Add,
    };
    if values.iter().all(|value| value.is_integral()) {
        return folded::arithmetic(call);
    }
    if let (Binary::Add, [a, b]) = (binary, values.as_slice())
        && let Some(linear) = importer.merge_bias(a, b).or_else(|| importer.merge_bias(b, a))
    {
        return linear;
    }
    if let [a, b] = values.as_slice() {
        let norm = match binary {
            Binary::Div => importer.merge_layer_norm(a, b),
            _ => importer
                .merge_layer_norm_affine(binary, a, b)
                .or_else(|| importer.merge_layer_norm_affine(binary, b, a)),
        };
        if let Some(norm) = norm {
            return norm;
        }
    }
    let mut sum = (*first).clone();
    for value in rest {
        // A product with a number, or a quotient by one, is a scale.
        sum = match (binary, value.scalar(), sum.scalar()) {
            (Binary::Mul, Some(factor), None) if value.rank() <= sum.rank() => {
                importer.op(Op::Scale(f64::from(factor)), &[&sum])?
            }
            (Binary::Div, Some(divisor), None) if value.rank() <= sum.rank() => {
                importer.op(Op::Scale(1.0 / f64::from(divisor)), &[&sum])?
            }
            (Binary::Mul, None, Some(factor)) if sum.rank() <= value.rank() => {
                importer.op(Op::Scale(f64::from(factor)), &[value])?
            }
            _ => importer.op(Op::Binary(binary), &[&sum, value])?,
        };
    }
    if call.node.op == "Mean" { importer.op(Op::Scale(1.0 / values.len() as f64), &[&sum]) } else { Ok(sum) }
}

pub(super) fn power(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let exponent = match call.input(1)?.floats()?.as_slice() {
        [exponent] => *exponent,
        _ => return Err("its exponent is not a single number".into()),
    };
    if call.x()?.is_integral() {
        return Err("powers of integers are not supported".into());
    }
    let activation = if exponent == 0.5 { Activation::Sqrt } else { Activation::Power(exponent) };
    importer.op(Op::Activation(activation), &[call.x()?])
}

/// Adds max(x, 0) + slope · min(x, 0).
pub(super) fn parametric_relu(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let above = importer.op(Op::Activation(Activation::Relu), &[call.x()?])?;
    let below = importer.op(Op::Binary(Binary::Sub), &[call.x()?, &above])?;
    let below = importer.op(Op::Binary(Binary::Mul), &[&below, call.input(1)?])?;
    importer.op(Op::Binary(Binary::Add), &[&above, &below])
}

pub(super) fn cast(call: &Call<'_>) -> Result<Value, Reason> {
    // float, float16, double, bfloat16
    let to_float = call.node.op == "CastLike" || [1, 10, 11, 16].contains(&call.int("to", 1));
    let Some(tensor) = call.x()?.known() else {
        let Value::Node { id, shape, axes, integral } = call.x()?.clone() else { return Err("it has no input".into()) };
        // Pixels keep their values in any type of numbers that holds them.
        let keeps_pixels = integral && ![9, 3].contains(&call.int("to", 1)) && call.node.op == "Cast";
        return if to_float {
            Ok(Value::Node { id, shape, axes, integral: false })
        } else if keeps_pixels {
            Ok(call.x()?.clone())
        } else {
            Err("a value that depends on the images cannot be cast to integers".into())
        };
    };
    Ok(match call.int("to", 1) {
        _ if call.node.op == "CastLike" => tensor.to_dtype(call.input(1)?.known().map_or(DType::F32, Tensor::dtype))?,
        _ if to_float => tensor.to_dtype(DType::F32)?,
        9 => tensor.ne(&tensor.zeros_like()?)?,
        _ => tensor.to_dtype(DType::I64)?,
    }
    .into())
}

/// Adds the choice of the first value where the condition holds and of the second elsewhere.
pub(super) fn choose(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let (condition, yes, no) = (call.x()?.tensor()?, call.input(1)?, call.input(2)?);
    let condition = condition.ne(&condition.zeros_like()?)?;
    if let (Some(yes), Some(no)) = (yes.known(), no.known()) {
        let shape = condition.shape().broadcast_shape_binary_op(yes.shape(), "where")?;
        let shape = shape.broadcast_shape_binary_op(no.shape(), "where")?;
        let all = |tensor: &Tensor| tensor.broadcast_as(shape.clone())?.contiguous();
        return Ok(all(&condition)?.where_cond(&all(yes)?, &all(no)?)?.into());
    }
    // yes · c + no · (1 - c). Infinite constants are added instead of multiplied, because 0 · ∞ is NaN.
    let truth = condition.to_dtype(DType::F32)?;
    let mut part = |value: &Value, share: &Tensor| -> Result<Value, Reason> {
        if let Some(number) = value.scalar().filter(|number| !number.is_finite()) {
            let number = Tensor::full(number, share.dims(), share.device())?;
            return Ok(share.ne(0f32)?.where_cond(&number, &share.zeros_like()?)?.into());
        }
        importer.op(Op::Binary(Binary::Mul), &[value, &share.clone().into()])
    };
    let (yes, no) = (part(yes, &truth)?, part(no, &truth.affine(-1.0, 1.0)?)?);
    importer.op(Op::Binary(Binary::Add), &[&yes, &no])
}

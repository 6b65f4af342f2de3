//! Resizing images: a product with a matrix of weights along each axis, which has a gradient without further code.

use super::Call;
use crate::error::Reason;
use crate::importer::{Importer, constant};
use crate::value::{Value, grows};
use hard_imagenet_graph::Op;

pub(super) fn resize(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let shape = x.shape().to_vec();
    let upsample = call.node.op == "Upsample";
    let given = |i: usize| call.optional(i).filter(|value| value.shape() != [0]);
    let (scales, sizes) = (given(if upsample { 1 } else { 2 }), if upsample { None } else { given(3) });
    if call.int("antialias", 0) != 0 || call.ints("axes").is_some() {
        return Err("the attributes antialias and axes are not supported".into());
    }
    let scales: Vec<f64> = match (scales, sizes) {
        (Some(scales), _) => scales.floats()?.into_iter().map(f64::from).collect(),
        (None, Some(sizes)) => {
            let before = importer.file_shape(x);
            sizes.ints()?.iter().zip(&before).map(|(&after, &before)| after as f64 / before as f64).collect()
        }
        _ => return Err("it has neither scales nor sizes".into()),
    };
    if scales.len() != shape.len() {
        return Err("the number of scales does not match the number of dimensions".into());
    }
    let mut y = x.clone();
    for (dim, &scale) in scales.iter().enumerate().filter(|(_, scale)| **scale != 1.0) {
        let from = shape[dim];
        let to = match given(3).filter(|_| !upsample) {
            Some(sizes) => usize::try_from(sizes.ints()?[dim])?,
            None => (from as f64 * scale).floor() as usize,
        };
        if grows(from) || from == 0 || to == 0 || to > 1 << 14 || from > 1 << 14 {
            return Err(format!("resizing from {from} to {to} is not supported").into());
        }
        let matrix = constant(matrix(call, from, to, scale)?, &[to, from])?;
        let order: Vec<usize> = (0..shape.len()).filter(|d| *d != dim).chain([dim]).collect();
        let back = (0..shape.len()).map(|d| order.iter().position(|o| *o == d).unwrap_or(d)).collect();
        y = importer.op(Op::Permute(order), &[&y])?;
        y = importer.weighted(Op::Linear { inputs: from, outputs: to, bias: false }, &[&y], &[("resize", &matrix)])?;
        y = importer.op(Op::Permute(back), &[&y])?;
    }
    Ok(importer.copy_axes(y, x))
}

/// Returns the weight of each of `from` elements in each of `to`, row-major `(to, from)`.
fn matrix(call: &Call<'_>, from: usize, to: usize, scale: f64) -> Result<Vec<f32>, Reason> {
    let last = from as f64 - 1.0;
    let default = if call.node.op == "Upsample" { "asymmetric" } else { "half_pixel" };
    let place = |i: usize| -> Result<f64, Reason> {
        let i = i as f64;
        Ok(match call.text("coordinate_transformation_mode", default) {
            "half_pixel" => (i + 0.5) / scale - 0.5,
            "pytorch_half_pixel" => {
                if to > 1 {
                    (i + 0.5) / scale - 0.5
                } else {
                    0.0
                }
            }
            "align_corners" => {
                if to > 1 {
                    i * last / (to as f64 - 1.0)
                } else {
                    0.0
                }
            }
            "asymmetric" => i / scale,
            other => return Err(format!("the coordinate transformation {other:?} is not supported").into()),
        })
    };
    let mut weights = vec![0f32; to * from];
    for (i, row) in weights.chunks_exact_mut(from).enumerate() {
        let at = place(i)?;
        let mut add = |tap: f64, weight: f64| row[tap.clamp(0.0, last) as usize] += weight as f32;
        match call.text("mode", "nearest") {
            "nearest" => {
                let nearest = match call
                    .text("nearest_mode", if call.node.op == "Upsample" { "floor" } else { "round_prefer_floor" })
                {
                    "floor" => at.floor(),
                    "ceil" => at.ceil(),
                    "round_prefer_ceil" => (at + 0.5).floor(),
                    _ => (at - 0.5).ceil(),
                };
                add(nearest, 1.0);
            }
            "linear" => {
                let at = at.clamp(0.0, last);
                add(at.floor(), 1.0 - at.fract());
                add(at.floor() + 1.0, at.fract());
            }
            "cubic" if call.int("exclude_outside", 0) == 0 => {
                let (first, share) = (at.floor(), at - at.floor());
                let a = f64::from(call.float("cubic_coeff_a", -0.75));
                for tap in -1..3 {
                    add(first + f64::from(tap), cubic((share - f64::from(tap)).abs(), a));
                }
            }
            other => return Err(format!("the mode {other:?} is not supported").into()),
        }
    }
    Ok(weights)
}

/// Returns Keys' cubic kernel at the distance `x`.
fn cubic(x: f64, a: f64) -> f64 {
    match x {
        x if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => ((x - 5.0) * x + 8.0) * x * a - 4.0 * a,
        _ => 0.0,
    }
}

//! Matrix products.

use super::Call;
use crate::error::Reason;
use crate::importer::Importer;
use crate::value::Value;
use hard_imagenet_graph::{Binary, Op};

pub(super) fn matmul(importer: &mut Importer, a: &Value, b: &Value) -> Result<Value, Reason> {
    match b.known() {
        Some(weight) if weight.rank() == 2 && a.known().is_none() => {
            importer.linear(a, &Value::from(weight.t()?.contiguous()?), None)
        }
        _ if a.rank() < 2 || b.rank() < 2 => Err("products of vectors are not supported".into()),
        _ => importer.op(Op::MatMul { transpose_second: false }, &[a, b]),
    }
}

pub(super) fn gemm(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let mut transposed = |i: usize, name: &str| match call.int(name, 0) {
        0 => Ok(call.input(i)?.clone()),
        _ => importer.op(Op::Permute(vec![1, 0]), &[call.input(i)?]),
    };
    let a = transposed(0, "transA")?;
    let (alpha, beta) = (call.float("alpha", 1.0), call.float("beta", 1.0));
    let bias = match call.optional(2) {
        Some(bias) if beta != 1.0 => Some(importer.op(Op::Scale(f64::from(beta)), &[bias])?),
        bias => bias.cloned(),
    };
    // The usual case is a linear layer whose weight is stored as in torch.
    let vector = |bias: &Value| bias.known().is_some() && bias.rank() == 1;
    let stored = call.input(1)?;
    if call.int("transB", 0) != 0 && alpha == 1.0 && stored.known().is_some() && bias.as_ref().is_none_or(vector) {
        let outputs = stored.shape()[0];
        if bias.as_ref().is_none_or(|bias| bias.shape() == [outputs]) {
            return importer.linear(&a, stored, bias.as_ref());
        }
    }
    let b = match call.int("transB", 0) {
        0 => stored.clone(),
        _ => importer.op(Op::Permute(vec![1, 0]), &[stored])?,
    };
    let mut y = matmul(importer, &a, &b)?;
    if alpha != 1.0 {
        y = importer.op(Op::Scale(f64::from(alpha)), &[&y])?;
    }
    match &bias {
        Some(bias) => importer.op(Op::Binary(Binary::Add), &[&y, bias]),
        None => Ok(y),
    }
}

/// Adds an einsum of two values, such as `bhwc,hkc->bhwk`, as one matrix product. Letters in both inputs and in the result count
/// matrices side by side; letters in both inputs alone are summed over.
pub(super) fn einsum(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let text: String = call.text("equation", "").chars().filter(|c| !c.is_whitespace()).collect();
    let unknown = || Reason(format!("the equation {text:?} is not supported"));
    let (left, out) = text.split_once("->").ok_or_else(unknown)?;
    let (left, right) = left.split_once(',').ok_or_else(unknown)?;
    let letters = |text: &str| text.chars().collect::<Vec<char>>();
    let (left, right, out) = (letters(left), letters(right), letters(out));
    let (a, b) = (call.input(0)?, call.input(1)?);
    let once = |all: &[char]| (1..all.len()).all(|i| !all[..i].contains(&all[i]) && all[i].is_alphabetic());
    if !(once(&left) && once(&right) && once(&out)) || left.len() != a.rank() || right.len() != b.rank() {
        return Err(unknown());
    }
    let pick = |from: &[char], f: &dyn Fn(&char) -> bool| from.iter().copied().filter(f).collect::<Vec<char>>();
    let side = pick(&left, &|c| right.contains(c) && out.contains(c));
    let summed = pick(&left, &|c| right.contains(c) && !out.contains(c));
    let rows = pick(&left, &|c| !right.contains(c));
    let columns = pick(&right, &|c| !left.contains(c));
    if !rows.iter().chain(&columns).all(|c| out.contains(c)) || out.len() != side.len() + rows.len() + columns.len() {
        return Err(unknown());
    }
    let extent = |c: &char| match left.iter().position(|l| l == c) {
        Some(i) => a.shape()[i],
        None => right.iter().position(|r| r == c).map_or(1, |i| b.shape()[i]),
    };
    let product = |all: &[char]| all.iter().map(extent).product::<usize>();
    let mut matrix = |x: &Value, from: &[char], lines: &[char]| -> Result<Value, Reason> {
        let wanted = [&side, lines, &summed].concat();
        let order = wanted.iter().filter_map(|c| from.iter().position(|f| f == c)).collect();
        let x = importer.op(Op::Permute(order), &[x])?;
        importer.reshape(&x, &[product(&side), product(lines), product(&summed)])
    };
    let (a, b) = (matrix(a, &left, &rows)?, matrix(b, &right, &columns)?);
    let y = importer.op(Op::MatMul { transpose_second: true }, &[&a, &b])?;
    let found = [side.as_slice(), &rows, &columns].concat();
    let y = importer.reshape(&y, &found.iter().map(extent).collect::<Vec<_>>())?;
    let order = out.iter().filter_map(|c| found.iter().position(|f| f == c)).collect();
    importer.op(Op::Permute(order), &[&y])
}

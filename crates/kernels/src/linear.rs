use crate::cpu_gemm::{View, apply, multiply_rows};
use crate::{Activation, cpu_matmul, with_gradient, with_gradient2};
use candle_core::{DType, Result, Tensor};

/// x Wᵀ + b over the last dimension: `x` (.., I), `weight` (O, I), `bias` (O) give (.., O).
///
/// # Errors
/// From candle, when the shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let shape = output_shape(x, weight)?;
    let learns = weight.track_op() || bias.is_some_and(Tensor::track_op);
    if x.device().is_cpu() && !learns {
        let y = frozen(&x.detach(), weight, bias, &shape, None)?;
        let weight = weight.clone();
        return with_gradient(x, y, move |x, _, dy| matmul(&dy.reshape(((), outputs))?, &weight)?.reshape(x.shape()));
    }
    // One product for the whole batch: candle would otherwise copy the weights for each of its rows.
    let flat = x.contiguous()?.reshape(((), inputs))?;
    let y = matmul(&flat, &weight.t()?)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    };
    y.reshape(shape)
}

/// [`linear`] and an activation in one pass over memory, on the CPU in f32, to the same bits. Not differentiable.
///
/// # Errors
/// As [`linear`].
pub fn linear_then(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, then: Activation) -> Result<Tensor> {
    frozen(&x.detach(), &weight.detach(), bias, &output_shape(x, weight)?, Some(then))
}

/// On the CPU: the product is added to rows that hold the bias already, which saves a pass.
fn frozen(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    shape: &[usize],
    then: Option<Activation>,
) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let bias = match bias {
        Some(bias) => bias.to_dtype(DType::F32)?.to_vec1::<f32>()?,
        None => vec![0.0; outputs],
    };
    apply(x, weight, shape, |x, weight| {
        let rows = x.len() / inputs.max(1);
        let mut y = bias.repeat(rows);
        let (x, weight) = (View { data: x, row: inputs, column: 1 }, View { data: weight, row: 1, column: inputs });
        let finish = |rows: &mut [f32]| then.into_iter().for_each(|then| then.in_place(rows));
        multiply_rows((rows, outputs, inputs), &mut y, true, x, weight, finish);
        y
    })
}

fn output_shape(x: &Tensor, weight: &Tensor) -> Result<Vec<usize>> {
    let (outputs, inputs) = weight.dims2()?;
    match x.dims() {
        [before @ .., last] if *last == inputs => Ok([before, &[outputs]].concat()),
        _ => candle_core::bail!("weights {:?} do not fit the last dimension of {:?}", weight.dims(), x.dims()),
    }
}

/// The matrix product over the last two dimensions, (.., M, K) · (.., K, N); the dimensions before must be equal.
///
/// # Errors
/// From candle, when the shapes do not fit.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !a.device().is_cpu() {
        return a.matmul(b);
    }
    if a.dtype() == DType::F64 {
        return a.contiguous()?.matmul(&b.contiguous()?);
    }
    // Halves are multiplied in f32 and rounded once.
    let y = cpu_matmul::matmul(&a.to_dtype(DType::F32)?, &b.to_dtype(DType::F32)?)?.to_dtype(a.dtype())?;
    let (da_wanted, db_wanted) = (a.track_op(), b.track_op());
    with_gradient2(a, b, y, move |a, b, _, dy| {
        let da = if da_wanted { Some(matmul(dy, &b.t()?)?) } else { None };
        let db = if db_wanted { Some(matmul(&a.t()?, dy)?) } else { None };
        Ok((da, db))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, sample};

    #[test]
    fn gradients() -> Result<()> {
        let (x, w, b) = (sample("x", (2, 3, 4))?, sample("w", (5, 4))?, sample("b", 5)?);
        check_gradient(&x, |x| linear(x, &w, Some(&b)))?;
        check_gradient(&w, |w| linear(&x, w, Some(&b)))?;
        check_gradient(&b, |b| linear(&x, &w, Some(b)))
    }

    #[test]
    fn frozen_equals_learning() -> Result<()> {
        let (x, w, b) = (sample("x", (2, 3, 4))?, sample("w", (5, 4))?, sample("b", 5)?);
        let learning = candle_core::Var::from_tensor(&w)?;
        for bias in [Some(&b), None] {
            let error = (linear(&x, &w, bias)? - linear(&x, &learning, bias)?)?.abs()?.max_all()?;
            assert!(error.to_scalar::<f32>()? < 1e-6);
        }
        assert!(linear(&x, &sample("w", (5, 3))?, None).is_err());
        Ok(())
    }

    #[test]
    fn halves_are_multiplied_on_the_cpu() -> Result<()> {
        let (x, w) = (sample("x", (2, 4))?, sample("w", (3, 4))?);
        let want = linear(&x, &w, None)?;
        let got = linear(&x.to_dtype(DType::BF16)?, &w.to_dtype(DType::BF16)?, None)?;
        assert_eq!(got.dtype(), DType::BF16);
        let error = (got.to_dtype(DType::F32)? - want)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 0.02, "{error}");
        Ok(())
    }
}

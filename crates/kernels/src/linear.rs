use crate::gemm::{View, multiply_rows};
use crate::slices::map_slices;
use crate::{cpu_matmul, with_gradient, with_gradient2};
use candle_core::{DType, Result, Tensor};

/// Returns x Wᵀ + b over the last dimension: `x` (.., I), `weight` `(O, I)` and `bias` `(O)` give (.., O) in the dtype of
/// `x`.
///
/// Gradients flow to every tensor that depends on a variable.
///
/// # Errors
/// Returns an error if the shapes do not match.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let shape = output_shape(x, weight)?;
    let learns = weight.track_op() || bias.is_some_and(Tensor::track_op);
    if x.device().is_cpu() && !learns {
        let y = frozen(&x.detach(), weight, bias, &shape)?;
        let weight = weight.clone();
        return with_gradient(x, y, move |x, _, dy| matmul(&dy.reshape(((), outputs))?, &weight)?.reshape(x.shape()));
    }
    // One product for the whole batch: candle would otherwise copy the weights for each of its entries.
    let flat = x.contiguous()?.reshape(((), inputs))?;
    let y = matmul(&flat, &weight.t()?)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    };
    y.reshape(shape)
}

/// Computes the layer on the CPU without a record. The rows start as the bias and the product is added to them, which saves
/// a pass over memory.
fn frozen(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, shape: &[usize]) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let bias = match bias {
        Some(bias) => bias.to_dtype(DType::F32)?.to_vec1::<f32>()?,
        None => vec![0.0; outputs],
    };
    map_slices(x, weight, shape, |x, weight| {
        let rows = x.len() / inputs.max(1);
        let mut y = bias.repeat(rows);
        let (x, weight) = (View { data: x, row: inputs, column: 1 }, View { data: weight, row: 1, column: inputs });
        multiply_rows((rows, outputs, inputs), &mut y, true, x, weight);
        y
    })
}

fn output_shape(x: &Tensor, weight: &Tensor) -> Result<Vec<usize>> {
    let (outputs, inputs) = weight.dims2()?;
    match x.dims() {
        [before @ .., last] if *last == inputs => Ok([before, &[outputs]].concat()),
        _ => candle_core::bail!("weights {:?} do not match the last dimension of {:?}", weight.dims(), x.dims()),
    }
}

/// Returns the matrix product over the last two dimensions: `a` (.., M, K) and `b` (.., K, N) give (.., M, N).
///
/// The leading dimensions must be equal; nothing is broadcast. Halves are multiplied in f32 on the CPU and rounded once.
/// Gradients flow to both tensors.
///
/// # Errors
/// Returns an error if the shapes do not match.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !a.device().is_cpu() {
        return a.matmul(b);
    }
    if a.dtype() == DType::F64 {
        return a.contiguous()?.matmul(&b.contiguous()?);
    }
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

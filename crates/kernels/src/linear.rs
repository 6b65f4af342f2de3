use candle_core::{D, DType, Result, Tensor};

/// x Wᵀ + b over the last dimension: `x` (.., I), `weight` (O, I), `bias` (O) give (.., O).
///
/// # Errors
/// From candle, when the shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let mut shape = x.dims().to_vec();
    let inputs = x.dim(D::Minus1)?;
    // One product for the whole batch: candle would otherwise copy the weights for each of its rows.
    let flat = x.contiguous()?.reshape(((), inputs))?;
    let y = matmul(&flat, &weight.t()?)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    };
    if let Some(last) = shape.last_mut() {
        *last = weight.dim(0)?;
    }
    y.reshape(shape)
}

/// The matrix product over the last two dimensions, (.., M, K) · (.., K, N); the dimensions before must be equal.
///
/// # Errors
/// From candle, when the shapes do not fit.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.device().is_cpu() && matches!(a.dtype(), DType::BF16) {
        // candle has no bf16 product on the CPU: multiply in f32, round once.
        return a.to_dtype(DType::F32)?.matmul(&b.to_dtype(DType::F32)?)?.to_dtype(a.dtype());
    }
    a.matmul(b)
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

use crate::math::erf;
use crate::rows::map_elements;
use crate::with_gradient;
use candle_core::{Device, Result, Tensor};

/// max(x, 0), elementwise; the slope at exactly 0 is 0, as in torch (candle's is 1). NaN stays NaN on the CPU.
///
/// # Errors
/// From candle.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    let y = match x.device() {
        Device::Cpu => map_elements(x, |x| if x < 0.0 { 0.0 } else { x })?,
        _ => x.detach().relu()?,
    };
    with_gradient(x, y, |_, y, dy| y.gt(0f64)?.to_dtype(dy.dtype())? * dy)
}

/// x Φ(x) with Φ by the error function (not the tanh approximation), elementwise.
///
/// # Errors
/// From candle.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    let y = match x.device() {
        Device::Cpu => map_elements(x, |x| 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)))?,
        _ => x.detach().gelu_erf()?,
    };
    with_gradient(x, y, |x, _, dy| {
        // Φ(x) + x φ(x)
        let cumulative = (((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?;
        let density = ((x.sqr()? * -0.5)?.exp()? * (1.0 / (2.0 * std::f64::consts::PI).sqrt()))?;
        (cumulative + (x * density)?)? * dy
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient;
    use crate::testing::{check_gradient, sample};
    use candle_core::Var;

    #[test]
    fn relu_is_flat_at_zero() -> Result<()> {
        let x = Var::new(&[-1f32, 0., 2., f32::NAN], &Device::Cpu)?;
        let y = relu(&x)?;
        assert_eq!(y.to_vec1::<f32>()?[..3], [0., 0., 2.]);
        assert!(y.to_vec1::<f32>()?[3].is_nan());
        assert_eq!(gradient(&y.sum_all()?, &x)?.to_vec1::<f32>()?[..3], [0., 0., 1.]);
        Ok(())
    }

    #[test]
    fn gradients() -> Result<()> {
        // Steps of the finite differences must not cross the kink.
        let x = Tensor::arange(-10f32, 11., &Device::Cpu)?.affine(0.2, 0.05)?;
        check_gradient(&x, relu)?;
        check_gradient(&sample("gelu", (3, 7))?, gelu)
    }

    #[test]
    fn gelu_is_near_candles() -> Result<()> {
        let x = (sample("gelu", (64, 64))? * 4.0)?;
        let error = (gelu(&x)? - x.gelu_erf()?)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 2e-6, "{error}");
        Ok(())
    }
}

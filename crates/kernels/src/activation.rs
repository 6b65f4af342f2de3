use crate::rows::{CHUNK, map_rows};
use crate::with_gradient;
use candle_core::{Device, Result, Tensor};
use hard_imagenet_cpu::Activation;
use hard_imagenet_cpu::Isa;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// √(2 / π) and the coefficient of x³ in the tanh form of GELU.
const GELU_TANH: (f64, f64) = (0.797_884_560_802_865_4, 0.044_715);
const QUICK_GELU: f64 = 1.702;

/// Activations of tensors, with their derivatives.
pub trait TensorActivation: Sized {
    /// Returns the function of each element, in the shape and dtype of `x`.
    ///
    /// On the CPU, halves are computed in f32 and rounded once. The gradient flows to `x`. The slope of ReLU at exactly 0 is 0
    /// as in torch, where candle's is 1. So are those of [`Activation::Clamp`] at its ends and of [`Activation::Abs`] at 0.
    ///
    /// # Errors
    /// Returns an error if an operation fails on the device of `x`.
    fn apply(self, x: &Tensor) -> Result<Tensor>;

    /// Returns the derivative at `x`, given the value `y` there, in the shape and dtype of `x`.
    ///
    /// The result can be differentiated once more. At corners it is the derivative of one side.
    ///
    /// # Errors
    /// Returns an error if an operation fails on the device of `x`.
    fn slope(self, x: &Tensor, y: &Tensor) -> Result<Tensor>;
}

/// Returns the function of each element of a tensor on the CPU.
fn on_cpu(activation: Activation, x: &Tensor) -> Result<Tensor> {
    map_rows(x, CHUNK, CHUNK, x.shape(), |x, y| activation.apply_to(Isa::best(), x, y))
}

impl TensorActivation for Activation {
    fn apply(self, x: &Tensor) -> Result<Tensor> {
        let y = match x.device() {
            Device::Cpu => on_cpu(self, x)?,
            _ => in_tensors(self, &x.detach())?,
        };
        with_gradient(x, y, move |x, y, dy| self.slope(x, y)? * dy)
    }

    fn slope(self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        let where_positive = |x: &Tensor| x.gt(0f64)?.to_dtype(x.dtype());
        let within = |low: f64, high: f64| (x.gt(low)?.to_dtype(x.dtype())?) * x.lt(high)?.to_dtype(x.dtype())?;
        match self {
            Self::Relu => where_positive(y),
            Self::Gelu => {
                // Φ(x) + x φ(x)
                let cumulative = ((x * FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5;
                let density = ((x.sqr()? * -0.5)?.exp()? * (2.0 * PI).sqrt().recip())?;
                cumulative + (x * density)?
            }
            Self::GeluTanh => {
                let t = (((x * x.sqr()?)? * GELU_TANH.1)? + x)?.affine(GELU_TANH.0, 0.0)?.tanh()?;
                let inner = x.sqr()?.affine(3.0 * GELU_TANH.1 * GELU_TANH.0, GELU_TANH.0)?;
                let rise = ((x * t.sqr()?.affine(-1.0, 1.0)?)? * inner)?;
                (t + rise)?.affine(0.5, 0.5)
            }
            Self::QuickGelu => swish_slope(x, QUICK_GELU),
            Self::Silu => swish_slope(x, 1.0),
            Self::Sigmoid => y * y.affine(-1.0, 1.0)?,
            Self::Tanh => y.sqr()?.affine(-1.0, 1.0),
            Self::Mish => {
                let t = softplus_tensor(x)?.tanh()?;
                let rise = (x * (t.sqr()?.affine(-1.0, 1.0)? * Self::Sigmoid.apply(x)?)?)?;
                t + rise
            }
            Self::Softplus => Self::Sigmoid.apply(x),
            Self::HardSigmoid => within(-3.0, 3.0)? * (1.0 / 6.0),
            Self::HardSwish => {
                let middle = (x.affine(1.0 / 3.0, 0.5)? * within(-3.0, 3.0)?)?;
                middle + x.ge(3f64)?.to_dtype(x.dtype())?
            }
            Self::Clamp(low, high) => within(f64::from(low), f64::from(high)),
            Self::LeakyRelu(slope) => where_positive(x)?.affine(1.0 - f64::from(slope), f64::from(slope)),
            Self::Elu(alpha) => {
                let positive = where_positive(x)?;
                let below = (positive.affine(-1.0, 1.0)? * (y + f64::from(alpha))?)?;
                positive + below
            }
            Self::Exp => Ok(y.clone()),
            Self::Log => x.recip(),
            Self::Sqrt => y.recip()? * 0.5,
            Self::Power(power) => Self::Power(power - 1.0).apply(x)? * f64::from(power),
            Self::Abs => where_positive(x)? - where_positive(&x.neg()?)?,
            Self::Erf => (x.sqr()?.neg()?.exp()? * (2.0 / PI.sqrt()))?.contiguous(),
            Self::Sin => x.cos(),
            Self::Cos => x.sin()?.neg(),
        }
    }
}

/// Computes the function in tensor operations, on any device.
fn in_tensors(activation: Activation, x: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::Relu => x.relu(),
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::QuickGelu => x * sigmoid(&(x * QUICK_GELU)?)?,
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => x.silu(),
        Activation::Tanh => x.tanh(),
        Activation::Mish => x * softplus_tensor(x)?.tanh()?,
        Activation::Softplus => softplus_tensor(x),
        Activation::HardSigmoid => x.affine(1.0 / 6.0, 0.5)?.clamp(0f32, 1f32),
        Activation::HardSwish => x * x.affine(1.0 / 6.0, 0.5)?.clamp(0f32, 1f32)?,
        Activation::Clamp(low, high) => x.clamp(low, high),
        Activation::LeakyRelu(slope) => x.relu()? - (x.neg()?.relu()? * f64::from(slope))?,
        Activation::Elu(alpha) => x.elu(f64::from(alpha)),
        Activation::Exp => x.exp(),
        Activation::Log => x.log(),
        Activation::Sqrt => x.sqrt(),
        Activation::Power(2.0) => x.sqr(),
        Activation::Power(-1.0) => x.recip(),
        Activation::Power(power) => x.powf(f64::from(power)),
        Activation::Abs => x.abs(),
        Activation::Erf => x.erf(),
        Activation::Sin => x.sin(),
        Activation::Cos => x.cos(),
    }
}

fn softplus_tensor(x: &Tensor) -> Result<Tensor> {
    x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// Returns the derivative of x σ(k x): σ + k x σ (1 - σ).
fn swish_slope(x: &Tensor, k: f64) -> Result<Tensor> {
    // This sigmoid has a gradient of its own. Through e⁻ˣ it would be 0 · ∞ for very negative values.
    let s = Activation::Sigmoid.apply(&(x * k)?)?;
    let rise = ((x * (&s * s.affine(-1.0, 1.0)?)?)? * k)?;
    s + rise
}

#[cfg(test)]
#[allow(clippy::disallowed_macros, reason = "a test prints what failed")]
mod tests {
    use super::*;
    use crate::gradient;
    use crate::testing::{check_gradient, device, sample};
    use candle_core::Var;

    const ALL: [Activation; 22] = [
        Activation::Relu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::QuickGelu,
        Activation::Sigmoid,
        Activation::Silu,
        Activation::Tanh,
        Activation::Mish,
        Activation::Softplus,
        Activation::HardSigmoid,
        Activation::HardSwish,
        Activation::Clamp(-0.7, 1.5),
        Activation::LeakyRelu(0.2),
        Activation::Elu(0.7),
        Activation::Exp,
        Activation::Log,
        Activation::Sqrt,
        Activation::Power(3.0),
        Activation::Abs,
        Activation::Erf,
        Activation::Sin,
        Activation::Cos,
    ];

    /// Inputs for which the steps of the finite differences do not cross a corner; logarithms get positive numbers.
    fn inputs(f: Activation) -> Result<Tensor> {
        let x = Tensor::arange(-20f32, 21., &device())?.affine(0.2, 0.05)?;
        if matches!(f, Activation::Log | Activation::Sqrt) { x.abs()? + 0.5 } else { Ok(x) }
    }

    #[test]
    fn gradients() -> Result<()> {
        for f in ALL {
            println!("{f:?}");
            check_gradient(&inputs(f)?, |x| f.apply(x))?;
        }
        check_gradient(&(inputs(Activation::Sqrt)?), |x| Activation::Power(-1.0).apply(x))
    }

    /// The derivative of the slope, also where e⁻ˣ overflows f32.
    #[test]
    fn slopes_can_be_differentiated() -> Result<()> {
        for f in ALL {
            println!("{f:?}");
            let straight = [Activation::Relu, Activation::HardSigmoid, Activation::Abs].contains(&f)
                || matches!(f, Activation::Clamp(..) | Activation::LeakyRelu(_));
            if !straight {
                check_gradient(&inputs(f)?, |x| f.slope(x, &f.apply(x)?))?;
            }
            let mut far = vec![60f32, 100., 1000.];
            if !matches!(f, Activation::Log | Activation::Sqrt | Activation::Power(_) | Activation::Exp) {
                far.extend([-60., -100., -1000.]);
            }
            if f != Activation::Exp {
                let x = Var::new(far.as_slice(), &device())?;
                let slopes = gradient(&(f.slope(&x, &f.apply(&x)?)? * x.as_tensor())?.sum_all()?, &x)?;
                assert!(slopes.to_vec1::<f32>()?.iter().all(|slope| slope.is_finite()), "{f:?}: {slopes}");
            }
        }
        Ok(())
    }

    #[test]
    fn loops_equal_tensor_operations() -> Result<()> {
        for f in ALL {
            let x = inputs(f)?.to_device(&Device::Cpu)?;
            let (got, want) = (on_cpu(f, &x)?, in_tensors(f, &x)?);
            let error = ((got - &want)? / (want.abs()? + 1.0)?)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(error < 2e-6, "{f:?}: {error}");
        }
        Ok(())
    }

    #[test]
    fn tanh_keeps_small_numbers() -> Result<()> {
        let x = Tensor::new(&[1e-5f32, -0.01, 0.0999, 0.1001, 20., f32::INFINITY], &device())?;
        let got = Activation::Tanh.apply(&x)?.to_vec1::<f32>()?;
        for (x, y) in x.to_vec1::<f32>()?.iter().zip(got) {
            assert!((y - x.tanh()).abs() <= 1e-6 * x.tanh().abs(), "tanh({x}) = {y}");
        }
        Ok(())
    }

    #[test]
    fn relu_is_flat_at_zero() -> Result<()> {
        let x = Var::new(&[-1f32, 0., 2., f32::NAN], &device())?;
        let y = Activation::Relu.apply(&x)?;
        assert_eq!(y.to_vec1::<f32>()?[..3], [0., 0., 2.]);
        // candle's GPU kernels return 0 for NaN.
        assert!(y.to_vec1::<f32>()?[3].is_nan() || !device().is_cpu());
        assert_eq!(gradient(&y.sum_all()?, &x)?.to_vec1::<f32>()?[..3], [0., 0., 1.]);
        Ok(())
    }

    #[test]
    fn gelu_is_near_candles() -> Result<()> {
        let x = (sample("gelu", (64, 64))? * 4.0)?;
        let error = (Activation::Gelu.apply(&x)? - x.gelu_erf()?)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 2e-6, "{error}");
        Ok(())
    }
}

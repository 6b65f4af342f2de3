use crate::math::{erf, exp};
use crate::rows::{map_elements, map_in_place};
use crate::with_gradient;
use candle_core::{Device, Result, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// A function of each element, with its derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0). The slope at exactly 0 is 0 as in torch, where candle's is 1. NaN stays NaN on the CPU.
    Relu,
    /// x Φ(x), with Φ computed from the error function.
    Gelu,
    /// x Φ(x), with Φ approximated by the tanh of Hendrycks and Gimpel.
    GeluTanh,
    /// x σ(1.702 x), the approximation of GELU in CLIP.
    QuickGelu,
    /// σ(x) = 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// x σ(x), also called swish.
    Silu,
    /// tanh x
    Tanh,
    /// x tanh(ln(1 + eˣ))
    Mish,
    /// ln(1 + eˣ)
    Softplus,
    /// x / 6 + 1/2, clamped to [0, 1].
    HardSigmoid,
    /// x times [`HardSigmoid`](Self::HardSigmoid) of x.
    HardSwish,
    /// x clamped to the interval between the two values; `Clamp(0.0, 6.0)` is ReLU6. The slope at the ends is 0.
    Clamp(f32, f32),
    /// x if positive, otherwise the given factor times x.
    LeakyRelu(f32),
    /// x if positive, otherwise the given factor times eˣ - 1.
    Elu(f32),
    /// eˣ
    Exp,
    /// ln x
    Log,
    /// √x
    Sqrt,
    /// x raised to a constant power.
    Power(f32),
    /// |x|, with slope 0 at 0.
    Abs,
    /// The error function.
    Erf,
    /// sin x
    Sin,
    /// cos x
    Cos,
}

/// √(2 / π) and the coefficient of x³ in the tanh form of GELU.
const GELU_TANH: (f64, f64) = (0.797_884_560_802_865_4, 0.044_715);
const QUICK_GELU: f64 = 1.702;

/// A generic continuation: receives the function of one element with its concrete type, so that a loop over it can be
/// vectorized.
trait WithFunction {
    type Output;
    fn with<F: Fn(f32) -> f32 + Send + Sync>(self, f: F) -> Self::Output;
}

/// Applies the function to each element of a tensor and returns a new one.
struct MapTensor<'a>(&'a Tensor);

impl WithFunction for MapTensor<'_> {
    type Output = Result<Tensor>;
    fn with<F: Fn(f32) -> f32 + Send + Sync>(self, f: F) -> Result<Tensor> {
        map_elements(self.0, f)
    }
}

/// Applies the function to each element in place.
struct MapInPlace<'a>(&'a mut [f32]);

impl WithFunction for MapInPlace<'_> {
    type Output = ();
    fn with<F: Fn(f32) -> f32 + Send + Sync>(self, f: F) {
        map_in_place(self.0, &f);
    }
}

impl Activation {
    /// Replaces each element by the function of it.
    pub(crate) fn apply_in_place(self, values: &mut [f32]) {
        self.with_function(MapInPlace(values));
    }

    /// Returns the function of each element, in the shape and dtype of `x`.
    ///
    /// On the CPU, halves are computed in f32 and rounded once. The gradient flows to `x`.
    ///
    /// # Errors
    /// Returns an error if an operation fails on the device of `x`.
    pub fn apply(self, x: &Tensor) -> Result<Tensor> {
        let y = match x.device() {
            Device::Cpu => self.with_function(MapTensor(x))?,
            _ => self.in_tensors(&x.detach())?,
        };
        with_gradient(x, y, move |x, y, dy| self.slope(x, y)? * dy)
    }

    /// Calls `then` with the function of one element. Its concrete type is known at compile time, so that a loop over it
    /// becomes vector code.
    fn with_function<W: WithFunction>(self, then: W) -> W::Output {
        #[inline(always)]
        fn sigmoid(x: f32) -> f32 {
            1.0 / (1.0 + exp(-x))
        }
        #[inline(always)]
        fn tanh(x: f32) -> f32 {
            // Near 0, where 1 - e⁻²ˣ loses digits, use the series x - x³ / 3 + 2 x⁵ / 15 - 17 x⁷ / 315.
            let (a, square) = (x.abs(), x * x);
            let e = exp(-2.0 * a);
            let large = ((1.0 - e) / (1.0 + e)).copysign(x);
            let small = x * (1.0 - square * (1.0 / 3.0 - square * (2.0 / 15.0 - square * (17.0 / 315.0))));
            if a < 0.1 { small } else { large }
        }
        match self {
            Self::Relu => then.with(|x| if x < 0.0 { 0.0 } else { x }),
            Self::Gelu => then.with(|x| 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2 as f32))),
            Self::GeluTanh => then.with(|x| {
                let inner = GELU_TANH.0 as f32 * (x + GELU_TANH.1 as f32 * x * x * x);
                0.5 * x * (1.0 + tanh(inner))
            }),
            Self::QuickGelu => then.with(|x| x * sigmoid(QUICK_GELU as f32 * x)),
            Self::Sigmoid => then.with(sigmoid),
            Self::Silu => then.with(|x| x * sigmoid(x)),
            Self::Tanh => then.with(tanh),
            Self::Mish => then.with(|x| x * f32::tanh(softplus(x))),
            Self::Softplus => then.with(softplus),
            Self::HardSigmoid => then.with(|x| (x / 6.0 + 0.5).clamp(0.0, 1.0)),
            Self::HardSwish => then.with(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
            Self::Clamp(low, high) => then.with(move |x| {
                if x < low {
                    low
                } else if x > high {
                    high
                } else {
                    x
                }
            }),
            Self::LeakyRelu(slope) => then.with(move |x| if x < 0.0 { slope * x } else { x }),
            Self::Elu(alpha) => then.with(move |x| if x < 0.0 { alpha * x.exp_m1() } else { x }),
            Self::Exp => then.with(exp),
            Self::Log => then.with(f32::ln),
            Self::Sqrt => then.with(f32::sqrt),
            Self::Power(power) => match power {
                2.0 => then.with(|x| x * x),
                -1.0 => then.with(|x| 1.0 / x),
                _ => then.with(move |x| x.powf(power)),
            },
            Self::Abs => then.with(f32::abs),
            Self::Erf => then.with(erf),
            Self::Sin => then.with(f32::sin),
            Self::Cos => then.with(f32::cos),
        }
    }

    /// Computes the function in tensor operations, on any device.
    fn in_tensors(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Relu => x.relu(),
            Self::Gelu => x.gelu_erf(),
            Self::GeluTanh => x.gelu(),
            Self::QuickGelu => x * sigmoid(&(x * QUICK_GELU)?)?,
            Self::Sigmoid => sigmoid(x),
            Self::Silu => x.silu(),
            Self::Tanh => x.tanh(),
            Self::Mish => x * softplus_tensor(x)?.tanh()?,
            Self::Softplus => softplus_tensor(x),
            Self::HardSigmoid => x.affine(1.0 / 6.0, 0.5)?.clamp(0f32, 1f32),
            Self::HardSwish => x * x.affine(1.0 / 6.0, 0.5)?.clamp(0f32, 1f32)?,
            Self::Clamp(low, high) => x.clamp(low, high),
            Self::LeakyRelu(slope) => x.relu()? - (x.neg()?.relu()? * f64::from(slope))?,
            Self::Elu(alpha) => x.elu(f64::from(alpha)),
            Self::Exp => x.exp(),
            Self::Log => x.log(),
            Self::Sqrt => x.sqrt(),
            Self::Power(2.0) => x.sqr(),
            Self::Power(-1.0) => x.recip(),
            Self::Power(power) => x.powf(f64::from(power)),
            Self::Abs => x.abs(),
            Self::Erf => x.erf(),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
        }
    }

    /// Returns the derivative at `x`, given the value `y` there, in the shape and dtype of `x`.
    ///
    /// The result can be differentiated once more. At corners it is the derivative of one side.
    ///
    /// # Errors
    /// Returns an error if an operation fails on the device of `x`.
    pub fn slope(self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
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

/// Returns ln(1 + eˣ) without overflow.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
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
            let (got, want) = (f.with_function(MapTensor(&x))?, f.in_tensors(&x)?);
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

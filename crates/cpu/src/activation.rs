use crate::isa::Isa;
use crate::math::{
    EXP_RANGE, centered_normal_cdf, erf, exp, exp_m1_nonpositive, exp_within, sigmoid, sigmoid_above, tanh,
};
use crate::row::{self, BLOCK};
use crate::simd::{LANES, Simd, Vectorized};

/// A function of each value.
///
/// All values are the same bits on every instruction set. NaN stays NaN. Errors are given for finite values; ε is 6e-8, half
/// a unit in the last place of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2 to 2.5e-7. It is exactly 0 or x from ±5.125 on.
    Gelu,
    /// x Φ(x), with Φ approximated by the tanh of Hendrycks and Gimpel.
    GeluTanh,
    /// x σ(1.702 x), the approximation of GELU in CLIP.
    QuickGelu,
    /// σ(x) = 1 / (1 + e⁻ˣ), to a relative error of 7 ε.
    Sigmoid,
    /// x σ(x), also called swish, to a relative error of 8 ε.
    Silu,
    /// tanh x, to a relative error of 7 ε.
    Tanh,
    /// x tanh(ln(1 + eˣ))
    Mish,
    /// ln(1 + eˣ)
    Softplus,
    /// x / 6 + 1/2, clamped to [0, 1].
    HardSigmoid,
    /// x times [`HardSigmoid`](Self::HardSigmoid) of x.
    HardSwish,
    /// x clamped to the interval between the two values; `Clamp(0.0, 6.0)` is ReLU6.
    Clamp(f32, f32),
    /// x if positive, otherwise the given factor times x.
    LeakyRelu(f32),
    /// x if positive, otherwise the given factor times eˣ - 1.
    Elu(f32),
    /// eˣ, to a relative error of 4 ε. It is 0 below -87.3 and infinite above 88.37.
    Exp,
    /// ln x
    Log,
    /// √x
    Sqrt,
    /// x raised to a constant power.
    Power(f32),
    /// |x|
    Abs,
    /// The error function, to 5e-7.
    Erf,
    /// sin x
    Sin,
    /// cos x
    Cos,
}

/// √(2 / π) and the coefficient of x³ in the tanh form of GELU.
const GELU_TANH: (f32, f32) = (0.797_884_6, 0.044_715);
const QUICK_GELU: f32 = 1.702;

impl Activation {
    /// Replaces each value by the function of it.
    pub fn apply_in_place(self, isa: Isa, values: &mut [f32]) {
        isa.vectorize(InPlace { activation: self, values });
    }

    /// Writes the function of each value of `x` to `y`.
    ///
    /// # Panics
    /// Panics if the lengths differ.
    pub fn apply_to(self, isa: Isa, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), y.len());
        isa.vectorize(To { activation: self, x, y });
    }

    /// Returns the function of each lane.
    ///
    /// The choice of the function is part of the code. In a loop over many vectors, [`apply_to_row`](Self::apply_to_row) on what
    /// the loop has just written is shorter and as fast.
    #[allow(dead_code, reason = "for kernels that finish their values in registers")]
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        self.with_function(s, Once(x))
    }

    /// Replaces each value of a row by the function of it.
    ///
    /// This function is not inlined but compiled once for each instruction set, because it contains all loops.
    #[inline(never)]
    pub(crate) fn apply_to_row<S: Simd>(self, s: S, row: &mut [f32]) {
        s.run(
            #[inline(always)]
            || self.with_function(s, Row(row)),
        );
    }

    /// Calls `then` with the function of one vector. Its concrete type is known at compile time, so that a loop over it
    /// contains no choices.
    #[inline(always)]
    fn with_function<S: Simd, W: WithFunction<S>>(self, s: S, then: W) -> W::Output {
        /// A closure that is inlined, which it must be to be compiled for the right instruction set.
        macro_rules! with {
            (|$x:ident| $value:expr) => {
                then.with(
                    s,
                    #[inline(always)]
                    move |$x| $value,
                )
            };
        }
        // The first operand of a maximum or minimum loses against NaN.
        let zero = s.splat(0.0);
        match self {
            Self::Relu => with!(|x| s.max(zero, x)),
            Self::Gelu => with!(|x| s.mul(x, s.add(centered_normal_cdf(s, x), s.splat(0.5)))),
            Self::GeluTanh => with!(|x| gelu_tanh(s, x)),
            Self::QuickGelu => with!(|x| quick_gelu(s, x)),
            Self::Sigmoid => with!(|x| sigmoid(s, x)),
            Self::Silu => with!(|x| silu(s, x)),
            Self::Tanh => with!(|x| tanh(s, x)),
            Self::Mish => with!(|x| mish(s, x)),
            Self::Softplus => with!(|x| lanes(s, x, softplus)),
            Self::HardSigmoid => with!(|x| hard_sigmoid(s, x)),
            Self::HardSwish => with!(|x| s.mul(x, hard_sigmoid(s, x))),
            Self::Clamp(low, high) => with!(|x| s.min(s.splat(high), s.max(s.splat(low), x))),
            Self::LeakyRelu(slope) => with!(|x| s.select_less(x, zero, s.mul(s.splat(slope), x), x)),
            Self::Elu(alpha) => with!(|x| elu(s, alpha, x)),
            Self::Exp => with!(|x| exp(s, x)),
            Self::Log => with!(|x| lanes(s, x, f32::ln)),
            Self::Sqrt => with!(|x| s.sqrt(x)),
            Self::Power(2.0) => with!(|x| s.mul(x, x)),
            Self::Power(-1.0) => with!(|x| s.div(s.splat(1.0), x)),
            Self::Power(power) => with!(|x| lanes(
                s,
                x,
                #[inline(always)]
                |x| x.powf(power)
            )),
            Self::Abs => with!(|x| s.abs(x)),
            Self::Erf => with!(|x| erf(s, x)),
            Self::Sin => with!(|x| lanes(s, x, f32::sin)),
            Self::Cos => with!(|x| lanes(s, x, f32::cos)),
        }
    }
}

/// Two numbers between which values are clamped. NaN stays NaN.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<V>(V, V);

impl<V: Copy> Bounds<V> {
    /// Clamps each lane.
    #[inline(always)]
    pub(crate) fn clamp<S: Simd<F32 = V>>(self, s: S, x: V) -> V {
        s.min(self.1, s.max(self.0, x))
    }
}

/// Divides an activation into bounds, which every kernel can afford to apply to its vectors before they are stored, and what
/// must be applied to the row afterwards. The bounds of no activation are infinite.
#[inline(always)]
pub(crate) fn split<S: Simd>(s: S, activation: Option<Activation>) -> (Bounds<S::F32>, Option<Activation>) {
    let (low, high, rest) = match activation {
        Some(Activation::Relu) => (0.0, f32::INFINITY, None),
        Some(Activation::Clamp(low, high)) => (low, high, None),
        other => (f32::NEG_INFINITY, f32::INFINITY, other),
    };
    (Bounds(s.splat(low), s.splat(high)), rest)
}

/// A generic continuation: receives the function of one vector with its concrete type.
trait WithFunction<S: Simd> {
    type Output;
    fn with(self, s: S, f: impl Fn(S::F32) -> S::F32) -> Self::Output;
}

/// Applies the function to one vector.
struct Once<V>(V);

impl<S: Simd> WithFunction<S> for Once<S::F32> {
    type Output = S::F32;
    #[inline(always)]
    fn with(self, _: S, f: impl Fn(S::F32) -> S::F32) -> S::F32 {
        f(self.0)
    }
}

/// Replaces the values of a row.
struct Row<'a>(&'a mut [f32]);

impl<S: Simd> WithFunction<S> for Row<'_> {
    type Output = ();
    #[inline(always)]
    fn with(self, s: S, f: impl Fn(S::F32) -> S::F32) {
        row::map_in_place(s, self.0, f);
    }
}

struct InPlace<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl Vectorized for InPlace<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.activation.apply_to_row(s, self.values);
    }
}

struct To<'a> {
    activation: Activation,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Vectorized for To<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // Loops of their own would double the code, and would hardly be faster.
        for (x, y) in self.x.chunks(BLOCK).zip(self.y.chunks_mut(BLOCK)) {
            y.copy_from_slice(x);
            self.activation.apply_to_row(s, y);
        }
    }
}

/// Applies a scalar function to each lane, for functions that are too rare to be worth vectors.
#[inline(always)]
fn lanes<S: Simd>(s: S, x: S::F32, f: impl Fn(f32) -> f32) -> S::F32 {
    let mut lanes = [0.0; LANES];
    s.store(x, &mut lanes);
    s.load(&lanes.map(f))
}

#[inline(always)]
fn silu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // Far below 0 the product of `x` and the smallest σ is not small. The clamped one is 1e-36.
    let x = s.max(s.splat(EXP_RANGE.0), x);
    s.mul(x, sigmoid_above(s, x))
}

#[inline(always)]
fn quick_gelu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let x = s.max(s.splat(EXP_RANGE.0 / QUICK_GELU), x);
    s.mul(x, sigmoid_above(s, s.mul(s.splat(QUICK_GELU), x)))
}

#[inline(always)]
fn gelu_tanh<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // (1 + tanh z) / 2 is σ(2 z), which keeps its digits where it is small. From -9.9 the argument of σ is -85.
    const LINEAR: f32 = 2.0 * GELU_TANH.0;
    const CUBIC: f32 = LINEAR * GELU_TANH.1;
    let x = s.max(s.splat(-9.9), x);
    let inner = s.mul(x, s.mul_add(s.mul(x, x), s.splat(CUBIC), s.splat(LINEAR)));
    s.mul(x, sigmoid_above(s, inner))
}

/// Returns x tanh(ln(1 + eˣ)) without a logarithm: the tanh is n / (n + 2) for n = eˣ (eˣ + 2).
#[inline(always)]
fn mish<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let two = s.splat(2.0);
    let x = s.max(s.splat(EXP_RANGE.0), x);
    // From 20 on the tanh is 1, and the square of a larger eˣ could overflow.
    let e = exp_within(s, s.min(s.splat(20.0), x));
    let n = s.mul(e, s.add(e, two));
    s.mul(x, s.div(n, s.add(n, two)))
}

#[inline(always)]
fn hard_sigmoid<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let y = s.mul_add(x, s.splat(1.0 / 6.0), s.splat(0.5));
    s.min(s.splat(1.0), s.max(s.splat(0.0), y))
}

#[inline(always)]
fn elu<S: Simd>(s: S, alpha: f32, x: S::F32) -> S::F32 {
    let zero = s.splat(0.0);
    let below = exp_m1_nonpositive(s, s.min(zero, x));
    s.select_less(x, zero, s.mul(s.splat(alpha), below), x)
}

/// Returns ln(1 + eˣ) without overflow.
#[inline(always)]
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_same_bits, erf as exact_erf};

    const ALL: [Activation; 24] = [
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
        Activation::Power(2.0),
        Activation::Power(-1.0),
        Activation::Abs,
        Activation::Erf,
        Activation::Sin,
        Activation::Cos,
    ];

    /// The definitions.
    fn exact(activation: Activation, x: f64) -> f64 {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        match activation {
            Activation::Relu => x.max(0.0),
            Activation::Gelu => 0.5 * x * (1.0 + exact_erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Activation::GeluTanh => {
                0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
            }
            Activation::QuickGelu => x * sigmoid(1.702 * x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Silu => x * sigmoid(x),
            Activation::Tanh => x.tanh(),
            Activation::Mish => x * x.exp().ln_1p().tanh(),
            Activation::Softplus => x.exp().ln_1p(),
            Activation::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Activation::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Activation::Clamp(low, high) => x.clamp(f64::from(low), f64::from(high)),
            Activation::LeakyRelu(slope) => x.max(0.0) + f64::from(slope) * x.min(0.0),
            Activation::Elu(alpha) => x.max(0.0) + f64::from(alpha) * x.min(0.0).exp_m1(),
            Activation::Exp => x.exp(),
            Activation::Log => x.ln(),
            Activation::Sqrt => x.sqrt(),
            Activation::Power(power) => x.powf(f64::from(power)),
            Activation::Abs => x.abs(),
            Activation::Erf => exact_erf(x),
            Activation::Sin => x.sin(),
            Activation::Cos => x.cos(),
        }
    }

    /// Computes on every instruction set, both in place and from one slice to another, and returns the common result.
    fn apply(activation: Activation, x: &[f32]) -> Vec<f32> {
        let mut want = x.to_vec();
        activation.apply_in_place(Isa::Portable, &mut want);
        for isa in Isa::available() {
            let mut y = x.to_vec();
            activation.apply_in_place(isa, &mut y);
            assert_same_bits(&y, &want);
            y.fill(7.0);
            activation.apply_to(isa, x, &mut y);
            assert_same_bits(&y, &want);
        }
        want
    }

    #[test]
    fn values_are_accurate() {
        let x: Vec<f32> = (-12_005..=12_000).map(|i| i as f32 / 1000.0 + 1e-5).collect();
        for activation in ALL {
            for (x, y) in x.iter().zip(apply(activation, &x)) {
                let want = exact(activation, f64::from(*x));
                let error = (f64::from(y) - want).abs() / (1.0 + want.abs().max(f64::from(x.abs())));
                assert!(error < 4e-7 || y.is_nan() && want.is_nan(), "{activation:?}({x}) is {want}, not {y}");
            }
        }
    }

    /// Functions that are small for negative numbers keep their digits there.
    #[test]
    fn tails_are_accurate() {
        let x: Vec<f32> = (0..800).map(|i| i as f32 / -10.0).collect();
        for activation in [Activation::Sigmoid, Activation::Silu, Activation::Exp] {
            for (x, y) in x.iter().zip(apply(activation, &x)) {
                let want = exact(activation, f64::from(*x));
                assert!((f64::from(y) - want).abs() <= 5e-7 * want.abs(), "{activation:?}({x}) is {want}, not {y}");
            }
        }
    }

    #[test]
    fn one_vector_equals_a_row() {
        struct Vector(Activation, [f32; LANES]);
        impl Vectorized for Vector {
            type Output = [f32; LANES];
            #[inline(always)]
            fn run<S: Simd>(self, s: S) -> [f32; LANES] {
                let mut y = [0.0; LANES];
                s.store(self.0.apply(s, s.load(&self.1)), &mut y);
                y
            }
        }
        let x = std::array::from_fn(|i| i as f32 * 0.7 - 4.0);
        for activation in ALL {
            for isa in Isa::available() {
                assert_same_bits(&isa.vectorize(Vector(activation, x)), &apply(activation, &x));
            }
        }
    }

    #[test]
    fn every_length_is_finished() {
        for len in 0..50 {
            let x: Vec<f32> = (0..len).map(|i| i as f32 / 10.0).collect();
            let y: Vec<f32> = x.iter().map(|x| x * x).collect();
            assert_same_bits(&apply(Activation::Power(2.0), &x), &y);
        }
    }

    #[test]
    fn nan_stays_and_limits_are_right() {
        for activation in ALL {
            assert!(apply(activation, &[f32::NAN, 1.0])[0].is_nan(), "{activation:?}");
        }
        use Activation::*;
        for activation in [Relu, Gelu, GeluTanh, QuickGelu, Silu, Mish, HardSwish, Elu(1.0), LeakyRelu(0.1)] {
            assert_eq!(apply(activation, &[30.0, 1e30, f32::INFINITY]), [30.0, 1e30, f32::INFINITY], "{activation:?}");
        }
        for activation in [Relu, Gelu, GeluTanh, QuickGelu, Silu, Mish, HardSwish, Sigmoid, Exp] {
            for y in apply(activation, &[-100.0, -1e30, f32::MIN]) {
                assert!(y.abs() < 2e-36, "{activation:?}: {y}");
            }
        }
        assert_eq!(apply(Elu(0.5), &[-100.0, f32::NEG_INFINITY]), [-0.5; 2]);
    }
}

use crate::arch::Portable;
#[cfg(target_arch = "x86_64")]
use crate::arch::{Avx2, Avx512};
use crate::simd::{Simd, Vectorized};
use std::sync::OnceLock;

static BEST: OnceLock<Isa> = OnceLock::new();

/// An instruction set that this processor has.
///
/// Only detection creates the variants beyond [`Isa::Portable`], so a value is proof that the processor can run the
/// code compiled for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// What the target always has: SSE2 on x86-64, NEON on 64-bit ARM.
    Portable,
    /// The x86-64-v3 level: AVX2 with FMA, BMI1, BMI2, F16C, LZCNT and POPCNT.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// The x86-64-v4 level: AVX2 and AVX-512 F, BW, CD, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Isa {
    /// Returns the widest instruction set of this processor. The processor is asked once per process.
    #[inline]
    pub fn best() -> Self {
        *BEST.get_or_init(|| Self::available().pop().unwrap_or(Self::Portable))
    }

    /// Makes [`Isa::best`] return the widest instruction set up to the named one: "portable", "avx2" or "avx512". It must
    /// be called before anything is computed. Results do not change, only the time that they take.
    ///
    /// Returns whether the limit is in force: the name is known, and no other instruction set had been chosen before.
    pub fn limit(name: &str) -> bool {
        let Some(at_most) = ["portable", "avx2", "avx512"].iter().position(|known| *known == name) else {
            return false;
        };
        let isa = Self::available().into_iter().take(at_most + 1).next_back().unwrap_or(Self::Portable);
        *BEST.get_or_init(|| isa) == isa
    }

    /// Returns all instruction sets of this processor, [`Isa::Portable`] first and the widest last.
    ///
    /// Tests run a kernel on each of them and compare the results.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(Avx2::detect().map(Self::Avx2));
            all.extend(Avx512::detect().map(Self::Avx512));
        }
        all
    }

    /// Runs `f` compiled for this instruction set.
    ///
    /// Only what is inlined into `f` profits, and `f` itself must be inlined. [`dispatch!`](crate::dispatch) sees to
    /// that; call this function directly to choose the instruction set, with a closure marked `#[inline(always)]`.
    #[inline]
    pub fn run<R>(self, f: impl FnOnce() -> R) -> R {
        match self {
            Self::Portable => f(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.run(f),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(avx512) => avx512.run(f),
        }
    }

    /// Runs a computation on vectors, compiled for this instruction set.
    #[inline]
    pub fn vectorize<V: Vectorized>(self, computation: V) -> V::Output {
        #[inline(always)]
        fn run<S: Simd, V: Vectorized>(simd: S, computation: V) -> V::Output {
            simd.run(
                #[inline(always)]
                || computation.run(simd),
            )
        }
        match self {
            Self::Portable => run(Portable, computation),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => run(avx2, computation),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(avx512) => run(avx512, computation),
        }
    }
}

/// Implements calls of functions with a fixed number of arguments.
///
/// The arguments go through separate parameters and not through the captures of a closure. The compiler then knows that
/// slices do not overlap and keeps them in registers, which makes short loops over several slices up to four times as fast.
macro_rules! implement_call {
    ($name:ident, $($argument:ident: $type:ident),+) => {
        impl Isa {
            /// Calls `f` compiled for this instruction set. Only for [`dispatch!`](crate::dispatch).
            #[doc(hidden)]
            #[inline]
            #[allow(clippy::too_many_arguments)]
            pub fn $name<$($type,)+ R>(self, $($argument: $type,)+ f: impl FnOnce($($type),+) -> R) -> R {
                match self {
                    Self::Portable => f($($argument),+),
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx2(avx2) => avx2.$name($($argument,)+ f),
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx512(avx512) => avx512.$name($($argument,)+ f),
                }
            }
        }
    };
}
implement_call!(call1, a: A);
implement_call!(call2, a: A, b: B);
implement_call!(call3, a: A, b: B, c: C);
implement_call!(call4, a: A, b: B, c: C, d: D);
implement_call!(call5, a: A, b: B, c: C, d: D, e: E);

/// Evaluates an expression compiled for [`Isa::best`], the widest instruction set of the processor.
///
/// The expression is compiled once for each instruction set; the choice among them costs one load and one branch. A call of
/// a function by its name, with one to five arguments, is the fastest form: `dispatch!(row(x, y))`. The
/// [crate documentation](crate#dispatching-a-loop) shows how to convert a function and which rules the code must follow.
#[macro_export]
macro_rules! dispatch {
    ($function:ident($a:expr $(,)?)) => {
        $crate::Isa::best().call1(
            $a,
            #[inline(always)]
            |a| $function(a),
        )
    };
    ($function:ident($a:expr, $b:expr $(,)?)) => {
        $crate::Isa::best().call2(
            $a,
            $b,
            #[inline(always)]
            |a, b| $function(a, b),
        )
    };
    ($function:ident($a:expr, $b:expr, $c:expr $(,)?)) => {
        $crate::Isa::best().call3(
            $a,
            $b,
            $c,
            #[inline(always)]
            |a, b, c| $function(a, b, c),
        )
    };
    ($function:ident($a:expr, $b:expr, $c:expr, $d:expr $(,)?)) => {
        $crate::Isa::best().call4(
            $a,
            $b,
            $c,
            $d,
            #[inline(always)]
            |a, b, c, d| $function(a, b, c, d),
        )
    };
    ($function:ident($a:expr, $b:expr, $c:expr, $d:expr, $e:expr $(,)?)) => {
        $crate::Isa::best().call5(
            $a,
            $b,
            $c,
            $d,
            $e,
            #[inline(always)]
            |a, b, c, d, e| $function(a, b, c, d, e),
        )
    };
    ($body:expr) => {
        $crate::Isa::best().run(
            #[inline(always)]
            || $body,
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum that the compiler vectorizes: 16 lanes, so that its order does not depend on the instruction set.
    #[inline(always)]
    fn sum(values: &[f32]) -> f32 {
        let mut lanes = [0f32; 16];
        for values in values.as_chunks::<16>().0 {
            lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane += value * value + 0.1);
        }
        lanes.iter().sum()
    }

    #[test]
    fn every_instruction_set_computes_the_same_bits() {
        let values: Vec<f32> = (0..4096).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
        let want = sum(&values).to_bits();
        for isa in Isa::available() {
            let got = isa.run(
                #[inline(always)]
                || sum(&values),
            );
            assert_eq!(got.to_bits(), want, "{isa:?}");
        }
        assert_eq!(dispatch!(sum(&values)).to_bits(), want);
        assert_eq!(dispatch!(sum(&values) + 0.0).to_bits(), want);
    }

    #[test]
    fn calls_pass_their_arguments_in_order() {
        fn list(a: i32, b: i32, c: i32, d: i32, e: i32) -> [i32; 5] {
            [a, b, c, d, e]
        }
        fn put(to: &mut Vec<i32>, value: i32) {
            to.push(value);
        }
        assert_eq!(dispatch!(list(1, 2, 3, 4, 5)), [1, 2, 3, 4, 5]);
        let mut values = vec![1];
        dispatch!(put(&mut values, 2));
        assert_eq!(values, [1, 2]);
    }

    #[test]
    fn the_best_instruction_set_is_the_last_available_one() {
        assert_eq!(Isa::available().first(), Some(&Isa::Portable));
        assert_eq!(Isa::available().last(), Some(&Isa::best()));
    }

    #[test]
    fn a_block_can_change_and_return_what_it_captures() {
        let mut values = vec![1, 2, 3];
        let last = dispatch!({
            values.iter_mut().for_each(|value| *value *= 2);
            values.pop()
        });
        assert_eq!((last, values), (Some(6), vec![2, 4]));
    }
}

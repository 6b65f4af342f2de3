mod bf16;
mod vector;

pub use bf16::Avx512Bf16;

use super::Avx2;

/// Proof that the processor has the x86-64-v4 level: AVX-512 F, BW, CD, DQ and VL besides [`Avx2`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(Avx2);

impl Avx512 {
    /// Returns the proof if the processor has the instructions and the operating system saves their registers.
    pub fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        Avx2::detect().filter(|_| has_all).map(Self)
    }

    /// Returns the proof that the processor also has AVX2.
    pub fn avx2(self) -> Avx2 {
        self.0
    }

    /// Runs `f` compiled for this instruction set. `f` must be inlined to profit.
    #[inline]
    #[expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]
    pub(crate) fn run<R>(self, f: impl FnOnce() -> R) -> R {
        // SAFETY: only `detect` creates `self`, and it checks every feature that `call` enables.
        unsafe { call(f) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,f16c,fma,lzcnt,popcnt")]
fn call<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Implements calls of functions with a fixed number of arguments. `implement_call` in `isa.rs` says why.
macro_rules! implement_call {
    ($name:ident, $($argument:ident: $type:ident),+) => {
        impl Avx512 {
            /// Calls `f` compiled for this instruction set. `f` must be inlined to profit.
            #[inline]
            #[expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]
            #[allow(clippy::too_many_arguments)]
            pub(crate) fn $name<$($type,)+ R>(self, $($argument: $type,)+ f: impl FnOnce($($type),+) -> R) -> R {
                #[inline]
                #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,f16c,fma,lzcnt,popcnt")]
                fn call<$($type,)+ R>($($argument: $type,)+ f: impl FnOnce($($type),+) -> R) -> R {
                    f($($argument),+)
                }
                // SAFETY: only `detect` creates `self`, and it checks every feature that `call` enables.
                unsafe { call($($argument,)+ f) }
            }
        }
    };
}
implement_call!(call1, a: A);
implement_call!(call2, a: A, b: B);
implement_call!(call3, a: A, b: B, c: C);
implement_call!(call4, a: A, b: B, c: C, d: D);
implement_call!(call5, a: A, b: B, c: C, d: D, e: E);

mod normals;
mod vector;

use crate::random::Stream;

/// Proof that the processor has the x86-64-v3 level: AVX2, BMI1, BMI2, F16C, FMA, LZCNT and POPCNT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    /// Returns the proof if the processor has the instructions and the operating system saves their registers.
    pub fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("f16c")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }

    /// Runs `f` compiled for this instruction set. `f` must be inlined to profit.
    #[inline]
    #[expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]
    pub(crate) fn run<R>(self, f: impl FnOnce() -> R) -> R {
        // SAFETY: only `detect` creates `self`, and it checks every feature that `call` enables.
        unsafe { call(f) }
    }

    /// Writes the standard normals from pair `pair` on into the whole blocks of `values`, advances `pair` past them, and
    /// returns how many elements it wrote.
    #[expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]
    pub(crate) fn normals(self, stream: Stream, pair: &mut u64, values: &mut [f32]) -> usize {
        // SAFETY: only `detect` creates `self`, and it checks for AVX2, the one feature that `fill_blocks` enables.
        unsafe { normals::fill_blocks(stream, pair, values) }
    }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,f16c,fma,lzcnt,popcnt")]
fn call<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Implements calls of functions with a fixed number of arguments. `implement_call` in `isa.rs` says why.
macro_rules! implement_call {
    ($name:ident, $($argument:ident: $type:ident),+) => {
        impl Avx2 {
            /// Calls `f` compiled for this instruction set. `f` must be inlined to profit.
            #[inline]
            #[expect(unsafe_code, reason = "`self` proves that the processor has these instructions")]
            #[allow(clippy::too_many_arguments)]
            pub(crate) fn $name<$($type,)+ R>(self, $($argument: $type,)+ f: impl FnOnce($($type),+) -> R) -> R {
                #[inline]
                #[target_feature(enable = "avx2,bmi1,bmi2,f16c,fma,lzcnt,popcnt")]
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

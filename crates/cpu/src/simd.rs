//! Vectors of sixteen floats, the same on every instruction set.

use crate::arch::Tile;
use std::fmt::Debug;

/// The number of lanes of a [`Simd::F32`].
pub const LANES: usize = 16;

/// An instruction set, seen as arithmetic on vectors of sixteen `f32`.
///
/// A vector has sixteen lanes everywhere: one register with AVX-512, two with AVX2, an array in [`Portable`]. A kernel
/// written once for `S: Simd` therefore adds in the same order on every processor, and because every operation here is
/// rounded as IEEE 754 prescribes, it computes the same bits. [`mul_add`](Simd::mul_add) rounds once.
///
/// Kernels implement [`Vectorized`] and are run by [`Isa::vectorize`](crate::Isa::vectorize). All functions that they
/// call must be `#[inline(always)]`.
///
/// [`Portable`]: crate::arch::Portable
pub trait Simd: Copy + Debug + Send + Sync + 'static {
    /// Sixteen floats.
    type F32: Copy;

    /// The number of neighboring pixels in a strip of a product's tile.
    const STRIP: usize;
    /// The number of strips in a tile. All sums of a tile, `STRIP · STRIPS · VECTORS` vectors, stay in registers.
    const STRIPS: usize;
    /// The number of vectors of output channels in a tile, and so in a panel of packed weights.
    const VECTORS: usize;

    /// Runs `f` compiled for this instruction set. `f` must be inlined to profit.
    fn run<R>(self, f: impl FnOnce() -> R) -> R;

    /// Computes a tile of the product of a window with weights, `VECTORS` vectors wide or one if `narrow`.
    #[doc(hidden)]
    fn tile(self, tile: Tile<'_>, narrow: bool);

    /// Returns a vector whose lanes are all `x`.
    fn splat(self, x: f32) -> Self::F32;
    /// Loads a vector.
    fn load(self, from: &[f32; LANES]) -> Self::F32;
    /// Stores a vector.
    fn store(self, x: Self::F32, to: &mut [f32; LANES]);

    /// Asks the processor to bring a value into its first-level cache. Nothing is read, so the place need not exist.
    #[inline(always)]
    fn prefetch(self, place: *const f32) {
        let _ = place;
    }

    /// Returns a + b.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Returns a - b.
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Returns a · b.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Returns a / b.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Returns √x.
    fn sqrt(self, x: Self::F32) -> Self::F32;
    /// Returns a · b + c, rounded once.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// Returns c - a · b, rounded once.
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// Returns `a` where a > b and `b` elsewhere, so `b` where one of them is NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Returns `a` where a < b and `b` elsewhere, so `b` where one of them is NaN.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Returns |x|.
    fn abs(self, x: Self::F32) -> Self::F32;
    /// Returns `then` where a < b and `otherwise` elsewhere.
    fn select_less(self, a: Self::F32, b: Self::F32, then: Self::F32, otherwise: Self::F32) -> Self::F32;
    /// Rounds to the nearest integer, ties to even.
    fn round(self, x: Self::F32) -> Self::F32;
    /// Returns 2ⁿ for integers n from -126 to 127.
    fn power_of_two(self, n: Self::F32) -> Self::F32;

    /// Returns the sum of all lanes. Lane i is added to lane i + 8, then those to the ones 4, 2 and 1 further.
    #[inline(always)]
    fn sum(self, x: Self::F32) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(x, &mut lanes);
        fold_lanes(&lanes, |a, b| a + b)
    }

    /// Returns the largest lane. The result is not specified if one is NaN.
    #[inline(always)]
    fn largest(self, x: Self::F32) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(x, &mut lanes);
        fold_lanes(&lanes, |a, b| if a > b { a } else { b })
    }
}

/// Combines lane i with lane i + 8, then those with the ones 4, 2 and 1 further.
///
/// There is no loop, because the compiler would keep the lanes in memory.
#[inline(always)]
fn fold_lanes(lanes: &[f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let two = |i: usize| f(lanes[i], lanes[i + 8]);
    let four = |i: usize| f(two(i), two(i + 4));
    let eight = |i: usize| f(four(i), four(i + 2));
    f(eight(0), eight(1))
}

/// A computation that is compiled once for each instruction set.
pub trait Vectorized {
    /// What the computation returns.
    type Output;

    /// Computes with the vectors of `simd`. The implementation must be `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    /// Applies every operation to special and ordinary values and returns the bits of all results.
    struct Everything;

    impl Vectorized for Everything {
        type Output = Vec<u32>;

        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> Vec<u32> {
            let a: [f32; LANES] = [
                0.0,
                -0.0,
                1.5,
                -2.5,
                3.7,
                f32::INFINITY,
                f32::NEG_INFINITY,
                1e-40,
                2.5,
                0.5,
                7.0,
                -9.25,
                1e30,
                1e-30,
                100.3,
                8.1,
            ];
            let b: [f32; LANES] =
                [1.0, 0.0, 2.5, -2.5, -1.0, 4.0, 5.0, 3.0, 0.1, 0.2, 0.3, 0.7, 1e10, 1e-10, -100.0, 3.3];
            let c = std::array::from_fn(|i| i as f32 - 7.3);
            let (x, y, z) = (s.load(&a), s.load(&b), s.load(&c));
            let n = s.load(&std::array::from_fn(|i| [-126.0, 127.0, 0.0, 1.0, -1.0][i % 5]));
            let results = [
                s.splat(3.25),
                s.add(x, y),
                s.sub(x, y),
                s.mul(x, y),
                s.div(x, y),
                s.sqrt(s.abs(x)),
                s.mul_add(x, y, z),
                s.neg_mul_add(x, y, z),
                s.max(x, y),
                s.min(x, y),
                s.abs(x),
                s.select_less(x, y, z, x),
                s.round(x),
                s.power_of_two(n),
            ];
            let mut bits = vec![s.sum(y).to_bits(), s.largest(x).to_bits(), s.largest(y).to_bits()];
            for result in results {
                let mut lanes = [0.0; LANES];
                s.store(result, &mut lanes);
                // The sign and payload of a NaN are not fixed by IEEE 754.
                bits.extend(lanes.map(|x: f32| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }));
            }
            bits
        }
    }

    #[test]
    fn every_instruction_set_computes_the_same_bits() {
        let want = Isa::Portable.vectorize(Everything);
        for isa in Isa::available() {
            assert_eq!(isa.vectorize(Everything), want, "{isa:?}");
        }
    }

    /// NaN in either operand gives the second one, which is what the instructions of x86 do.
    #[test]
    fn maxima_and_minima_with_nan_are_the_second_operand() {
        struct OfNan;
        impl Vectorized for OfNan {
            type Output = [f32; 4];
            #[inline(always)]
            fn run<S: Simd>(self, s: S) -> [f32; 4] {
                let (nan, one) = (s.splat(f32::NAN), s.splat(1.0));
                [s.max(nan, one), s.max(one, nan), s.min(nan, one), s.min(one, nan)].map(|x| {
                    let mut lanes = [0.0; LANES];
                    s.store(x, &mut lanes);
                    lanes[0]
                })
            }
        }
        for isa in Isa::available() {
            let [a, b, c, d] = isa.vectorize(OfNan);
            assert!(a == 1.0 && b.is_nan() && c == 1.0 && d.is_nan(), "{isa:?}");
        }
    }
}

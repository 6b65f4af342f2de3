use crate::activation::{Activation, split};
use crate::isa::Isa;
use crate::row::{self, BLOCK};
use crate::simd::{Simd, Vectorized};

/// A function of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
    /// The larger of a and b, or a if one of them is NaN.
    Maximum,
    /// The smaller of a and b, or a if one of them is NaN.
    Minimum,
}

/// Writes activation(op(a, b)) to `y` for the values at the same places of `a` and `b`.
///
/// # Panics
/// Panics if the lengths differ.
pub fn binary(isa: Isa, op: Binary, a: &[f32], b: &[f32], y: &mut [f32], activation: Option<Activation>) {
    assert_eq!((a.len(), b.len()), (y.len(), y.len()));
    isa.vectorize(Blocks { op, a: Operand::Values(a), b: Operand::Values(b), y, block: BLOCK, activation });
}

/// Replaces each of `values` by activation(op(value, b)) for the values at the same places of `b`.
///
/// # Panics
/// Panics if the lengths differ.
pub fn binary_in_place(isa: Isa, op: Binary, values: &mut [f32], b: &[f32], activation: Option<Activation>) {
    assert_eq!(values.len(), b.len());
    isa.vectorize(InPlace { op, values, b, activation });
}

/// Writes activation(op(a, row)) to `y`, with the same row for each row of `a`; or activation(op(row, a)) if `swapped`.
///
/// # Panics
/// Panics if the lengths of `a` and `y` differ or are not whole rows, or if `row` is empty.
pub fn binary_rows(
    isa: Isa,
    op: Binary,
    a: &[f32],
    row: &[f32],
    swapped: bool,
    y: &mut [f32],
    activation: Option<Activation>,
) {
    assert_eq!(a.len(), y.len());
    assert!(!row.is_empty() && y.len().is_multiple_of(row.len()), "whole rows of {}", row.len());
    // Several short rows at once fill whole vectors.
    let row = row::repeat(row, y.len());
    let (values, repeated) = (Operand::Values(a), Operand::Repeated(&row));
    let (a, b) = if swapped { (repeated, values) } else { (values, repeated) };
    isa.vectorize(Blocks { op, a, b, y, block: row.len(), activation });
}

/// Writes activation(op(a, scalar)) to `y` for each value of `a`; or activation(op(scalar, a)) if `swapped`.
///
/// # Panics
/// Panics if the lengths differ.
pub fn binary_scalar(
    isa: Isa,
    op: Binary,
    a: &[f32],
    scalar: f32,
    swapped: bool,
    y: &mut [f32],
    activation: Option<Activation>,
) {
    binary_rows(isa, op, a, &[scalar], swapped, y, activation);
}

/// Multiplies each value by a factor.
pub fn scale(isa: Isa, factor: f32, values: &mut [f32]) {
    isa.vectorize(Scale(factor, values));
}

/// Calls a method with the operation as a function of two vectors. Its concrete type is known at compile time, so that the
/// loop over it contains no choices.
macro_rules! with_function {
    ($op:expr, $receiver:ident.$method:ident($s:ident)) => {
        match $op {
            Binary::Add => with_function!($receiver.$method($s, |a, b| $s.add(a, b))),
            Binary::Sub => with_function!($receiver.$method($s, |a, b| $s.sub(a, b))),
            Binary::Mul => with_function!($receiver.$method($s, |a, b| $s.mul(a, b))),
            Binary::Div => with_function!($receiver.$method($s, |a, b| $s.div(a, b))),
            // The second operand wins against NaN.
            Binary::Maximum => with_function!($receiver.$method($s, |a, b| $s.max(b, a))),
            Binary::Minimum => with_function!($receiver.$method($s, |a, b| $s.min(b, a))),
        }
    };
    ($receiver:ident.$method:ident($s:ident, |$a:ident, $b:ident| $value:expr)) => {
        $receiver.$method(
            $s,
            #[inline(always)]
            |$a, $b| $value,
        )
    };
}

/// One side of an operation.
#[derive(Clone, Copy)]
enum Operand<'a> {
    /// As many values as there are results.
    Values(&'a [f32]),
    /// One block of values, the same for all blocks of results.
    Repeated(&'a [f32]),
}

impl<'a> Operand<'a> {
    #[inline(always)]
    fn block(self, start: usize, len: usize) -> &'a [f32] {
        match self {
            Self::Values(values) => &values[start..][..len],
            Self::Repeated(values) => &values[..len],
        }
    }
}

/// An operation, block by block: what an activation is applied to has just been written to the first-level cache.
struct Blocks<'a> {
    op: Binary,
    a: Operand<'a>,
    b: Operand<'a>,
    y: &'a mut [f32],
    block: usize,
    activation: Option<Activation>,
}

impl Vectorized for Blocks<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        with_function!(self.op, self.compute(s));
    }
}

impl Blocks<'_> {
    #[inline(always)]
    fn compute<S: Simd>(self, s: S, f: impl Fn(S::F32, S::F32) -> S::F32) {
        let (bounds, rest) = split(s, self.activation);
        for (i, y) in self.y.chunks_mut(self.block).enumerate() {
            let (a, b) = (self.a.block(i * self.block, y.len()), self.b.block(i * self.block, y.len()));
            row::map2(
                s,
                a,
                b,
                y,
                #[inline(always)]
                |a, b| bounds.clamp(s, f(a, b)),
            );
            if let Some(rest) = rest {
                rest.apply_to_row(s, y);
            }
        }
    }
}

struct InPlace<'a> {
    op: Binary,
    values: &'a mut [f32],
    b: &'a [f32],
    activation: Option<Activation>,
}

impl Vectorized for InPlace<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        with_function!(self.op, self.compute(s));
    }
}

impl InPlace<'_> {
    #[inline(always)]
    fn compute<S: Simd>(self, s: S, f: impl Fn(S::F32, S::F32) -> S::F32) {
        let (bounds, rest) = split(s, self.activation);
        for (values, b) in self.values.chunks_mut(BLOCK).zip(self.b.chunks(BLOCK)) {
            row::map2_in_place(
                s,
                values,
                b,
                #[inline(always)]
                |a, b| bounds.clamp(s, f(a, b)),
            );
            if let Some(rest) = rest {
                rest.apply_to_row(s, values);
            }
        }
    }
}

struct Scale<'a>(f32, &'a mut [f32]);

impl Vectorized for Scale<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let factor = s.splat(self.0);
        row::map_in_place(
            s,
            self.1,
            #[inline(always)]
            |x| s.mul(x, factor),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_same_bits, sample};

    const ALL: [Binary; 6] = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Maximum, Binary::Minimum];

    /// The definitions. One rounding makes them exact.
    fn exact(op: Binary, a: f32, b: f32) -> f32 {
        match op {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Maximum => {
                if a < b {
                    b
                } else {
                    a
                }
            }
            Binary::Minimum => {
                if a > b {
                    b
                } else {
                    a
                }
            }
        }
    }

    fn activated(mut y: Vec<f32>, activation: Option<Activation>) -> Vec<f32> {
        if let Some(activation) = activation {
            activation.apply_in_place(Isa::Portable, &mut y);
        }
        y
    }

    fn for_each_case(mut check: impl FnMut(Isa, Binary, Option<Activation>)) {
        let activations = [None, Some(Activation::Relu), Some(Activation::Clamp(-0.5, 0.5)), Some(Activation::Tanh)];
        for isa in Isa::available() {
            ALL.iter().for_each(|op| activations.iter().for_each(|activation| check(isa, *op, *activation)));
        }
    }

    #[test]
    fn values_at_the_same_places() {
        for len in [0, 1, 16, 100, 2500] {
            let mut a = sample(2 * len);
            let b = a.split_off(len);
            for_each_case(|isa, op, activation| {
                let want = activated(a.iter().zip(&b).map(|(a, b)| exact(op, *a, *b)).collect(), activation);
                let mut y = vec![0.0; len];
                binary(isa, op, &a, &b, &mut y, activation);
                assert_same_bits(&y, &want);
                y.copy_from_slice(&a);
                binary_in_place(isa, op, &mut y, &b, activation);
                assert_same_bits(&y, &want);
            });
        }
    }

    #[test]
    fn rows_and_scalars_in_both_orders() {
        for (rows, channels) in [(1, 1), (50, 1), (7, 3), (100, 24), (5, 96), (3, 1025), (0, 4)] {
            let (a, row) = (sample(rows * channels), sample(channels + 1)[1..].to_vec());
            for_each_case(|isa, op, activation| {
                for swapped in [false, true] {
                    let ordered = |a, b| if swapped { exact(op, b, a) } else { exact(op, a, b) };
                    let mut y = vec![0.0; a.len()];
                    binary_rows(isa, op, &a, &row, swapped, &mut y, activation);
                    let want = a.iter().enumerate().map(|(i, a)| ordered(*a, row[i % channels])).collect();
                    assert_same_bits(&y, &activated(want, activation));
                    binary_scalar(isa, op, &a, 0.7, swapped, &mut y, activation);
                    assert_same_bits(&y, &activated(a.iter().map(|a| ordered(*a, 0.7)).collect(), activation));
                }
            });
        }
    }

    #[test]
    fn the_first_operand_is_the_maximum_if_one_is_nan() {
        for isa in Isa::available() {
            for op in [Binary::Maximum, Binary::Minimum] {
                let mut y = [0.0; 2];
                binary(isa, op, &[f32::NAN, 1.0], &[1.0, f32::NAN], &mut y, None);
                assert!(y[0].is_nan() && y[1] == 1.0);
            }
        }
    }

    #[test]
    fn factors() {
        for isa in Isa::available() {
            let mut y = sample(37);
            scale(isa, 3.0, &mut y);
            assert_same_bits(&y, &sample(37).iter().map(|x| 3.0 * x).collect::<Vec<_>>());
        }
    }
}

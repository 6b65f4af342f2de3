//! CPU operations that treat a tensor as rows of equal length, in parallel.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use multiversion::multiversion;
use rayon::prelude::*;

/// Applies `f(row, out)` to each run of `input` elements of a CPU tensor; each gives `output` elements.
/// Halves and doubles are computed in f32.
pub(crate) fn map_rows<F>(x: &Tensor, input: usize, output: usize, shape: impl Into<Shape>, f: F) -> Result<Tensor>
where
    F: Fn(&[f32], &mut [f32]) + Send + Sync,
{
    let dtype = x.dtype();
    let x = x.detach().to_dtype(DType::F32)?.contiguous()?;
    x.apply_op1_no_bwd(&Rows { input, output, shape: shape.into(), f })?.to_dtype(dtype)
}

/// Elementwise `f`, in chunks, so that the compiler can use vector registers inside each.
pub(crate) fn map_elements<F>(x: &Tensor, f: F) -> Result<Tensor>
where
    F: Fn(f32) -> f32 + Send + Sync,
{
    map_rows(x, CHUNK, CHUNK, x.shape(), |x, y| each(x, y, &f))
}

/// Compiled for several instruction sets: the same operations, on more elements at a time.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn each<F: Fn(f32) -> f32>(x: &[f32], y: &mut [f32], f: &F) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*x);
    }
}

/// [`each`], in place.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub(crate) fn change_each<F: Fn(f32) -> f32>(x: &mut [f32], f: &F) {
    for x in x {
        *x = f(*x);
    }
}

/// Σ f(x) in as many sums side by side as vector registers like to hold, in the same order everywhere.
#[inline(always)]
pub(crate) fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum += f(*x);
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += f(*x);
    }
    let mut half = LANES;
    while half > 1 {
        half /= 2;
        let (low, high) = sums.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
    sums[0]
}

/// Elements a task takes at once: large enough to hide its cost, small enough for the first-level cache.
const CHUNK: usize = 4096;

struct Rows<F> {
    input: usize,
    output: usize,
    shape: Shape,
    f: F,
}

impl<F: Fn(&[f32], &mut [f32]) + Send + Sync> CustomOp1 for Rows<F> {
    fn name(&self) -> &'static str {
        "rows"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (CpuStorage::F32(x), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("rows are contiguous f32");
        };
        let mut y = vec![0f32; self.shape.elem_count()];
        y.par_chunks_mut(self.output)
            .zip(x[start..end].par_chunks(self.input))
            .with_min_len((CHUNK / self.input.max(1)).max(1))
            .for_each(|(y, x)| (self.f)(x, y));
        Ok((CpuStorage::F32(y), self.shape.clone()))
    }
}

//! CPU operations that treat a tensor as rows of equal length, in parallel.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Applies `f(row, out)` to each run of `input` elements of a CPU tensor; each call fills `output` elements of the result.
///
/// `f` computes in f32 whatever the dtype of `x`, which is also the dtype of the result. Gradients do not flow through the
/// result.
pub(crate) fn map_rows<F>(x: &Tensor, input: usize, output: usize, shape: impl Into<Shape>, f: F) -> Result<Tensor>
where
    F: Fn(&[f32], &mut [f32]) + Send + Sync,
{
    let dtype = x.dtype();
    let x = x.detach().to_dtype(DType::F32)?.contiguous()?;
    x.apply_op1_no_bwd(&Rows { input, output, shape: shape.into(), f })?.to_dtype(dtype)
}

/// Returns Σ f(x), added in an order that does not depend on the instruction set.
#[inline(always)]
pub(crate) fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    // Two AVX-512 registers, or four of AVX2: enough independent sums to hide the latency of an addition.
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    // Lane i adds up every 32nd element from i on; the lanes stay in registers.
    for x in whole {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum += f(*x);
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += f(*x);
    }
    // The lanes are added in halves, as a tree.
    let mut half = LANES;
    while half > 1 {
        half /= 2;
        let (low, high) = sums.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
    sums[0]
}

/// The number of elements that a task takes at once: large enough to hide the cost of a task, small enough for the
/// first-level cache.
pub(crate) const CHUNK: usize = 4096;

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
            candle_core::bail!("an operation on rows needs a contiguous f32 tensor");
        };
        let mut y = vec![0f32; self.shape.elem_count()];
        y.par_chunks_mut(self.output)
            .zip(x[start..end].par_chunks(self.input))
            .with_min_len((CHUNK / self.input.max(1)).max(1))
            .for_each(|(y, x)| (self.f)(x, y));
        Ok((CpuStorage::F32(y), self.shape.clone()))
    }
}

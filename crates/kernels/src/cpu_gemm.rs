//! Matrix products of slices on the CPU: the one place that calls gemm.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// A matrix in a slice: element (i, j) at `i * row + j * column`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// `out` (m × n, rows `out_row` apart) = `keep · out + a · b`, on this thread, or on all when `threads` > 1.
pub(crate) fn multiply(
    (m, n, k): (usize, usize, usize),
    out: &mut [f32],
    out_row: usize,
    keep: bool,
    a: View<'_>,
    b: View<'_>,
    threads: usize,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let last = |rows: usize, columns: usize, row: usize, column: usize| (rows - 1) * row + (columns - 1) * column;
    assert!(out_row >= n || m == 1, "rows of the result overlap");
    assert!(last(m, n, out_row, 1) < out.len());
    assert!(last(m, k, a.row, a.column) < a.data.len());
    assert!(last(k, n, b.row, b.column) < b.data.len());
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    // SAFETY: the assertions above keep every element that gemm touches inside the three slices, `out` is borrowed
    // mutably, so it overlaps neither input, and its rows do not overlap each other.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_row as isize,
            keep,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// [`multiply`] on all threads, `out` without gaps: each takes some of the rows where there are enough of them, for gemm's
/// own division makes threads wait for each other. The order of the sums is the same either way.
pub(crate) fn multiply_rows((m, n, k): (usize, usize, usize), out: &mut [f32], keep: bool, a: View<'_>, b: View<'_>) {
    let threads = rayon::current_num_threads();
    let rows = m.div_ceil(threads);
    if threads == 1 || rows < LEAST_ROWS || n == 0 {
        return multiply((m, n, k), out, n, keep, a, b, threads);
    }
    out.par_chunks_mut(rows * n).enumerate().for_each(|(part, out)| {
        let a = View { data: &a.data[part * rows * a.row..], ..a };
        multiply((out.len() / n, n, k), out, n, keep, a, b, 1);
    });
}

/// Of a part: each lays the second matrix out anew.
const LEAST_ROWS: usize = 48;

/// A contiguous f32 slice of a CPU tensor's storage.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => candle_core::bail!("a CPU product needs contiguous f32"),
    }
}

/// Calls candle with a function of two contiguous f32 slices; other dtypes are computed in f32.
pub(crate) fn apply<F>(a: &Tensor, b: &Tensor, shape: impl Into<Shape>, f: F) -> Result<Tensor>
where
    F: Fn(&[f32], &[f32]) -> Vec<f32>,
{
    struct Op<F>(F, Shape);
    impl<F: Fn(&[f32], &[f32]) -> Vec<f32>> CustomOp2 for Op<F> {
        fn name(&self) -> &'static str {
            "cpu-product"
        }
        fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
            Ok((CpuStorage::F32((self.0)(slice(a, la)?, slice(b, lb)?)), self.1.clone()))
        }
    }
    let dtype = a.dtype();
    let (a, b) = (a.to_dtype(DType::F32)?.contiguous()?, b.to_dtype(DType::F32)?.contiguous()?);
    a.apply_op2_no_bwd(&b, &Op(f, shape.into()))?.to_dtype(dtype)
}

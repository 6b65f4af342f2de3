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
    // For vectors, and for few sums of products of neighbours, gemm has ways of its own, with sums in another order.
    let (height, width) = (m.max(2), n.max(2));
    let small = height * width <= SMALL && a.column == 1 && b.row == 1;
    if small || (height, width) != (m, n) {
        let turned: Vec<f32> = match small {
            true => (0..k).flat_map(|i| (0..width).map(move |j| b.data[i + j % n * b.column])).collect(),
            false => Vec::new(),
        };
        let a = if m == 1 { View { row: 0, ..a } } else { a };
        let b = match (small, n) {
            (true, _) => View { data: &turned, row: width, column: 1 },
            (false, 1) => View { column: 0, ..b },
            (false, _) => b,
        };
        let mut wide = vec![0.0; height * width];
        for i in (0..m).filter(|_| keep) {
            wide[i * width..][..n].copy_from_slice(&out[i * out_row..][..n]);
        }
        multiply((height, width, k), &mut wide, width, keep, a, b, threads);
        for i in 0..m {
            out[i * out_row..][..n].copy_from_slice(&wide[i * width..][..n]);
        }
        return;
    }
    let (rows, columns) = ((a.row as isize, b.row as isize), (a.column as isize, b.column as isize));
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    for start in (0..k).step_by(DEPTH) {
        let (a, b) = (&a.data[start * a.column..], &b.data[start * b.row..]);
        // SAFETY: the assertions above keep every element that gemm touches inside the three slices, `out` is borrowed
        // mutably, so it overlaps neither input, and its rows do not overlap each other.
        #[allow(unsafe_code)]
        unsafe {
            gemm::gemm(
                m,
                n,
                DEPTH.min(k - start),
                out.as_mut_ptr(),
                1,
                out_row as isize,
                keep || start > 0,
                a.as_ptr(),
                columns.0,
                rows.0,
                b.as_ptr(),
                columns.1,
                rows.1,
                1.0f32,
                1.0f32,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

/// Products added up at once. gemm takes more or fewer at once by how large the matrices are; no sum may depend on that,
/// for how many pictures are in a batch, and how many threads there are, must not matter.
const DEPTH: usize = 512;

/// Up to so many sums gemm takes one after the other where both matrices lie along their products.
const SMALL: usize = 256;

/// [`multiply`] on all threads, `out` without gaps: each takes some of the rows where there are enough of them, for gemm's
/// own division makes threads wait for each other. The order of the sums is the same either way. `finish` is called with
/// rows that are done.
pub(crate) fn multiply_rows(
    (m, n, k): (usize, usize, usize),
    out: &mut [f32],
    keep: bool,
    a: View<'_>,
    b: View<'_>,
    finish: impl Fn(&mut [f32]) + Sync,
) {
    let threads = rayon::current_num_threads();
    let rows = m.div_ceil(threads);
    if threads == 1 || rows < LEAST_ROWS || n == 0 {
        multiply((m, n, k), out, n, keep, a, b, threads);
        return finish(out);
    }
    out.par_chunks_mut(rows * n).enumerate().for_each(|(part, out)| {
        let a = View { data: &a.data[part * rows * a.row..], ..a };
        multiply((out.len() / n, n, k), out, n, keep, a, b, 1);
        finish(out);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// However a product is divided, its sums are the same to the bit.
    #[test]
    fn parts_equal_the_whole() {
        // As a convolution has its columns, and as a linear layer has its weights.
        for turned in [false, true] {
            check_parts(turned);
        }
    }

    fn check_parts(turned: bool) {
        let numbers = |n: usize, seed: usize| -> Vec<f32> {
            (0..n).map(|i| (((i + seed) * 7919 + 13) % 10_007) as f32 / 5003.5 - 1.0).collect()
        };
        for k in [2, 6, 48, 300, 512, 864, 1536] {
            let (m, n) = (70, 150);
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let mut whole = vec![0f32; m * n];
            let (left, right) = (
                View { data: &a, row: k, column: 1 },
                if turned { View { data: &b, row: 1, column: k } } else { View { data: &b, row: n, column: 1 } },
            );
            multiply((m, n, k), &mut whole, n, false, left, right, 1);
            for (height, width) in [(70, 64), (35, 150), (35, 64), (3, 16), (1, 150), (70, 1), (2, 2), (16, 16), (1, 1)]
            {
                let mut parts = vec![0f32; m * n];
                for i in (0..m).step_by(height) {
                    for j in (0..n).step_by(width) {
                        let (left, right) =
                            (View { data: &a[i * k..], ..left }, View { data: &b[j * right.column..], ..right });
                        let size = (height.min(m - i), width.min(n - j), k);
                        multiply(size, &mut parts[i * n + j..], n, false, left, right, 1);
                    }
                }
                let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&parts), bits(&whole), "{height} × {width} of depth {k}");
            }
        }
    }
}

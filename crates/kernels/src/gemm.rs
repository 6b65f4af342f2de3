//! Matrix products of slices on the CPU. This is the only place that calls the crate gemm.
//!
//! Two things matter here besides speed. Every sum must add its terms in an order that depends on its own length alone, so
//! that a value does not depend on the batch, on the number of threads or on how a product is divided. And callers give
//! matrices by strides, so that nothing needs to be transposed in memory.

use rayon::prelude::*;

/// A matrix in a slice: element (i, j) is at `i * row + j * column`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// Computes `out = keep · out + a · b` for `out` (m × n, rows `out_row` apart), `a` (m × k) and `b` (k × n). It runs on this
/// thread, or on all threads if `threads` is more than 1.
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
    if takes_other_path((m, n), a, b) {
        return multiply_widened((m, n, k), out, out_row, keep, a, b, threads);
    }
    let (rows, columns) = ((a.row as isize, b.row as isize), (a.column as isize, b.column as isize));
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    // Blocks of k of a fixed depth, each added to the sums so far: the order of the additions is then ours, not gemm's.
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

/// The number of products that are added up in one call of gemm. gemm itself would choose it by the sizes of the matrices,
/// and no sum may depend on these: how many images are in a batch, and how many threads there are, must not matter.
const DEPTH: usize = 512;

/// The largest result, in elements, that gemm computes one dot product after the other if both operands are contiguous
/// along k.
const SMALL: usize = 256;

/// Returns whether gemm would take one of its special code paths, which add in a different order: for matrix-vector
/// products, and for small products whose operands are contiguous along k.
fn takes_other_path((m, n): (usize, usize), a: View<'_>, b: View<'_>) -> bool {
    m == 1 || n == 1 || is_small((m, n), a, b)
}

fn is_small((m, n): (usize, usize), a: View<'_>, b: View<'_>) -> bool {
    m.max(2) * n.max(2) <= SMALL && a.column == 1 && b.row == 1
}

/// Computes a product that gemm would compute by a special code path in such a way that it takes the usual one: vectors
/// become matrices of two equal rows or columns, and a small second matrix is copied so that k is not contiguous.
fn multiply_widened(
    (m, n, k): (usize, usize, usize),
    out: &mut [f32],
    out_row: usize,
    keep: bool,
    a: View<'_>,
    b: View<'_>,
    threads: usize,
) {
    let (height, width) = (m.max(2), n.max(2));
    let small = is_small((m, n), a, b);
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
}

/// Computes [`multiply`] on all threads; `out` has no gaps between its rows.
///
/// Each thread takes some of the rows if there are enough of them, because threads wait for each other in gemm's own
/// division. The order of the additions is the same either way.
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

/// The least rows of a thread. Each thread packs the second matrix anew, which has to pay off.
const LEAST_ROWS: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    /// However a product is divided, its sums have the same bits.
    #[test]
    fn parts_equal_the_whole() {
        // The second matrix lies like the columns of a convolution, and like the weights of a linear layer.
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

//! Products of many pairs of matrices on the CPU, one pair per thread. Matrices may have any strides, so that the heads of
//! an attention are multiplied where they lie in memory.

use crate::gemm::{View, multiply, multiply_rows};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Returns the product of f32 tensors (.., M, K) and (.., K, N) whose leading dimensions are equal. Gradients do not flow
/// through it.
pub(crate) fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    a.detach().apply_op2_no_bwd(&b.detach(), &Product)
}

struct Product;

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "cpu-matmul"
    }

    fn cpu_fwd(&self, a: &CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let (CpuStorage::F32(a), CpuStorage::F32(b)) = (a, b) else {
            candle_core::bail!("a matrix product on the CPU needs f32 tensors");
        };
        let ([before @ .., m, k], [before_b @ .., k_b, n]) = (la.dims(), lb.dims()) else {
            candle_core::bail!(
                "a matrix product needs two tensors with rows and columns, got the shapes {:?} and {:?}",
                la.dims(),
                lb.dims()
            );
        };
        if before != before_b || k != k_b {
            candle_core::bail!("cannot multiply matrices of the shapes {:?} and {:?}", la.dims(), lb.dims());
        }
        let (m, k, n) = (*m, *k, *n);
        let pairs: usize = before.iter().product();
        let mut y = vec![0f32; pairs * m * n];
        let matrix = |data, layout: &Layout, at: usize| view(data, layout, before, at);
        match pairs {
            _ if y.is_empty() => {}
            1 => multiply_rows((m, n, k), &mut y, false, matrix(a, la, 0), matrix(b, lb, 0)),
            _ => y.par_chunks_mut(m * n).enumerate().for_each(|(at, y)| {
                multiply((m, n, k), y, n, false, matrix(a, la, at), matrix(b, lb, at), 1);
            }),
        }
        Ok((CpuStorage::F32(y), Shape::from([before, &[m, n]].concat())))
    }
}

/// Returns the matrix number `at`, counted in row-major order over the dimensions before the last two.
fn view<'a>(data: &'a [f32], layout: &Layout, before: &[usize], mut at: usize) -> View<'a> {
    let mut start = layout.start_offset();
    for (length, stride) in before.iter().zip(layout.stride()).rev() {
        start += at % length * stride;
        at /= length;
    }
    let [.., row, column] = *layout.stride() else { unreachable!("the shape was checked to have rows and columns") };
    View { data: &data[start.min(data.len())..], row, column }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn check(a: &Tensor, b: &Tensor) {
        let got = matmul(a, b).unwrap();
        // candle misreads the strides of dimensions of length 1.
        let flat = |x: &Tensor| x.contiguous().unwrap().flatten_to(x.rank().max(3) - 3).unwrap();
        let want = flat(a).matmul(&flat(b)).unwrap().reshape(got.shape()).unwrap();
        let error = (got - want).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(error < 1e-4, "{error}");
    }

    #[test]
    fn matrices_of_any_strides() {
        let random = |shape: &[usize]| Tensor::rand(-1f32, 1.0, shape, &Device::Cpu).unwrap();
        check(&random(&[5, 7]), &random(&[7, 3]));
        check(&random(&[300, 7]), &random(&[3, 7]).t().unwrap());
        check(&random(&[2, 3, 5, 7]), &random(&[2, 3, 7, 4]));
        // Queries and keys as an attention takes them from (B, tokens, 3, heads, length).
        let qkv = random(&[2, 6, 3, 4, 8]).permute([2, 0, 3, 1, 4]).unwrap();
        let [q, k] = [0, 1].map(|i| qkv.get(i).unwrap());
        check(&q, &k.t().unwrap());
        // One matrix for the whole batch.
        check(&random(&[4, 5, 7]), &random(&[1, 7, 2]).broadcast_as((4, 7, 2)).unwrap());
        check(&random(&[3, 1, 1, 5, 7]), &random(&[3, 1, 1, 7, 2]));
    }

    #[test]
    fn shapes_that_do_not_match_are_errors() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(matmul(&zeros(&[2, 3]), &zeros(&[2, 3])).is_err());
        assert!(matmul(&zeros(&[2, 3, 4]), &zeros(&[3, 4, 5])).is_err());
        assert_eq!(matmul(&zeros(&[2, 0]), &zeros(&[0, 3])).unwrap().dims(), [2, 3]);
        assert_eq!(matmul(&zeros(&[0, 2, 3]), &zeros(&[0, 3, 3])).unwrap().dims(), [0, 2, 3]);
    }
}

use crate::Activation;
use crate::cpu_gemm::apply;
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// An activation of the sum of two tensors of one shape, in one pass over memory, on the CPU in f32. Not differentiable.
///
/// # Errors
/// From candle.
pub fn add_then(a: &Tensor, b: &Tensor, then: Activation) -> Result<Tensor> {
    /// Elements that stay near between the sum and its activation.
    const CHUNK: usize = 4096;
    if a.dims() != b.dims() {
        candle_core::bail!("a sum of {:?} and {:?}", a.dims(), b.dims());
    }
    apply(&a.detach(), &b.detach(), a.shape(), |a, b| {
        let mut y = vec![0f32; a.len()];
        y.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).zip(b.par_chunks(CHUNK)).for_each(|((y, a), b)| {
            y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = a + b);
            then.in_place(y);
        });
        y
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn equals_the_sum_and_the_activation() -> Result<()> {
        let [a, b] = [0, 1].map(|_| Tensor::rand(-2f32, 2.0, (3, 5000), &Device::Cpu));
        let (a, b) = (a?, b?);
        for then in [Activation::Relu, Activation::Gelu, Activation::Clamp(0.0, 1.0)] {
            let want = then.apply(&(&a + &b)?)?.to_vec2::<f32>()?;
            assert_eq!(add_then(&a, &b, then)?.to_vec2::<f32>()?, want);
        }
        assert!(add_then(&a, &b.narrow(0, 0, 1)?, Activation::Relu).is_err());
        Ok(())
    }
}

use crate::Activation;
use crate::activation::apply_in_place;
use crate::slices::map_slices;
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Returns an activation of the sum of two CPU tensors of one shape, computed in one pass over memory.
///
/// The result has the shape of `a` and `b` and the dtype of `a`, and the bits that the sum and the activation give one after
/// the other in f32. Gradients do not flow through it.
///
/// # Errors
/// Returns an error if the shapes differ or the tensors are not on the CPU.
pub fn add_with_activation(a: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    /// The elements of a task. They stay in the first-level cache between the sum and its activation.
    const CHUNK: usize = 4096;
    if a.dims() != b.dims() {
        candle_core::bail!("cannot add tensors of the shapes {:?} and {:?}", a.dims(), b.dims());
    }
    map_slices(&a.detach(), &b.detach(), a.shape(), |a, b| {
        let mut y = vec![0f32; a.len()];
        y.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK)).zip(b.par_chunks(CHUNK)).for_each(|((y, a), b)| {
            y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = a + b);
            apply_in_place(activation, y);
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
        for activation in [Activation::Relu, Activation::Gelu, Activation::Clamp(0.0, 1.0)] {
            let want = activation.apply(&(&a + &b)?)?.to_vec2::<f32>()?;
            assert_eq!(add_with_activation(&a, &b, activation)?.to_vec2::<f32>()?, want);
        }
        assert!(add_with_activation(&a, &b.narrow(0, 0, 1)?, Activation::Relu).is_err());
        Ok(())
    }
}

//! Attaching gradients to values, and computing them.

use candle_core::backend::BackendStorage;
use candle_core::backprop::GradStore;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, Layout, MetalStorage, Result, Shape, Storage, Tensor, Var,
};
use std::sync::Mutex;

/// Returns the gradient of the sum of `y`'s elements with respect to `x`, in the shape and dtype of `x`.
///
/// `x` must be a variable ([`candle_core::Var`]) that `y` was computed from.
///
/// # Errors
/// Returns an error if `y` does not depend on `x` through differentiable operations. A missing gradient is not a zero.
pub fn gradient(y: &Tensor, x: &Tensor) -> Result<Tensor> {
    find_gradient(&y.backward()?, x)
}

/// Returns the gradients of the sum of `y`'s elements with respect to several variables, in their order. Each has the shape of
/// its variable. One backward pass computes all of them.
///
/// # Errors
/// Returns an error in the cases of [`gradient`].
pub fn gradients<'a>(y: &Tensor, xs: impl IntoIterator<Item = &'a Var>) -> Result<Vec<Tensor>> {
    let all = y.backward()?;
    xs.into_iter().map(|x| find_gradient(&all, x)).collect()
}

fn find_gradient(gradients: &GradStore, x: &Tensor) -> Result<Tensor> {
    match gradients.get(x) {
        Some(gradient) => Ok(gradient.clone()),
        None => candle_core::bail!(
            "no gradient reaches the tensor of shape {:?}: check that it is a variable and that every operation after it is \
             differentiable",
            x.dims()
        ),
    }
}

/// Returns the value `y`, computed from `x`, with the gradient that `backward(x, y, dy) -> dx` computes.
///
/// `backward` receives three tensors without a record: `x`, `y`, and the gradient `dy` in the shape of `y`. It must return a
/// tensor in the shape of `x`. If `x` does not depend on a variable, `y` is returned unchanged.
///
/// # Errors
/// Returns an error if `y` cannot be copied on its device.
pub fn with_gradient<F>(x: &Tensor, y: Tensor, backward: F) -> Result<Tensor>
where
    F: Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
{
    if !x.track_op() {
        return Ok(y);
    }
    x.apply_op1(Attached { value: Value::new(y)?, backward })
}

/// Does the same as [`with_gradient`] for a value computed from two tensors. `backward(a, b, y, dy)` returns `(da, db)`, with
/// `None` for a tensor that is constant.
///
/// # Errors
/// Returns an error if `y` cannot be copied on its device.
pub fn with_gradient2<F>(a: &Tensor, b: &Tensor, y: Tensor, backward: F) -> Result<Tensor>
where
    F: Fn(&Tensor, &Tensor, &Tensor, &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> + Send + Sync + 'static,
{
    if !a.track_op() && !b.track_op() {
        return Ok(y);
    }
    a.apply_op2(b, Attached { value: Value::new(y)?, backward })
}

/// An operation that returns a value computed beforehand. It can run once.
struct Attached<F> {
    value: Value,
    backward: F,
}

/// The value between its computation and the moment when candle records it. It is taken out then, because the record would
/// otherwise keep it in memory twice.
struct Value(Mutex<Option<Tensor>>);

impl Value {
    fn new(y: Tensor) -> Result<Self> {
        Ok(Self(Mutex::new(Some(y.detach().contiguous()?))))
    }

    fn take(&self) -> Result<Tensor> {
        match self.0.lock() {
            Ok(mut value) => {
                value.take().ok_or_else(|| candle_core::Error::Msg("the value has already been taken".into()))
            }
            Err(_) => candle_core::bail!("another thread panicked while this value was taken"),
        }
    }

    fn cpu(&self) -> Result<(CpuStorage, Shape)> {
        let y = self.take()?;
        let (storage, layout) = y.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((copy_elements(storage, layout)?, layout.shape().clone())),
            _ => candle_core::bail!("the value is not on its input's device"),
        }
    }

    fn cuda(&self) -> Result<(CudaStorage, Shape)> {
        let y = self.take()?.force_contiguous()?;
        let (storage, layout) = y.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => candle_core::bail!("the value is not on its input's device"),
        }
    }

    fn metal(&self) -> Result<(MetalStorage, Shape)> {
        let y = self.take()?.force_contiguous()?;
        let (storage, layout) = y.storage_and_layout();
        match &*storage {
            Storage::Metal(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => candle_core::bail!("the value is not on its input's device"),
        }
    }
}

/// Copies the elements of a contiguous layout, which may be a window into a larger storage.
fn copy_elements(storage: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
    let (start, end) = layout.contiguous_offsets().unwrap_or((0, layout.shape().elem_count()));
    Ok(match storage {
        CpuStorage::F32(v) => CpuStorage::F32(v[start..end].to_vec()),
        CpuStorage::F64(v) => CpuStorage::F64(v[start..end].to_vec()),
        CpuStorage::BF16(v) => CpuStorage::BF16(v[start..end].to_vec()),
        CpuStorage::F16(v) => CpuStorage::F16(v[start..end].to_vec()),
        _ => candle_core::bail!("only floating point values have gradients"),
    })
}

impl<F> CustomOp1 for Attached<F>
where
    F: Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Send + Sync,
{
    fn name(&self) -> &'static str {
        "with-gradient"
    }
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.value.cpu()
    }
    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.value.cuda()
    }
    fn metal_fwd(&self, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.value.metal()
    }
    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        (self.backward)(&x.detach(), &y.detach(), &dy.contiguous()?).map(Some)
    }
}

impl<F> CustomOp2 for Attached<F>
where
    F: Fn(&Tensor, &Tensor, &Tensor, &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> + Send + Sync,
{
    fn name(&self) -> &'static str {
        "with-gradient"
    }
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.value.cpu()
    }
    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout, _: &CudaStorage, _: &Layout) -> Result<(CudaStorage, Shape)> {
        self.value.cuda()
    }
    fn metal_fwd(&self, _: &MetalStorage, _: &Layout, _: &MetalStorage, _: &Layout) -> Result<(MetalStorage, Shape)> {
        self.value.metal()
    }
    fn bwd(&self, a: &Tensor, b: &Tensor, y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        (self.backward)(&a.detach(), &b.detach(), &y.detach(), &dy.contiguous()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::device;

    #[test]
    fn a_missing_gradient_is_an_error() -> Result<()> {
        let x = Var::new(&[1f32, 2.], &device())?;
        let unrelated = Var::new(&[3f32], &device())?;
        let error = gradient(&x.sqr()?.sum_all()?, &unrelated).unwrap_err();
        assert!(error.to_string().contains("no gradient reaches"), "{error}");
        Ok(())
    }

    #[test]
    fn the_attached_gradient_is_used() -> Result<()> {
        let x = Var::new(&[1f32, 2.], &device())?;
        // A value that is a window into a larger storage: only the window must be copied.
        let y = Tensor::new(&[0f32, 10., 20., 0.], &device())?.narrow(0, 1, 2)?;
        let y = with_gradient(&x, y, |_, y, dy| dy * y)?;
        assert_eq!(y.to_vec1::<f32>()?, [10., 20.]);
        assert_eq!(gradient(&y.sum_all()?, &x)?.to_vec1::<f32>()?, [10., 20.]);
        Ok(())
    }

    #[test]
    fn nothing_is_recorded_for_constants() -> Result<()> {
        let x = Tensor::new(&[1f32], &device())?;
        assert!(!with_gradient(&x, x.clone(), |_, _, dy| Ok(dy.clone()))?.track_op());
        Ok(())
    }
}

//! Helpers for this crate's tests.

use crate::gradient;
use candle_core::{Device, Result, Shape, Tensor, Var};
use std::sync::OnceLock;

/// Returns the device that the tests run on: the CPU, or the one in `HARD_IMAGENET_DEVICE` (`cuda:0` or `metal`). The same
/// tests cover all devices.
pub(crate) fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let open = || match std::env::var("HARD_IMAGENET_DEVICE").as_deref() {
        Ok("cuda:0") => Device::new_cuda(0).unwrap(),
        Ok("metal") => Device::new_metal(0).unwrap(),
        Ok(other) => panic!("HARD_IMAGENET_DEVICE is {other:?}, expected cuda:0 or metal"),
        Err(_) => Device::Cpu,
    };
    DEVICE.get_or_init(open).clone()
}

/// Returns a tensor of values in [-1, 1) that depend on `word` alone.
pub(crate) fn sample(word: &str, shape: impl Into<Shape>) -> Result<Tensor> {
    let shape = shape.into();
    let mut state =
        word.bytes().fold(0x9E37_79B9_7F4A_7C15u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    let values: Vec<f32> = (0..shape.elem_count())
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f64 / f64::from(1 << 23) - 1.0) as f32
        })
        .collect();
    Tensor::from_vec(values, shape, &device())
}

/// Checks each element of the gradient of Σ r f(x), with r fixed and irregular, against central differences.
pub(crate) fn check_gradient(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
    let r = sample("direction", f(x)?.shape())?;
    let objective = |x: &Tensor| -> Result<Tensor> { (f(x)? * &r)?.sum_all() };
    let var = Var::from_tensor(x)?;
    let got = gradient(&objective(&var)?, &var)?.flatten_all()?.to_vec1::<f32>()?;
    let values = x.flatten_all()?.to_vec1::<f32>()?;
    let step = 1e-2f32;
    let largest = got.iter().fold(0f32, |m, g| m.max(g.abs()));
    assert!(largest > 0.0, "a gradient of zeros tests nothing");
    for i in 0..values.len() {
        let moved_by = |delta: f32| -> Result<f32> {
            let mut moved = values.clone();
            moved[i] += delta;
            objective(&Tensor::from_vec(moved, x.shape(), &device())?)?.to_scalar::<f32>()
        };
        let want = (moved_by(step)? - moved_by(-step)?) / (2.0 * step);
        assert!(
            (got[i] - want).abs() < 3e-3 * largest.max(1.0),
            "element {i}: the gradient is {}, the central difference {want}",
            got[i]
        );
    }
    Ok(())
}

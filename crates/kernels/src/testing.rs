//! Helpers of this crate's tests.

use crate::gradient;
use candle_core::{Device, Result, Shape, Tensor, Var};
use std::sync::OnceLock;

/// Where the tests run: the CPU, or what `HARD_IMAGENET_DEVICE` says (`cuda:0`, `metal`), so that one body tests all.
pub(crate) fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let open = || match std::env::var("HARD_IMAGENET_DEVICE").as_deref() {
        Ok("cuda:0") => Device::new_cuda(0).unwrap(),
        Ok("metal") => Device::new_metal(0).unwrap(),
        Ok(other) => panic!("HARD_IMAGENET_DEVICE is {other:?}: cuda:0 and metal are known"),
        Err(_) => Device::Cpu,
    };
    DEVICE.get_or_init(open).clone()
}

/// Values in [-1, 1) that depend on the seed word only.
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

/// Compares the gradient of Σ r f(x), r fixed and irregular, with central differences, element by element.
pub(crate) fn check_gradient(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
    let r = sample("direction", f(x)?.shape())?;
    let objective = |x: &Tensor| -> Result<Tensor> { (f(x)? * &r)?.sum_all() };
    let var = Var::from_tensor(x)?;
    let got = gradient(&objective(&var)?, &var)?.flatten_all()?.to_vec1::<f32>()?;
    let values = x.flatten_all()?.to_vec1::<f32>()?;
    let step = 1e-2f32;
    let largest = got.iter().fold(0f32, |m, g| m.max(g.abs()));
    assert!(largest > 0.0, "a gradient of zeros proves nothing");
    for i in 0..values.len() {
        let at = |delta: f32| -> Result<f32> {
            let mut moved = values.clone();
            moved[i] += delta;
            objective(&Tensor::from_vec(moved, x.shape(), &device())?)?.to_scalar::<f32>()
        };
        let want = (at(step)? - at(-step)?) / (2.0 * step);
        assert!(
            (got[i] - want).abs() < 3e-3 * largest.max(1.0),
            "element {i}: gradient {} but differences say {want}",
            got[i]
        );
    }
    Ok(())
}

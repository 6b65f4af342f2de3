//! The device of the tests: the CPU, or the one that `HARD_IMAGENET_DEVICE` names (`cuda:0`, `metal`).
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::Device;
use std::sync::OnceLock;

pub(crate) fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let name = || std::env::var("HARD_IMAGENET_DEVICE").unwrap_or_else(|_| "cpu".into());
    DEVICE.get_or_init(|| hard_imagenet_models::device(&name()).unwrap()).clone()
}

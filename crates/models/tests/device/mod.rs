//! Where the tests run: the CPU, or what `HARD_IMAGENET_DEVICE` says (`cuda:0`, `metal`), so that one body tests all.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::Device;
use std::sync::OnceLock;

pub(crate) fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let name = || std::env::var("HARD_IMAGENET_DEVICE").unwrap_or_else(|_| "cpu".into());
    DEVICE.get_or_init(|| hard_imagenet_models::device(&name()).unwrap()).clone()
}

//! The time and memory that loading takes, for a ResNet-50 with generated weights (102 MB):
//!
//!     cargo test --release -p hard-imagenet-models --test load_cost -- --ignored --nocapture
//!
//! This runs on Linux only, because the kernel counts the peak of memory and lets it be reset.
#![allow(clippy::disallowed_macros, reason = "a test may print and read its settings")]

use candle_core::{DType, Device};
use hard_imagenet_models::{Weights, generated, zoo};
use std::time::Instant;

/// Returns the kilobytes of a line such as "VmHWM:    1234 kB".
fn status(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[ignore = "measures: cargo test --release -p hard-imagenet-models --test load_cost -- --ignored --nocapture"]
fn loading_holds_one_copy_of_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resnet50.safetensors");
    generated::write(&zoo::graph("resnet50", 1000).unwrap(), &path).unwrap();
    let megabytes = path.metadata().unwrap().len() as f64 / 1e6;

    let start = Instant::now();
    drop(std::fs::read(&path).unwrap());
    let reading = start.elapsed().as_secs_f64();

    std::fs::write("/proc/self/clear_refs", "5").unwrap(); // resets the peak
    let before = status("VmRSS");
    let start = Instant::now();
    let model = zoo::load("resnet50", &Weights::File(path), &Device::Cpu, DType::F32).unwrap();
    let loading = start.elapsed().as_secs_f64();
    let peak = (status("VmHWM") - before) * 1.024e-3;

    println!("{megabytes:.0} MB: read in {:.0} ms, loaded in {:.0} ms", 1e3 * reading, 1e3 * loading);
    println!("peak {peak:.0} MB, {:.2} times the weights", peak / megabytes);
    assert!(peak < 1.5 * megabytes);
    assert_eq!(model.spec().classes, 1000);
}

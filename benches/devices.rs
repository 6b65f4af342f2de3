//! Times forward passes and GradCAM on a GPU: `HARD_IMAGENET_DEVICE=cuda:0 cargo bench -p hard-imagenet-benches --bench
//! devices --features networks,hard-imagenet/cudnn`.
//!
//! `compare_gpu.py` times PyTorch on the same machine and prints the ratios. Each measurement ends when the device has
//! finished.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads its settings")]

use candle_core::{DType, Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet::models::{Model, Network, device, generated, zoo};
use hard_imagenet::saliency::{Explain, GradCam};
use std::hint::black_box;

const NAMES: [&str; 4] =
    ["resnet50.tv_in1k", "deit_small_patch16_224.fb_in1k", "convnext_tiny.fb_in1k", "efficientnet_b0.ra_in1k"];

fn chosen_device() -> Device {
    device(&std::env::var("HARD_IMAGENET_DEVICE").unwrap_or_else(|_| "auto".into())).expect("an available device")
}

/// Builds a model with generated weights.
fn model(name: &str, device: &Device, dtype: DType) -> Model {
    let graph = zoo::graph(name, 1000).expect("a known name");
    let weights = generated::weights(&graph).expect("weights");
    let spec = zoo::spec(name).expect("a known name");
    Model::new(Network::new(spec, graph, weights, ""), device, dtype).expect("a complete model")
}

fn batch(size: usize, device: &Device) -> Tensor {
    let values: Vec<f32> = (0..size * 3 * 224 * 224).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
    Tensor::from_vec(values, (size, 3, 224, 224), device).expect("as many values as the shape")
}

fn forward(c: &mut Criterion) {
    let device = chosen_device();
    for name in NAMES {
        for (word, dtype) in [("f32", DType::F32), ("bf16", DType::BF16)] {
            let model = model(name, &device, dtype);
            let mut group = c.benchmark_group(format!("{name} {word}"));
            group.sample_size(10);
            for size in [1, 16, 64] {
                let x = batch(size, &device);
                group.throughput(Throughput::Elements(size as u64));
                group.bench_function(BenchmarkId::new("forward", size), |b| {
                    b.iter(|| {
                        let logits = model.forward(black_box(&x)).expect("logits");
                        device.synchronize().expect("a device that answers");
                        logits
                    })
                });
            }
            if dtype == DType::F32 {
                let (x, classes) = (batch(16, &device), [0; 16]);
                group.throughput(Throughput::Elements(16));
                group.bench_function(BenchmarkId::new("gradcam", 16), |b| {
                    b.iter(|| GradCam::default().explain(&model, black_box(&x), &classes).expect("maps"))
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, forward);
criterion_main!(benches);

//! Times explanations: `cargo bench -p hard-imagenet-benches --bench saliency --features networks`.
//!
//! In each group the comparator is one forward pass of the same batch. ScoreCAM and AblationCAM take one pass for each of 2,048
//! channels. They are timed on one image at `maxpool`, which has 64 channels, and compared with as many passes.

use candle_core::{DType, Device, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet::models::{Model, Network, generated, zoo};
use hard_imagenet::saliency::parse;
use std::hint::black_box;

/// Builds the model with generated weights.
fn resnet50() -> Model {
    let name = "resnet50.tv_in1k";
    let graph = zoo::graph(name, 1000).expect("a known name");
    let weights = generated::weights(&graph).expect("weights");
    let spec = zoo::spec(name).expect("a known name");
    Model::new(Network::new(spec, graph, weights, ""), &Device::Cpu, DType::F32).expect("a complete model")
}

fn batch(size: usize) -> Tensor {
    let values: Vec<f32> = (0..size * 3 * 224 * 224).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
    Tensor::from_vec(values, (size, 3, 224, 224), &Device::Cpu).expect("as many values as the shape")
}

/// Times maps of a batch that take one pass.
fn one_pass(c: &mut Criterion) {
    let (model, size) = (resnet50(), 16);
    let (x, classes) = (batch(size), vec![0; size]);
    let mut group = c.benchmark_group("16 images, resnet50");
    group.sample_size(10).throughput(Throughput::Elements(size as u64));
    group.bench_function("one forward", |b| b.iter(|| model.forward(black_box(&x)).expect("logits")));
    for word in ["gradcam", "hirescam", "gradcam++", "xgradcam", "layercam", "eigencam"] {
        let explainer = parse(word).expect("a known word");
        group.bench_function(word, |b| b.iter(|| explainer.explain(&model, black_box(&x), &classes).expect("maps")));
    }
    group.finish();
}

/// Times maps of one image that take a pass for each channel.
fn many_passes(c: &mut Criterion) {
    const CHANNELS: usize = 64;
    let model = resnet50();
    let (x, sixteen) = (batch(1), batch(16));
    let mut group = c.benchmark_group("1 image from maxpool, resnet50");
    group.sample_size(10).throughput(Throughput::Elements(CHANNELS as u64));
    group.bench_function("64 forwards", |b| {
        b.iter(|| (0..CHANNELS / 16).for_each(|_| drop(model.forward(black_box(&sixteen)).expect("logits"))));
    });
    for word in ["scorecam:maxpool", "ablationcam:maxpool"] {
        let explainer = parse(word).expect("a known word");
        group.bench_function(word, |b| b.iter(|| explainer.explain(&model, black_box(&x), &[0]).expect("maps")));
    }
    group.finish();
}

criterion_group!(benches, one_pass, many_passes);
criterion_main!(benches);

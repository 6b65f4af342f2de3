//! Times forward passes and GradCAM: `cargo bench -p hard-imagenet-benches --bench models --features networks`.
//!
//! The comparator is the same network in `candle-transformers` with the same weights. Both must agree before anything is
//! timed. `compare_cpu.py` compares forward passes with torch, ONNX Runtime and OpenVINO; it does not need this benchmark.

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{resnet, vit};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet::graph::WeightMap;
use hard_imagenet::models::{Model, Weights, generated, zoo};
use hard_imagenet::saliency::{Explain, GradCam};
use std::collections::HashMap;
use std::hint::black_box;

/// Returns our model with generated weights, and the tensors for the comparator.
fn load(name: &str) -> (Model, WeightMap) {
    let graph = zoo::graph(name, 1000).expect("a known name");
    let folder = std::env::temp_dir().join("hard-imagenet-benches");
    std::fs::create_dir_all(&folder).expect("a writable temporary folder");
    let file = folder.join(format!("{name}.safetensors"));
    generated::write(&graph, &file).expect("a writable temporary folder");
    let model = zoo::load(name, &Weights::File(file.clone()), &Device::Cpu, DType::F32).expect("a complete file");
    let tensors = candle_core::safetensors::load(&file, &Device::Cpu).expect("a complete file");
    (model, tensors.into_iter().collect())
}

fn batch(size: usize) -> Tensor {
    let values: Vec<f32> = (0..size * 3 * 224 * 224).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
    Tensor::from_vec(values, (size, 3, 224, 224), &Device::Cpu).expect("as many values as the shape")
}

fn agree(ours: &Tensor, theirs: &Tensor) {
    let difference = (ours - theirs).and_then(|d| d.abs()?.max_all()?.to_scalar::<f32>()).expect("logits of one shape");
    let scale = theirs.abs().and_then(|x| x.max_all()?.to_scalar::<f32>()).expect("logits");
    assert!(difference < 1e-3 * scale, "not the same network: {difference} of {scale}");
}

fn forward(c: &mut Criterion, name: &str, theirs: impl Fn(WeightMap) -> Box<dyn Fn(&Tensor) -> Tensor>) {
    let (model, tensors) = load(name);
    let theirs = theirs(tensors);
    let mut group = c.benchmark_group(format!("forward {name}"));
    group.sample_size(10);
    for size in [1, 8] {
        let x = batch(size);
        agree(&model.forward(&x).expect("logits"), &theirs(&x));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("ours", size), |b| {
            b.iter(|| model.forward(black_box(&x)).expect("logits"))
        });
        group.bench_function(BenchmarkId::new("candle-transformers", size), |b| b.iter(|| theirs(black_box(&x))));
    }
    group.finish();
}

fn resnet50(c: &mut Criterion) {
    forward(c, "resnet50.tv_in1k", |tensors| {
        let network =
            resnet::resnet50(1000, VarBuilder::from_tensors(tensors.into_iter().collect(), DType::F32, &Device::Cpu))
                .expect("all weights");
        Box::new(move |x| network.forward(x).expect("logits"))
    });
}

fn deit_small(c: &mut Criterion) {
    // DeiT without distillation is a ViT with different weights.
    forward(c, "deit_small_patch16_224.fb_in1k", |tensors| {
        let config = vit::Config {
            hidden_size: 384,
            num_hidden_layers: 12,
            num_attention_heads: 6,
            intermediate_size: 1536,
            hidden_act: candle_nn::Activation::Gelu,
            layer_norm_eps: 1e-6,
            image_size: 224,
            patch_size: 16,
            num_channels: 3,
            qkv_bias: true,
        };
        let network = vit::Model::new(
            &config,
            1000,
            VarBuilder::from_tensors(rename_for_transformers(tensors), DType::F32, &Device::Cpu),
        );
        let network = network.expect("all weights");
        Box::new(move |x| network.forward(x).expect("logits"))
    });
}

/// Renames tensors from timm's names to those of Hugging Face, and splits the joint projection of query, key and value.
fn rename_for_transformers(tensors: WeightMap) -> HashMap<String, Tensor> {
    let outer = [
        ("cls_token", "vit.embeddings.cls_token"),
        ("pos_embed", "vit.embeddings.position_embeddings"),
        ("patch_embed.proj", "vit.embeddings.patch_embeddings.projection"),
        ("norm.", "vit.layernorm."),
        ("head.", "classifier."),
    ];
    let inner = [
        ("norm1.", "layernorm_before."),
        ("norm2.", "layernorm_after."),
        ("attn.proj.", "attention.output.dense."),
        ("mlp.fc1.", "intermediate.dense."),
        ("mlp.fc2.", "output.dense."),
    ];
    let mut renamed = HashMap::new();
    for (name, tensor) in tensors {
        if let Some((block, rest)) = name.strip_prefix("blocks.").and_then(|name| name.split_once('.')) {
            let layer = format!("vit.encoder.layer.{block}.");
            if let Some(kind) = rest.strip_prefix("attn.qkv.") {
                let parts = tensor.chunk(3, 0).expect("three parts");
                for (part, tensor) in ["query", "key", "value"].into_iter().zip(parts) {
                    renamed.insert(format!("{layer}attention.attention.{part}.{kind}"), tensor);
                }
            } else if let Some((timm, theirs)) = inner.into_iter().find(|(timm, _)| rest.starts_with(timm)) {
                renamed.insert(format!("{layer}{theirs}{}", &rest[timm.len()..]), tensor);
            }
        } else if let Some((timm, theirs)) = outer.into_iter().find(|(timm, _)| name.starts_with(timm)) {
            renamed.insert(format!("{theirs}{}", &name[timm.len()..]), tensor);
        }
    }
    renamed
}

fn gradcam(c: &mut Criterion) {
    let mut group = c.benchmark_group("gradcam");
    group.sample_size(10);
    let size = 8;
    let x = batch(size);
    for name in ["resnet50.tv_in1k", "deit_small_patch16_224.fb_in1k"] {
        let (model, _) = load(name);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("ours", name), |b| {
            b.iter(|| GradCam::default().explain(&model, black_box(&x), &[0; 8]).expect("maps"));
        });
        // GradCAM cannot be cheaper than this.
        group.bench_function(BenchmarkId::new("one forward", name), |b| {
            b.iter(|| model.forward(black_box(&x)).expect("logits"))
        });
    }
    group.finish();
}

criterion_group!(benches, resnet50, deit_small, gradcam);
criterion_main!(benches);

//! Full-size networks compared with reference data: logits, features and GradCAM of torchvision, timm and
//! pytorch-grad-cam with generated weights. The data is too large for the repository. The tolerances are ten to twenty
//! times the reference's own f32 error.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

#[path = "../../models/tests/device/mod.rs"]
mod device;

use candle_core::{DType, Tensor};
use device::device;
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::{Model, Network, generated, zoo};
use hard_imagenet_saliency::GradCam;
use std::collections::HashMap;
use std::path::PathBuf;

fn folder() -> PathBuf {
    let folder =
        std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names the reference folder");
    PathBuf::from(folder).join("models")
}

fn read(file: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(folder().join(file), &device()).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn largest(values: impl IntoIterator<Item = f32>) -> f32 {
    values.into_iter().fold(0f32, |m, v| m.max(v.abs()))
}

fn standard_deviation(values: &[f32]) -> f32 {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt()
}

fn check(what: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let error = largest(got.iter().zip(want).map(|(a, b)| a - b));
    assert!(error <= tolerance, "{what}: {error:e}, allowed {tolerance:e}");
    println!("{what}: {error:e}, allowed {tolerance:e}");
}

fn maps(tensor: &Tensor, image: usize) -> Vec<f32> {
    values(&tensor.get(image).unwrap())
}

/// The two images of the reference, stored as (H, W, 3) bytes.
fn images() -> Vec<Pixels> {
    let bytes = &read("inputs.safetensors")["x_u8"];
    let planes = bytes.permute((0, 3, 1, 2)).unwrap().to_dtype(DType::F32).unwrap().affine(1.0 / 255.0, 0.0).unwrap();
    (0..2).map(|i| Pixels::from_vec(224, 224, values(&planes.get(i).unwrap())).unwrap()).collect()
}

fn check_model(key: &str, name: &str) {
    let golden = read(&format!("{key}.safetensors"));
    let about: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder().join(format!("{key}.json"))).unwrap()).unwrap();
    let targets: Vec<u32> = about["targets"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect();
    let graph = zoo::graph(name, 1000).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let spec = zoo::spec(name).unwrap();
    let model = Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap();

    let raw_input = model.batch(&images()).unwrap();
    let x = model.normalize(&raw_input).unwrap();
    let compare = |x: &Tensor, suffix: &str| {
        let (logits, explanations) = GradCam::default().explain_with_logits(&model, x, &targets).unwrap();
        if let Some(want) = golden.get(&format!("logits{suffix}")) {
            let want = values(want);
            check(&format!("{key} logits{suffix}"), &values(&logits), &want, 1e-4 * standard_deviation(&want));
        }
        for (image, explanation) in explanations.iter().enumerate() {
            let one = |part: &str, got: &Heatmap, tolerance: &dyn Fn(&[f32]) -> f32| {
                let part = format!("{part}{suffix}");
                let Some(want) = golden.get(&part) else { return };
                let want = maps(want, image);
                check(&format!("{key} {part} {image}"), got.as_slice(), &want, tolerance(&want));
            };
            one("gradcam_raw", &explanation.raw, &|want| 1e-4 * largest(want.iter().copied()));
            one("gradcam", &explanation.map, &|_| 1e-4);
        }
    };
    compare(&x, "");
    compare(&raw_input, "_unnormalised_input");
    let want = values(&golden["features"]);
    check(&format!("{key} features"), &values(&model.features(&x).unwrap()), &want, 1e-4 * standard_deviation(&want));
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-saliency --test reference -- --ignored"]
fn resnet18() {
    check_model("resnet18", "resnet18");
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-saliency --test reference -- --ignored"]
fn resnet50() {
    check_model("resnet50", "resnet50");
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-saliency --test reference -- --ignored"]
fn deit_small() {
    check_model("deit_small", "deit_small_patch16_224");
}

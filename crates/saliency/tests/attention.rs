//! Attention rollout and gradient-weighted attention, compared with implementations in torch that use whole matrices
//! (`golden/make_attention.py`), for tokens of every kind and for an imported network.

#[path = "../../models/tests/device/mod.rs"]
mod device;

use candle_core::{DType, Tensor};
use device::device;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, Model, ModelSpec, Network, generated, onnx, zoo};
use hard_imagenet_saliency::{Explanation, parse};
use std::collections::HashMap;
use std::path::Path;

fn model(architecture: &dyn Architecture) -> Model {
    let graph = architecture.graph(10).unwrap();
    let (cam_node, feature_node) = (architecture.cam_node(), architecture.feature_node());
    let spec = ModelSpec { classes: 10, cam_node, feature_node, ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn vit(variant: Variant) -> Model {
    model(&VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant })
}

fn input() -> Tensor {
    let shape = [2, 3, 32, 32];
    Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap()
}

fn golden() -> HashMap<String, Tensor> {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/attention.safetensors"), &device());
    golden.unwrap()
}

/// Compares raw maps to 1e-4 of their largest value.
fn check(network: &str, model: &Model, x: &Tensor, classes: [u32; 2]) {
    for word in ["rollout", "attention"] {
        let explanations = parse(word).unwrap().explain(model, x, &classes).unwrap();
        let want = &golden()[&format!("{network}.{word}")];
        let size = (explanations[0].raw.height(), explanations[0].raw.width());
        assert_eq!(want.dims(), [2, size.0, size.1], "{network} {word}");
        let want = want.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let got = explanations.iter().flat_map(|one: &Explanation| one.raw.as_slice());
        let largest = want.iter().fold(0f32, |m, v| m.max(v.abs()));
        let error = got.zip(&want).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(error < 1e-4 * largest, "{network} {word}: {error} of {largest}");
        let map = &explanations[1].map;
        assert_eq!((map.height(), map.width()), (x.dims()[2], x.dims()[3]), "{network} {word}");
        assert!(map.as_slice().iter().all(|v| (0.0..=1.0).contains(v)), "{network} {word}");
    }
}

#[test]
fn vision_transformers_agree_with_torch() {
    check("vit", &vit(Variant::Plain), &input(), [3, 7]);
    check("distilled", &vit(Variant::Distilled), &input(), [3, 7]);
    check("dinov2_reg4", &vit(Variant::DinoV2 { registers: 4, mean: false }), &input(), [3, 7]);
    check("clip_quickgelu", &vit(Variant::Clip { quick_gelu: true }), &input(), [3, 7]);
}

#[test]
fn an_imported_vision_transformer_agrees_with_torch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden");
    let x = &candle_core::safetensors::load(folder.join("golden.safetensors"), &device()).unwrap()["vit.x"];
    let model = onnx::load(&folder.join("vit_old_any.onnx"), None, &device(), DType::F32).unwrap();
    check("onnx", &model, x, [1, 2]);
}

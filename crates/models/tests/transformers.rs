//! Small transformers against timm: `golden/make_transformers.py` made the values, weights and inputs are generated.

use candle_core::{DType, Device, Tensor, Var};
use hard_imagenet_models::{ConVit, Graph, Model, ModelSpec, SwinTransformer, Variant, VisionTransformer};
use hard_imagenet_models::{generated, zoo};
use std::collections::HashMap;

fn model(graph: Graph, cam_node: &str, feature_node: &str) -> Model {
    let (cam_node, feature_node) = (cam_node.into(), feature_node.into());
    let spec = ModelSpec { classes: 10, cam_node, feature_node, ..zoo::spec("vit_tiny_patch16_224").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(spec, &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap()
}

fn vit(variant: Variant) -> Model {
    let vit = VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant };
    model(vit.graph(10).unwrap(), "blocks.1.norm1", "global_pool")
}

fn swin() -> Model {
    let swin = SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] };
    model(swin.graph(10).unwrap(), "layers.2.blocks.1.norm1", "head.global_pool")
}

fn convit() -> Model {
    let convit = ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 };
    model(convit.graph(10).unwrap(), "blocks.2.norm1", "global_pool")
}

fn all() -> [(&'static str, Model); 7] {
    [
        ("distilled", vit(Variant::Distilled)),
        ("dinov2", vit(Variant::DinoV2 { registers: 0 })),
        ("dinov2_reg4", vit(Variant::DinoV2 { registers: 4 })),
        ("clip", vit(Variant::Clip { quick_gelu: false })),
        ("clip_quickgelu", vit(Variant::Clip { quick_gelu: true })),
        ("swin", swin()),
        ("convit", convit()),
    ]
}

fn input() -> Tensor {
    let shape = [2, 3, 32, 32];
    Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
}

/// Sum of the logits of class 3.
fn decision(model: &Model, x: &Tensor) -> Tensor {
    model.forward(x).unwrap().narrow(1, 3, 1).unwrap().sum_all().unwrap()
}

fn input_gradient(model: &Model, x: &Tensor) -> Vec<f32> {
    let x = Var::from_tensor(x).unwrap();
    let gradients = decision(model, x.as_tensor()).backward().unwrap();
    gradients.get(&x).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Largest difference, and largest golden value.
fn compare(got: &[f32], want: &[f32]) -> (f32, f32) {
    assert_eq!(got.len(), want.len());
    let error = got.iter().zip(want).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    (error, want.iter().fold(0f32, |m, v| m.max(v.abs())))
}

/// Errors below 1e-4 of the golden values' deviation, which is ten to twenty times f32's own error.
fn check(got: &Tensor, want: &Tensor, what: &str) {
    assert_eq!(got.dims(), want.dims(), "{what}");
    let [got, want] = [got, want].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    let mean = want.iter().sum::<f32>() / want.len() as f32;
    let deviation = (want.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / want.len() as f32).sqrt();
    let (error, _) = compare(&got, &want);
    assert!(error < 1e-4 * deviation, "{what}: {error}, deviation {deviation}");
}

#[test]
fn logits_features_and_gradients_are_timms() {
    let bytes = include_bytes!("golden/transformers.safetensors");
    let golden: HashMap<String, Tensor> = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).unwrap();
    let x = input();
    for (name, model) in all() {
        let want = |part: &str| &golden[&format!("{name}.{part}")];
        check(&model.forward(&x).unwrap(), want("logits"), &format!("{name} logits"));
        check(&model.features(&x).unwrap(), want("features"), &format!("{name} features"));
        let got: Vec<f32> = input_gradient(&model, &x).into_iter().step_by(97).collect();
        let (error, largest) = compare(&got, &want("gradient").to_vec1::<f32>().unwrap());
        assert!(error < 1e-3 * largest, "{name} gradient: {error} of {largest}");
    }
}

#[test]
fn head_after_trunk_is_forward_at_every_node() {
    let x = input();
    for (name, model) in all() {
        let want = model.forward(&x).unwrap().to_vec2::<f32>().unwrap();
        for node in model.nodes() {
            let cut = model.cut(&node.name).unwrap();
            let value = model.trunk(&cut, &x).unwrap();
            let got = model.head(&cut, &value).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(got, want, "{name}: {}", node.name);
        }
    }
}

/// The difference of two forward passes along the gradient is the gradient's square.
#[test]
fn gradients_are_finite_differences() {
    let x = input();
    for (name, model) in all() {
        let gradient = Tensor::from_vec(input_gradient(&model, &x), x.dims(), &Device::Cpu).unwrap();
        let square = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        let step = 0.05 / square.sqrt();
        let at = |step: f32| {
            let x = (&x + (&gradient * f64::from(step)).unwrap()).unwrap();
            decision(&model, &x).to_scalar::<f32>().unwrap()
        };
        let slope = (at(step) - at(-step)) / (2.0 * step);
        assert!((slope - square).abs() < 0.01 * square, "{name}: {slope} instead of {square}");
    }
}

/// Values have their rows and columns where the picture has: a change of one corner stays in the first window, of 4 × 4
/// patches, and in the windows shifted by 2 which that meets.
#[test]
fn windows_are_where_the_picture_has_them() {
    let x = input();
    let corner = x.narrow(2, 0, 2).unwrap().narrow(3, 0, 2).unwrap();
    let changed = x.slice_assign(&[0..2, 0..3, 0..2, 0..2], &(corner + 0.5).unwrap()).unwrap();
    let model = swin();
    for (node, reach) in [("patch_embed", 1), ("layers.0.blocks.0", 4), ("layers.0.blocks.1", 6)] {
        let layout = model.graph().node(model.graph().find(node).unwrap()).layout;
        let places = |x: &Tensor| layout.places(&model.value(node, x).unwrap()).unwrap().unwrap();
        let (before, after) = (places(&x), places(&changed));
        let moved = (after.values - before.values).unwrap().abs().unwrap().sum(2).unwrap().to_vec2::<f32>().unwrap();
        for (place, moved) in moved[0].iter().enumerate() {
            let (row, column) = (place / before.w, place % before.w);
            assert_eq!(*moved > 0.0, row < reach && column < reach, "{node}: row {row}, column {column}");
        }
    }
}

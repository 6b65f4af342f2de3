//! Explainers of the whole network, and faithfulness, compared with captum, pytorch-grad-cam and implementations in
//! torch (`golden/make_gradients.py`). Weights, inputs and maps are numbers generated from names.

#[path = "../../models/tests/device/mod.rs"]
mod device;

use candle_core::{DType, Tensor};
use device::device;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::families::convit::ConVit;
use hard_imagenet_models::families::resnet::{Block, ResNet, Stem};
use hard_imagenet_models::families::swin::SwinTransformer;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, Model, ModelSpec, Network, generated, onnx, zoo};
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_saliency::{
    Attention, Explain, ExplainRequest, Explanation, Faithfulness, Gradient, IntegratedGradients, Rise, Road, Rollout,
    SmoothGrad, parse,
};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

const CLASSES: [u32; 2] = [3, 7];
const KEYS: [NoiseKey; 2] = [NoiseKey(0), NoiseKey(1)];

fn model(architecture: &dyn Architecture) -> Model {
    let graph = architecture.graph(10).unwrap();
    let (cam_node, feature_node) = (architecture.cam_node(), architecture.feature_node());
    let spec = ModelSpec { classes: 10, cam_node, feature_node, ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn resnet() -> Model {
    let stages = &[(64, 1), (128, 1), (256, 1), (512, 1)];
    model(&ResNet { stem: Stem::ImageNet, stem_width: 64, block: Block::Basic, stages })
}

fn vit(variant: Variant) -> Model {
    model(&VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant })
}

fn swin() -> Model {
    model(&SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] })
}

fn generated(name: &str, shape: &[usize]) -> Tensor {
    Tensor::from_vec(generated::values(name, shape), shape, &device()).unwrap()
}

fn input() -> Tensor {
    generated("input", &[2, 3, 32, 32])
}

fn golden() -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(include_bytes!("golden/gradients.safetensors"), &device()).unwrap()
}

fn explain(explainer: &dyn Explain, model: &Model) -> Vec<Explanation> {
    let progress = &mut |_, _| ControlFlow::Continue(());
    let request = ExplainRequest { model, x: &input(), classes: &CLASSES, keys: &KEYS, progress };
    explainer.explain_request(request).unwrap_or_else(|e| panic!("{}: {e}", explainer.id()))
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Compares values to `tolerance` of the largest one.
fn assert_agreement(case: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{case}");
    let largest = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    let error = got.iter().zip(want).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(error <= tolerance * largest, "{case}: {error} of {largest}");
}

fn check(network: &str, model: &Model, explainer: &dyn Explain) {
    let case = format!("{network}.{}", explainer.id());
    let want = &golden()[&case];
    // At one of the 50 points of the second image, a ReLU is within rounding of its corner, and the order of summation
    // decides on which side. The gradients at the other 49 points agree to 1e-6.
    let tolerance = if case == "resnet.integrated-gradients" { 2e-3 } else { 1e-4 };
    for (image, explanation) in explain(explainer, model).iter().enumerate() {
        let want = want.get(image).unwrap();
        assert_eq!(want.dims(), [explanation.raw.height(), explanation.raw.width()], "{case}");
        assert_agreement(&case, explanation.raw.as_slice(), &values(&want), tolerance);
        assert_eq!((explanation.map.height(), explanation.map.width()), (32, 32), "{case}");
        assert!(explanation.map.as_slice().iter().all(|v| (0.0..=1.0).contains(v)), "{case}");
    }
}

fn check_all(network: &str, model: &Model) {
    for word in ["gradient", "gradient-x-input", "integrated-gradients"] {
        check(network, model, &*parse(word).unwrap());
    }
    // Batches that do not divide the number of copies and masks.
    check(network, model, &SmoothGrad { copies: 5, batch_size: 3, ..SmoothGrad::default() });
    check(network, model, &Rise { masks: 12, batch_size: 5, ..Rise::default() });
}

#[test]
fn explainers_agree_in_a_residual_network() {
    check_all("resnet", &resnet());
}

#[test]
fn explainers_agree_in_a_vision_transformer() {
    check_all("vit", &vit(Variant::Plain));
}

#[test]
fn explainers_agree_in_a_swin_transformer() {
    check_all("swin", &swin());
}

#[test]
fn attention_agrees_where_the_head_reads_one_token_or_two() {
    for (network, variant) in [("vit", Variant::Plain), ("distilled", Variant::Distilled)] {
        check(network, &vit(variant), &Rollout);
        check(network, &vit(variant), &Attention);
    }
}

/// Attention is also found in networks with registers and with CLIP's first norm.
#[test]
fn attention_of_other_vision_transformers() {
    for variant in [Variant::DinoV2 { registers: 4, mean: false }, Variant::Clip { quick_gelu: true }] {
        for explanation in explain(&Rollout, &vit(variant)).iter().chain(&explain(&Attention, &vit(variant))) {
            assert_eq!((explanation.raw.height(), explanation.raw.width()), (4, 4));
            assert!(explanation.raw.as_slice().iter().any(|v| *v > 0.0));
        }
    }
}

#[test]
fn networks_without_global_attention_are_refused() {
    let check = |model: &Model, part: &str| {
        let rollout = Rollout.explain(model, &input(), &CLASSES).unwrap_err().to_string();
        let attention = Attention.explain(model, &input(), &CLASSES).unwrap_err().to_string();
        assert!(rollout == attention && rollout.contains(part), "{rollout}");
        assert!(rollout.contains("needs a transformer whose tokens all attend to each other"), "{rollout}");
    };
    check(&resnet(), "it has no tokens");
    check(&swin(), "it has no tokens");
    check(&model(&ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 }), "not over all 17 tokens");
}

/// An imported network is a graph like any other, so its gradients and softmaxes are found without names.
#[test]
fn imported_networks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden");
    let golden = candle_core::safetensors::load(folder.join("golden.safetensors"), &device()).unwrap();
    let model = onnx::load(&folder.join("vit_old_any.onnx"), None, &device(), DType::F32).unwrap();
    for word in ["gradient", "rollout", "attention"] {
        let maps = parse(word).unwrap().explain(&model, &golden["vit.x"], &[1, 2]).unwrap();
        assert!(maps.iter().all(|one| one.raw.as_slice().iter().any(|v| *v > 0.0)), "{word}");
    }
}

/// The attributions add up to the difference of the logit from the baseline, to within a share of the sum of
/// magnitudes. The error comes from ReLUs that switch between two steps.
#[test]
fn integrated_gradients_are_complete() {
    let check = |model: &Model, tolerance: f32| {
        let logit = |x: &Tensor, image: usize| {
            model.forward(x).unwrap().get(image).unwrap().to_vec1::<f32>().unwrap()[CLASSES[image] as usize]
        };
        let baseline = input().zeros_like().unwrap();
        for (image, one) in explain(&IntegratedGradients::default(), model).iter().enumerate() {
            let gained = logit(&input(), image) - logit(&baseline, image);
            let sum: f32 = one.raw.as_slice().iter().sum();
            let moved: f32 = one.raw.as_slice().iter().map(|v| v.abs()).sum();
            assert!((sum - gained).abs() < tolerance * moved, "{sum}, not {gained}, of {moved}");
        }
    };
    check(&vit(Variant::Plain), 1e-5);
    check(&resnet(), 3e-3);
}

#[test]
fn gradients_in_bf16_are_close_to_those_in_f32() {
    let graph = VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant: Variant::Plain };
    let graph = graph.graph(10).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let spec =
        ModelSpec { classes: 10, cam_node: "blocks.1.norm1".into(), ..zoo::spec("deit_tiny_patch16_224").unwrap() };
    let half = Model::new(Network::new(spec, graph, weights, ""), &device(), DType::BF16).unwrap();
    for explainer in [&Gradient as &dyn Explain, &Attention] {
        let whole = explain(explainer, &vit(Variant::Plain));
        for (got, want) in explain(explainer, &half).iter().zip(&whole) {
            assert_agreement(&explainer.id(), got.raw.as_slice(), want.raw.as_slice(), 0.1);
        }
    }
}

fn maps() -> Vec<Heatmap> {
    let maps = generated("map", &[2, 32, 32]);
    (0..2)
        .map(|i| Heatmap::from_vec(32, 32, values(&maps.get(i).unwrap().affine(1.0, 0.5).unwrap())).unwrap())
        .collect()
}

fn check_faithfulness(network: &str, model: &Model) {
    let (golden, maps) = (golden(), maps());
    let measure = Faithfulness { steps: 20, batch_size: 6, ..Faithfulness::default() };
    let road = Road { noise: 0.0, batch_size: 5, ..Road::default() };
    for (image, (&class, map)) in CLASSES.iter().zip(&maps).enumerate() {
        let x = input().narrow(0, image, 1).unwrap();
        let check = |word: &str, got: &[f32]| {
            let case = format!("{network}.{image}.{word}");
            assert_agreement(&case, got, &values(&golden[&case]), 1e-4);
        };
        check("deletion", &measure.deletion(model, &x, class, map).unwrap().unwrap().scores);
        check("insertion", &measure.insertion(model, &x, class, map).unwrap().unwrap().scores);
        let scores = road.scores(model, &x, class, map, KEYS[image]).unwrap().unwrap();
        check("road_most", &scores.most_relevant_first);
        check("road_least", &scores.least_relevant_first);
    }
}

#[test]
fn faithfulness_in_a_residual_network() {
    check_faithfulness("resnet", &resnet());
}

#[test]
fn faithfulness_in_a_vision_transformer() {
    check_faithfulness("vit", &vit(Variant::Plain));
}

#[test]
fn a_map_that_orders_nothing_has_no_score() {
    let (model, x) = (vit(Variant::Plain), input().narrow(0, 0, 1).unwrap());
    let check = |map: Heatmap| {
        assert_eq!(Faithfulness::default().deletion(&model, &x, 3, &map).unwrap(), None);
        assert_eq!(Road::default().scores(&model, &x, 3, &map, KEYS[0]).unwrap(), None);
    };
    check(Heatmap::from_vec(32, 32, vec![0.5; 1024]).unwrap());
    check(Heatmap::from_vec(32, 32, (0..1024).map(|i| if i == 9 { f32::NAN } else { i as f32 }).collect()).unwrap());
    let error = Faithfulness::default().insertion(&model, &x, 3, &Heatmap::from_vec(4, 4, vec![0.0; 16]).unwrap());
    assert!(error.unwrap_err().to_string().contains("a map of 4 × 4"));
}

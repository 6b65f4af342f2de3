//! GradCAM compared with torch's gradients (the scripts of `crates/models/tests/golden`), and the CAM family compared
//! with pytorch-grad-cam (`golden/make_cams.py`). Weights and inputs are numbers generated from names.

#[path = "../../models/tests/device/mod.rs"]
mod device;
#[path = "../../models/tests/small/mod.rs"]
mod small;

use candle_core::{DType, Tensor};
use device::device;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::families::convit::ConVit;
use hard_imagenet_models::families::resnet::{Block, ResNet, Stem};
use hard_imagenet_models::families::swin::SwinTransformer;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, Model, ModelSpec, Network, generated, onnx, zoo};
use hard_imagenet_saliency::{Explain, Explanation, GradCam, HiResCam, parse};
use std::collections::HashMap;
use std::path::Path;

/// A network with ten classes and generated weights, explained at the node that is usual for its family.
fn model(architecture: &dyn Architecture) -> Model {
    amplified_model(architecture, 1.0)
}

/// The same network with the weights of convolutions multiplied by `gain`.
fn amplified_model(architecture: &dyn Architecture, gain: f64) -> Model {
    let graph = architecture.graph(10).unwrap();
    let (cam_node, feature_node) = (architecture.cam_node(), architecture.feature_node());
    let spec = ModelSpec { classes: 10, cam_node, feature_node, ..zoo::spec("resnet18").unwrap() };
    let mut weights = generated::weights(&graph).unwrap();
    for weight in weights.values_mut().filter(|weight| weight.rank() == 4) {
        *weight = weight.affine(gain, 0.0).unwrap();
    }
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn resnet(block: Block, stages: &'static [(usize, usize)]) -> Model {
    model(&ResNet { stem: Stem::ImageNet, stem_width: 64, block, stages })
}

fn basic() -> Model {
    resnet(Block::Basic, &[(64, 1), (128, 1), (256, 1), (512, 1)])
}

fn vit(variant: Variant) -> VisionTransformer {
    VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant }
}

fn swin() -> SwinTransformer {
    SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

fn input(height: usize, width: usize) -> Tensor {
    let shape = [2, 3, height, width];
    Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap()
}

/// Compares raw maps to 1e-4 of their largest value, and final maps to 1e-4.
fn assert_agreement(case: &str, explanations: &[Explanation], golden: &HashMap<String, Tensor>) {
    let compare = |part: &str, image: usize, got: &Heatmap, tolerance: &dyn Fn(f32) -> f32| {
        let want = golden[&format!("{case}.{part}")].get(image).unwrap();
        assert_eq!(want.dims(), [got.height(), got.width()], "{case} {part}");
        let want = want.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let errors: Vec<f32> = got.as_slice().iter().zip(&want).map(|(a, b)| a - b).collect();
        let (error, allowed) = (largest(&errors), tolerance(largest(&want)));
        assert!(error < allowed, "{case} {part} {image}: {error}, allowed {allowed}");
    };
    for (image, explanation) in explanations.iter().enumerate() {
        compare("raw", image, &explanation.raw, &|largest| 1e-4 * largest);
        compare("map", image, &explanation.map, &|_| 1e-4);
    }
}

fn check(case: &str, model: &Model, node: Option<&str>, (height, width): (usize, usize), classes: [u32; 2]) {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/gradcam.safetensors"), &device());
    let gradcam = GradCam { node: node.map(str::to_owned) };
    assert_agreement(case, &gradcam.explain(model, &input(height, width), &classes).unwrap(), &golden.unwrap());
}

#[test]
fn residual_networks() {
    check("basic", &basic(), None, (64, 64), [3, 7]);
    check("bottleneck", &resnet(Block::Bottleneck, &[(64, 1), (128, 1), (256, 2), (512, 1)]), None, (64, 64), [0, 9]);
}

#[test]
fn an_inner_stage_of_an_image_that_no_stride_divides() {
    check("odd", &basic(), Some("layer2"), (45, 38), [3, 7]);
}

#[test]
fn vision_transformers() {
    check("vit", &model(&vit(Variant::Plain)), None, (32, 32), [3, 7]);
    check("vit_early", &model(&vit(Variant::Plain)), Some("blocks.0.norm2"), (32, 32), [3, 7]);
}

/// Compares raw maps of class 3 at the usual node of the family.
fn check_raw(golden: &[u8], name: &str, model: &Model, (height, width): (usize, usize), places: [usize; 2]) {
    let golden = candle_core::safetensors::load_buffer(golden, &device()).unwrap();
    let explanations = GradCam::default().explain(model, &input(height, width), &[3, 3]).unwrap();
    let want = &golden[&format!("{name}.raw")];
    assert_eq!(want.dims(), [2, places[0], places[1]], "{name}");
    let got: Vec<f32> = explanations.iter().flat_map(|e| e.raw.as_slice().to_vec()).collect();
    let want = want.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let errors: Vec<f32> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
    assert!(largest(&errors) < 1e-4 * largest(&want), "{name}: {} of {}", largest(&errors), largest(&want));
}

/// One, two or five tokens without a place do not count, and Swin has none.
#[test]
fn other_transformers() {
    let convit = ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 };
    let cases: [(&str, &dyn Architecture); 5] = [
        ("distilled", &vit(Variant::Distilled)),
        ("dinov2_reg4", &vit(Variant::DinoV2 { registers: 4, mean: false })),
        ("clip_quickgelu", &vit(Variant::Clip { quick_gelu: true })),
        ("swin", &swin()),
        ("convit", &convit),
    ];
    for (name, architecture) in cases {
        check_raw(include_bytes!("golden/transformers.safetensors"), name, &model(architecture), (32, 32), [4, 4]);
    }
}

/// Name, network, size of the image, size of the map.
type Case<'a> = (&'a str, &'a dyn Architecture, (usize, usize), [usize; 2]);

#[test]
fn other_convolutional_networks() {
    let cases: [Case<'_>; 5] = [
        ("resnext", &small::RESNEXT, (64, 64), [2, 2]),
        ("vgg", &small::VGG, (28, 28), [7, 7]),
        ("vgg_bn", &small::VGG_BN, (28, 28), [7, 7]),
        ("densenet", &small::DENSENET, (37, 50), [5, 6]),
        ("clip_resnet", &small::CLIP, (32, 32), [4, 4]),
    ];
    for (name, architecture, size, places) in cases {
        check_raw(include_bytes!("golden/convnets.safetensors"), name, &model(architecture), size, places);
    }
    let cases: [(Case<'_>, f64); 4] = [
        (("convnext", &small::CONVNEXT, (107, 70), [3, 2]), 1.0),
        (("efficientnet", &small::EFFICIENTNET, (43, 38), [2, 2]), small::GAIN),
        (("mobilenet_v3", &small::MOBILENET_V3, (35, 30), [9, 8]), small::GAIN),
        (("mobilenet_v4", &small::MOBILENET_V4, (35, 30), [3, 2]), small::GAIN),
    ];
    for ((name, architecture, size, places), gain) in cases {
        let golden = include_bytes!("golden/modern_convnets.safetensors");
        check_raw(golden, name, &amplified_model(architecture, gain), size, places);
    }
}

fn check_family(network: &str, model: &Model, node: &str) {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/cams.safetensors"), &device());
    let golden = golden.unwrap();
    let words = ["gradcam", "hirescam", "gradcam++", "xgradcam", "layercam", "eigencam", "scorecam", "ablationcam"];
    for word in words {
        let explainer = parse(&format!("{word}:{node}")).unwrap();
        assert_agreement(
            &format!("{network}.{word}"),
            &explainer.explain(model, &input(32, 32), &[3, 7]).unwrap(),
            &golden,
        );
    }
}

#[test]
fn the_cam_family_in_the_middle_of_a_residual_network() {
    check_family("resnet", &basic(), "layer2");
}

#[test]
fn the_cam_family_in_a_vision_transformer() {
    check_family("vit", &model(&vit(Variant::Plain)), "blocks.1.norm1");
}

#[test]
fn the_cam_family_in_a_swin_transformer() {
    check_family("swin", &model(&swin()), "layers.2.blocks.1.norm1");
}

/// The networks come from the tests of the ONNX crate, with torch's gradients. Only a mean and a linear layer follow
/// `act` of `cnn`, so HiResCAM must equal GradCAM there.
#[test]
fn imported_networks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden");
    let golden = candle_core::safetensors::load(folder.join("golden.safetensors"), &device()).unwrap();
    let check = |file: &str, network: &str, explainer: &dyn Explain| {
        let model = onnx::load(&folder.join(format!("{file}.onnx")), None, &device(), DType::F32).unwrap();
        let explanations = explainer.explain(&model, &golden[&format!("{network}.x")], &[1, 2]).unwrap();
        for (image, explanation) in explanations.iter().enumerate() {
            let want = golden[&format!("{network}.cam")].get(image).unwrap().flatten_all().unwrap();
            let want = want.to_vec1::<f32>().unwrap();
            let errors: Vec<f32> = explanation.raw.as_slice().iter().zip(&want).map(|(a, b)| a - b).collect();
            assert_eq!(explanation.raw.as_slice().len(), want.len(), "{file}");
            assert!(largest(&errors) < 1e-4 * largest(&want), "{file} {}: {}", explainer.id(), largest(&errors));
        }
    };
    for file in ["cnn_old_any", "cnn_new_any"] {
        check(file, "cnn", &GradCam { node: Some("act".into()) });
        check(file, "cnn", &HiResCam { node: Some("act".into()) });
    }
    check("vit_old_any", "vit", &GradCam { node: Some("blocks.1.norm1".into()) });
    check("swin_new_any", "swin", &GradCam { node: Some("norm".into()) });
}

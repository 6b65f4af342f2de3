//! GradCAM against torch's gradients. `crates/models/tests/golden/make.py` and `make_transformers.py` made the values;
//! weights and inputs are numbers generated from names.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::{
    Architecture, Block, ConVit, Graph, Model, ModelSpec, ResNet, Stem, SwinTransformer, Variant, VisionTransformer,
    generated, zoo,
};
use hard_imagenet_saliency::{Explain, GradCam};

fn model(graph: Graph, cam_node: &str) -> Model {
    let spec = ModelSpec { classes: 10, cam_node: cam_node.into(), ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(spec, &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap()
}

fn resnet(block: Block, stages: &'static [(usize, usize)]) -> Model {
    model(ResNet { stem: Stem::ImageNet, stem_width: 64, block, stages }.graph(10).unwrap(), "layer4")
}

fn basic() -> Model {
    resnet(Block::Basic, &[(64, 1), (128, 1), (256, 1), (512, 1)])
}

fn vit() -> Model {
    let vit = VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant: Variant::Plain };
    model(vit.graph(10).unwrap(), "blocks.1.norm1")
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

/// Raw maps to 1e-4 of their largest value, final ones to 1e-4.
fn check(case: &str, model: &Model, node: Option<&str>, (height, width): (usize, usize), classes: [u32; 2]) {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/gradcam.safetensors"), &Device::Cpu);
    let golden = golden.unwrap();
    let shape = [2, 3, height, width];
    let x = Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap();
    let gradcam = GradCam { node: node.map(str::to_owned) };
    let explanations = gradcam.explain(model, &x, &classes).unwrap();
    let compare = |part: &str, image: usize, got: &Heatmap, tolerance: &dyn Fn(f32) -> f32| {
        let want = golden[&format!("{case}.{part}")].get(image).unwrap();
        assert_eq!(want.dims(), [got.height(), got.width()], "{case} {part}");
        let want = want.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let errors: Vec<f32> = got.as_slice().iter().zip(&want).map(|(a, b)| a - b).collect();
        assert!(largest(&errors) < tolerance(largest(&want)), "{case} {part} {image}: {}", largest(&errors));
    };
    for (image, explanation) in explanations.iter().enumerate() {
        compare("raw", image, &explanation.raw, &|largest| 1e-4 * largest);
        compare("map", image, &explanation.map, &|_| 1e-4);
    }
}

#[test]
fn residual_networks() {
    check("basic", &basic(), None, (64, 64), [3, 7]);
    check("bottleneck", &resnet(Block::Bottleneck, &[(64, 1), (128, 1), (256, 2), (512, 1)]), None, (64, 64), [0, 9]);
}

#[test]
fn an_inner_stage_of_a_picture_that_no_stride_divides() {
    check("odd", &basic(), Some("layer2"), (45, 38), [3, 7]);
}

#[test]
fn vision_transformers() {
    check("vit", &vit(), None, (32, 32), [3, 7]);
    check("vit_early", &vit(), Some("blocks.0.norm2"), (32, 32), [3, 7]);
}

/// At the node that the family names; tokens without a place are left out, be they one, two or five, and Swin has none.
#[test]
fn other_transformers() {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/transformers.safetensors"), &Device::Cpu);
    let golden = golden.unwrap();
    let vit = |variant| VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant };
    let swin = SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] };
    let convit = ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 };
    let cases: [(&str, &dyn Architecture); 5] = [
        ("distilled", &vit(Variant::Distilled)),
        ("dinov2_reg4", &vit(Variant::DinoV2 { registers: 4 })),
        ("clip_quickgelu", &vit(Variant::Clip { quick_gelu: true })),
        ("swin", &swin),
        ("convit", &convit),
    ];
    let shape = [2, 3, 32, 32];
    let x = Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap();
    for (name, architecture) in cases {
        let graph = architecture.graph(10).unwrap();
        let (cam_node, feature_node) = (architecture.cam_node(), architecture.feature_node());
        let spec = ModelSpec { classes: 10, cam_node, feature_node, ..zoo::spec("resnet18").unwrap() };
        let weights = generated::weights(&graph).unwrap();
        let model = Model::new(spec, &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap();
        let explanations = GradCam::default().explain(&model, &x, &[3, 3]).unwrap();
        let want = &golden[&format!("{name}.raw")];
        assert_eq!(want.dims(), [2, 4, 4], "{name}");
        let got: Vec<f32> = explanations.iter().flat_map(|e| e.raw.as_slice().to_vec()).collect();
        let want = want.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let errors: Vec<f32> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
        assert!(largest(&errors) < 1e-4 * largest(&want), "{name}: {} of {}", largest(&errors), largest(&want));
    }
}

//! Small networks against torchvision and timm. `golden/make.py` makes the values; weights and inputs are generated.

mod device;

use candle_core::{DType, Tensor};
use device::device;
use hard_imagenet_models::families::resnet::{Block, ResNet, Stem};
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, Graph, Model, ModelSpec, Network, generated, zoo};
use std::collections::HashMap;

fn model(graph: Graph, cam_node: &str) -> Model {
    let spec = ModelSpec { classes: 10, cam_node: cam_node.into(), ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn resnet(block: Block, stages: &'static [(usize, usize)]) -> Model {
    model(ResNet { stem: Stem::ImageNet, stem_width: 64, block, stages }.graph(10).unwrap(), "layer4")
}

fn vit() -> Model {
    let vit = VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant: Variant::Plain };
    model(vit.graph(10).unwrap(), "blocks.1.norm1")
}

fn input(height: usize, width: usize) -> Tensor {
    let shape = [2, 3, height, width];
    Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap()
}

/// Checks that errors are below 1e-4 of the golden values' standard deviation, which is ten to twenty times f32's own
/// error.
fn check(got: &Tensor, want: &Tensor, what: &str) {
    assert_eq!(got.dims(), want.dims(), "{what}");
    let mean = want.mean_all().unwrap().to_scalar::<f32>().unwrap();
    let deviation = want.affine(1.0, f64::from(-mean)).unwrap().sqr().unwrap().mean_all().unwrap().sqrt().unwrap();
    let deviation = deviation.to_scalar::<f32>().unwrap();
    let error = (got - want).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(error < 1e-4 * deviation, "{what}: {error}, standard deviation {deviation}");
}

fn check_case(golden: &HashMap<String, Tensor>, name: &str, model: &Model, x: &Tensor) {
    check(&model.forward(x).unwrap(), &golden[&format!("{name}.logits")], &format!("{name} logits"));
    check(&model.features(x).unwrap(), &golden[&format!("{name}.features")], &format!("{name} features"));
}

#[test]
fn logits_and_features_equal_those_of_torchvision_and_timm() {
    let bytes = include_bytes!("golden/models.safetensors");
    let golden = candle_core::safetensors::load_buffer(bytes, &device()).unwrap();
    let basic = resnet(Block::Basic, &[(64, 1), (128, 1), (256, 1), (512, 1)]);
    let bottleneck = resnet(Block::Bottleneck, &[(64, 1), (128, 1), (256, 2), (512, 1)]);
    check_case(&golden, "basic", &basic, &input(64, 64));
    check_case(&golden, "odd", &basic, &input(45, 38));
    check_case(&golden, "bottleneck", &bottleneck, &input(64, 64));
    check_case(&golden, "vit", &vit(), &input(32, 32));
}

/// The reference executor continues what a plan has begun, at each node of both families, folded or not.
#[test]
fn head_after_trunk_is_forward_at_every_node() {
    let small = ResNet { stem: Stem::ImageNet, stem_width: 8, block: Block::Bottleneck, stages: &[(8, 1), (16, 2)] };
    let graph = small.graph(10).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let spec = || ModelSpec { classes: 10, cam_node: "layer2".into(), ..zoo::spec("resnet18").unwrap() };
    let device = &device();
    let folded = Model::new(Network::new(spec(), graph.clone(), weights.clone(), ""), device, DType::F32).unwrap();
    let plain = Model::unfolded(Network::new(spec(), graph, weights, ""), device, DType::F32).unwrap();
    for (model, x) in [(folded, input(45, 38)), (plain, input(45, 38)), (vit(), input(32, 32))] {
        let want = model.forward(&x).unwrap();
        for node in model.nodes() {
            let cut = model.cut(&node.name).unwrap();
            let value = model.trunk(&cut, &x).unwrap();
            check(&model.head(&cut, &value).unwrap(), &want, &node.name);
        }
    }
}

#[test]
fn folding_keeps_the_logits() {
    let graph = zoo::graph("planted_resnet", 8).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let spec = || zoo::spec("planted_resnet").unwrap();
    let device = &device();
    let folded = Model::new(Network::new(spec(), graph.clone(), weights.clone(), ""), device, DType::F32).unwrap();
    let plain = Model::unfolded(Network::new(spec(), graph, weights, ""), device, DType::F32).unwrap();
    let x = input(64, 64);
    let (got, want) = (folded.forward(&x).unwrap(), plain.forward(&x).unwrap());
    let error = (got - &want).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    let largest = want.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(error < 1e-5 * largest, "{error} of {largest}");
    assert!(folded.nodes().count() < plain.nodes().count());
}

#[test]
fn bf16_gives_nearly_the_same_logits() {
    let model = resnet(Block::Basic, &[(64, 1), (128, 1), (256, 1), (512, 1)]);
    let (spec, graph, weights) = (model.spec().clone(), model.graph().clone(), model.weights().clone());
    let halves = Model::unfolded(Network::new(spec, graph, weights, ""), &device(), DType::BF16).unwrap();
    let x = input(32, 32);
    let (want, got) = (model.forward(&x).unwrap(), halves.forward(&x).unwrap());
    assert_eq!(got.dtype(), DType::F32);
    let error = (got - &want).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    let largest = want.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(error < 0.05 * largest, "{error} of {largest}");
}

#[test]
fn an_image_of_the_wrong_size_is_an_error_that_names_the_node() {
    let error = vit().forward(&input(40, 40)).unwrap_err().to_string();
    assert!(error.contains("\"pos_drop\"") && error.contains("broadcast"), "{error}");
    let error = vit().forward(&input(4, 4)).unwrap_err().to_string();
    assert!(error.contains("patch_embed.proj"), "{error}");
}

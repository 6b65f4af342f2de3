//! Explainers that look at the input against captum and torch (`golden/make_gradients.py`); weights and inputs are numbers
//! generated from names.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_models::{
    Architecture, Block, Graph, Model, ModelSpec, ResNet, Stem, SwinTransformer, Variant, VisionTransformer, generated,
    zoo,
};
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_saliency::{
    Explain, Explanation, GradientXInput, InputGradient, IntegratedGradients, Question, Rise, SmoothGrad,
    input_gradient,
};
use std::ops::ControlFlow;

const CLASSES: [u32; 2] = [3, 7];

fn model(graph: Graph) -> Model {
    // From where a CAM would look matters to none of these.
    let output = graph.node(graph.output()).name.clone();
    let spec =
        ModelSpec { classes: 10, cam_node: output.clone(), feature_node: output, ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(spec, &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap()
}

fn resnet() -> Model {
    let stages = &[(64, 1), (128, 1), (256, 1), (512, 1)];
    model(ResNet { stem: Stem::ImageNet, stem_width: 64, block: Block::Basic, stages }.graph(10).unwrap())
}

fn vit() -> Model {
    let vit = VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant: Variant::Plain };
    model(vit.graph(10).unwrap())
}

fn swin() -> Model {
    let swin = SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] };
    model(swin.graph(10).unwrap())
}

fn input() -> Tensor {
    let shape = [2, 3, 32, 32];
    Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
}

fn explanations(explainer: &dyn Explain, model: &Model) -> Vec<Explanation> {
    let progress = &mut |_, _| ControlFlow::Continue(());
    let keys = [NoiseKey(0), NoiseKey(1)];
    explainer.answer(Question { model, x: &input(), classes: &CLASSES, keys: &keys, progress }).unwrap()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

/// Equal to a share of the largest value.
fn agree(what: &str, got: &[f32], want: &[f32], share: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let errors: Vec<f32> = got.iter().zip(want).map(|(a, b)| a - b).collect();
    let error = largest(&errors) / largest(want);
    println!("{what}: {error:e} of the largest");
    assert!(error < share, "{what}: {error} of the largest");
}

fn check(network: &str, model: &Model) {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/gradients.safetensors"), &Device::Cpu);
    let golden = golden.unwrap();
    let want = |word: &str| golden[&format!("{network}.{word}")].flatten_all().unwrap().to_vec1::<f32>().unwrap();

    let slope = input_gradient(model, &input(), &CLASSES).unwrap().flatten_all().unwrap();
    agree(&format!("{network} slope"), &slope.to_vec1::<f32>().unwrap(), &want("slope"), 1e-4);
    let explainers: [&dyn Explain; 5] = [
        &InputGradient,
        &GradientXInput,
        &IntegratedGradients::default(),
        &SmoothGrad { copies: 5, ..SmoothGrad::default() },
        &Rise { masks: 40, ..Rise::default() },
    ];
    for explainer in explainers {
        let raw: Vec<f32> = explanations(explainer, model).into_iter().flat_map(|one| one.raw.into_vec()).collect();
        agree(&format!("{network} {}", explainer.id()), &raw, &want(&explainer.id()), 1e-4);
    }
}

#[test]
fn in_a_residual_network() {
    check("resnet", &resnet());
}

#[test]
fn in_a_vision_transformer() {
    check("vit", &vit());
}

#[test]
fn in_a_swin_transformer() {
    check("swin", &swin());
}

/// Without kinks fifty steps are enough for f32's digits; with them the integral is only approached.
#[test]
fn integrated_gradients_add_up_to_the_difference_of_logits() {
    let check = |model: &Model, steps: usize, share: f32| {
        let explainer = IntegratedGradients { steps, ..IntegratedGradients::default() };
        let (x, maps) = (input(), explanations(&explainer, model));
        let [logits, base] =
            [&x, &x.zeros_like().unwrap()].map(|x| model.forward(x).unwrap().to_vec2::<f32>().unwrap());
        for (image, class) in CLASSES.into_iter().enumerate() {
            let want = logits[image][class as usize] - base[image][class as usize];
            let values = maps[image].raw.as_slice();
            let (sum, all) = (values.iter().sum::<f32>(), values.iter().map(|v| v.abs()).sum::<f32>());
            println!("{steps} steps: {sum} for {want}, {:e} of all that is added and taken", (sum - want).abs() / all);
            assert!((sum - want).abs() < share * all, "{steps} steps: {sum} for {want} of {all}");
        }
    };
    check(&vit(), 50, 1e-5);
    check(&swin(), 50, 1e-5);
    check(&resnet(), 50, 2e-3);
    check(&resnet(), 300, 5e-4);
}

#[test]
fn how_many_go_together_changes_nothing() {
    let model = vit();
    let check = |one: &dyn Explain, many: &dyn Explain| {
        for (one, many) in explanations(one, &model).iter().zip(explanations(many, &model)) {
            agree("batch", one.raw.as_slice(), many.raw.as_slice(), 1e-5);
        }
    };
    check(&SmoothGrad { batch: 1, copies: 7, spread: 0.1 }, &SmoothGrad { batch: 16, copies: 7, spread: 0.1 });
    check(&IntegratedGradients { batch: 3, steps: 7 }, &IntegratedGradients { batch: 16, steps: 7 });
    let rise = Rise { masks: 7, ..Rise::default() };
    check(&Rise { batch: 3, ..rise.clone() }, &rise);
}

#[test]
fn maps_are_scaled_to_one_at_the_inputs_size() {
    let model = resnet();
    for explainer in [&InputGradient as &dyn Explain, &GradientXInput] {
        for one in explanations(explainer, &model) {
            assert_eq!((one.map.height(), one.map.width()), (32, 32));
            assert_eq!(largest(one.map.as_slice()), 1.0);
            assert!(one.map.as_slice().iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }
}

#[test]
fn what_has_no_gradient_says_why() {
    let model = vit();
    let check = |classes: &[u32], part: &str| {
        let error = input_gradient(&model, &input(), classes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    check(&[3, 10], "class 10 of a model with 10 classes (0 to 9)");
    check(&[3], "2 images need as many classes, got 1");
}

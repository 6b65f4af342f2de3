//! Forward-mode derivatives of every family. They are compared with reverse mode. Their gradients with respect to the
//! weights (second derivatives) are compared with finite differences if the network is smooth. In networks with corners
//! (ReLU, hard swish, max pools), finite differences also measure units that switch on or off, which derivatives do
//! not.
#![allow(clippy::disallowed_macros, reason = "a test may print and read its settings")]

mod device;
mod small;

use candle_core::{Tensor, Var};
use device::device;
use hard_imagenet_graph::{Activation, Dual, Graph, Op, WeightMap, run, run_tangent};
use hard_imagenet_models::families::convit::ConVit;
use hard_imagenet_models::families::swin::SwinTransformer;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, generated, zoo};

fn vit(variant: Variant) -> VisionTransformer {
    VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant }
}

fn values(name: &str, shape: &[usize]) -> Tensor {
    Tensor::from_vec(generated::values(name, shape), shape, &device()).unwrap()
}

fn sum(a: &Tensor, b: &Tensor) -> f64 {
    f64::from((a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap())
}

/// Returns the derivative along `u` of the sum of the outputs, weighted by `r`.
fn directional_derivative(graph: &Graph, weights: &WeightMap, x: &Tensor, u: &Tensor, r: &Tensor) -> Tensor {
    let fed = [(graph.input(), Dual { value: x.clone(), tangent: Some(u.clone()) })];
    let out = run_tangent(graph, weights, &fed, &[graph.output()]).unwrap().remove(0);
    (out.tangent.unwrap() * r).unwrap().sum_all().unwrap()
}

/// Returns the gradient of that sum with respect to the image.
fn slope(graph: &Graph, weights: &WeightMap, x: &Tensor, r: &Tensor) -> Tensor {
    let x = Var::from_tensor(x).unwrap();
    let y = (run(graph, weights, &x).unwrap() * r).unwrap().sum_all().unwrap();
    y.backward().unwrap().get(&x).unwrap().clone()
}

fn check(name: &str, graph: &Graph, gain: f64, (height, width): (usize, usize)) {
    let mut weights = generated::weights(graph).unwrap();
    for weight in weights.values_mut() {
        let gain = if weight.rank() == 4 { gain } else { 1.0 };
        *weight = weight.affine(gain, 0.0).unwrap().to_device(&device()).unwrap();
    }
    let (x, u) = (values("input", &[2, 3, height, width]), values("direction", &[2, 3, height, width]));
    let y = run(graph, &weights, &x).unwrap();
    let r = values("functional", y.dims());

    // Both modes give the same u · ∇ₓ, and forward mode also gives the value.
    let (forward, gradient) = (directional_derivative(graph, &weights, &x, &u, &r), slope(graph, &weights, &x, &r));
    let (forward, reverse) = (f64::from(forward.to_scalar::<f32>().unwrap()), sum(&gradient, &u));
    let size = (sum(&gradient, &gradient) * sum(&u, &u)).sqrt();
    assert!((forward - reverse).abs() < 1e-4 * size, "{name}: {forward} forward, {reverse} reverse, of {size}");
    let fed = [(graph.input(), Dual { value: x.clone(), tangent: None })];
    let still = run_tangent(graph, &weights, &fed, &[graph.output()]).unwrap().remove(0);
    assert!(still.tangent.is_none());
    assert_eq!(still.value.to_vec2::<f32>().unwrap(), y.to_vec2::<f32>().unwrap());

    let smooth = |op: &Op| match op {
        Op::Activation(a) => {
            [Activation::Gelu, Activation::QuickGelu, Activation::Silu, Activation::Sigmoid].contains(a)
        }
        Op::MaxPool2d(_) => false,
        _ => true,
    };
    if !graph.nodes().iter().all(|node| smooth(&node.op)) {
        println!("{name}: has corners");
        return;
    }

    // The gradient with respect to the weights equals the differences of first derivatives when all weights move a
    // little.
    let names: Vec<String> = {
        let mut names: Vec<String> = weights.keys().filter(|name| !name.contains("running_")).cloned().collect();
        names.sort();
        names
    };
    let variables: Vec<Var> = names.iter().map(|name| Var::from_tensor(&weights[name]).unwrap()).collect();
    let mut recorded = weights.clone();
    for (name, variable) in names.iter().zip(&variables) {
        recorded.insert(name.clone(), variable.as_tensor().clone());
    }
    let second = directional_derivative(graph, &recorded, &x, &u, &r).backward().unwrap();
    let (mut want, mut along) = (0.0, WeightMap::new());
    for (name, variable) in names.iter().zip(&variables) {
        let v = values(&format!("{name}.direction"), variable.dims());
        // A weight that the output does not depend on linearly (a last bias) has no second derivative.
        want += second.get(variable).map_or(0.0, |gradient| sum(gradient, &v));
        along.insert(name.clone(), v);
    }
    let at = |step: f64| {
        let mut shifted = weights.clone();
        for (name, v) in &along {
            shifted.insert(name.clone(), (&weights[name] + (v * step).unwrap()).unwrap());
        }
        sum(&slope(graph, &shifted, &x, &r), &u)
    };
    let step = 2e-4;
    let got = (at(step) - at(-step)) / (2.0 * step);
    println!("{name}: second derivative {want:.5}, by finite differences {got:.5}");
    assert!((got - want).abs() < 0.05 * want.abs().max(0.05 * size), "{name}: {want}, by finite differences {got}");
}

/// The name, the network, the factor of its convolutions' weights, and the size of the image.
type Case<'a> = (&'a str, &'a dyn Architecture, f64, (usize, usize));

#[test]
fn convolutional_networks() {
    let residual = zoo::graph("planted_resnet", 8).unwrap();
    check("planted_resnet", &residual, 1.0, (32, 32));
    let cases: [Case<'_>; 9] = [
        ("resnext", &small::RESNEXT, 1.0, (64, 64)),
        ("vgg", &small::VGG, 1.0, (28, 28)),
        ("vgg_bn", &small::VGG_BN, 1.0, (28, 28)),
        ("densenet", &small::DENSENET, 1.0, (37, 50)),
        ("clip_resnet", &small::CLIP, 1.0, (32, 32)),
        ("convnext", &small::CONVNEXT, 1.0, (43, 38)),
        ("efficientnet", &small::EFFICIENTNET, small::GAIN, (43, 38)),
        ("mobilenet_v3", &small::MOBILENET_V3, small::GAIN, (35, 30)),
        ("mobilenet_v4", &small::MOBILENET_V4, small::GAIN, (35, 30)),
    ];
    for (name, architecture, gain, size) in cases {
        check(name, &architecture.graph(10).unwrap(), gain, size);
    }
}

#[test]
fn transformers() {
    let swin = SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] };
    let convit = ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 };
    let cases: [(&str, &dyn Architecture); 6] = [
        ("vit", &vit(Variant::Plain)),
        ("distilled", &vit(Variant::Distilled)),
        ("dinov2_reg4", &vit(Variant::DinoV2 { registers: 4, mean: false })),
        ("clip_quickgelu", &vit(Variant::Clip { quick_gelu: true })),
        ("swin", &swin),
        ("convit", &convit),
    ];
    for (name, architecture) in cases {
        check(name, &architecture.graph(10).unwrap(), 1.0, (32, 32));
    }
}

use super::grad_cam::outside_share;
use super::{Penalty, grad_cam_penalty, input_gradient_penalty};
use candle_core::{Device, Tensor, Var};
use hard_imagenet_graph::{Graph, WeightMap};
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, generated, zoo};

struct Case {
    graph: Graph,
    weights: WeightMap,
    names: Vec<String>,
    x: Tensor,
    object: Tensor,
    labels: Tensor,
}

fn values(name: &str, shape: &[usize]) -> Tensor {
    Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu).unwrap()
}

fn case(graph: Graph, only: &[&str]) -> Case {
    let mut weights = generated::weights(&graph).unwrap();
    weights.values_mut().for_each(|weight| *weight = weight.affine(1.3, 0.0).unwrap());
    let learns = |name: &&String| !name.contains("running_") && (only.is_empty() || only.contains(&name.as_str()));
    let mut names: Vec<String> = weights.keys().filter(learns).cloned().collect();
    names.sort();
    let on = (0..2 * 32 * 32).map(|i| f32::from(i % 32 > 8 && i % 32 < 20 && (i / 32) % 32 > 12)).collect();
    Case {
        x: values("input", &[2, 3, 32, 32]),
        object: Tensor::from_vec(on, (2, 1, 32, 32), &Device::Cpu).unwrap(),
        labels: Tensor::new(&[1u32, 3], &Device::Cpu).unwrap(),
        graph,
        weights,
        names,
    }
}

/// A network without ReLUs, so that finite differences are close to derivatives.
fn vit() -> Graph {
    let vit = VisionTransformer { image: 32, patch: 8, width: 16, depth: 2, heads: 2, variant: Variant::Plain };
    vit.graph(5).unwrap()
}

type ComputePenalty<'a> = &'a dyn Fn(&Case, &WeightMap, &[Var]) -> Penalty;

fn check_against_differences(case: &Case, compute: ComputePenalty<'_>, step: f64) {
    let variables: Vec<Var> = case.names.iter().map(|name| Var::from_tensor(&case.weights[name]).unwrap()).collect();
    let mut recorded = case.weights.clone();
    for (name, variable) in case.names.iter().zip(&variables) {
        recorded.insert(name.clone(), variable.as_tensor().clone());
    }
    let penalty = compute(case, &recorded, &variables);
    assert!(penalty.value > 0.0);
    for direction in 0..3 {
        let mut want = 0.0;
        let mut along = WeightMap::new();
        for (name, gradient) in case.names.iter().zip(&penalty.gradients) {
            let v = values(&format!("{name}.{direction}"), gradient.dims());
            want += f64::from((gradient * &v).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
            along.insert(name.clone(), v);
        }
        let at = |step: f64| {
            let mut weights = case.weights.clone();
            for (name, v) in &along {
                weights.insert(name.clone(), (&case.weights[name] + (v * step).unwrap()).unwrap());
            }
            compute(case, &weights, &[]).value
        };
        let got = (at(step) - at(-step)) / (2.0 * step);
        println!("{want:.6} by differences {got:.6}");
        assert!((want - got).abs() < 0.02 * want.abs().max(0.05 * penalty.value), "{want}, by differences {got}");
    }
}

fn input_penalty(case: &Case, weights: &WeightMap, variables: &[Var]) -> Penalty {
    let outside = case.object.affine(-1.0, 1.0).unwrap();
    input_gradient_penalty(&case.graph, weights, variables, &case.x, &outside, &case.labels).unwrap()
}

#[test]
fn input_gradient_penalty_of_a_transformer() {
    check_against_differences(&case(vit(), &[]), &input_penalty, 1e-3);
    check_against_differences(&case(vit(), &["head.weight", "head.bias"]), &input_penalty, 1e-3);
}

#[test]
fn input_gradient_penalty_of_a_head_on_a_residual_network() {
    let graph = zoo::graph("planted_resnet", 5).unwrap();
    check_against_differences(&case(graph, &["fc.weight", "fc.bias"]), &input_penalty, 1e-3);
}

#[test]
fn grad_cam_penalty_of_a_transformer() {
    let compute = |case: &Case, weights: &WeightMap, variables: &[Var]| {
        let Case { graph, x, object, labels, .. } = case;
        grad_cam_penalty(graph, weights, variables, "blocks.1.norm1", x, object, labels).unwrap()
    };
    check_against_differences(&case(vit(), &[]), &compute, 2e-4);
    check_against_differences(&case(vit(), &["head.weight", "blocks.1.mlp.fc1.weight"]), &compute, 1e-3);
}

#[test]
fn grad_cam_penalty_of_a_head_on_a_residual_network() {
    let compute = |case: &Case, weights: &WeightMap, variables: &[Var]| {
        let Case { graph, x, object, labels, .. } = case;
        let node = zoo::spec("planted_resnet").unwrap().cam_node;
        grad_cam_penalty(graph, weights, variables, &node, x, object, labels).unwrap()
    };
    let graph = zoo::graph("planted_resnet", 5).unwrap();
    check_against_differences(&case(graph, &["fc.weight"]), &compute, 1e-3);
}

#[test]
fn pixels_are_averaged_over_places() {
    let object = Tensor::new(&[1f32, 1., 0., 0., 0., 0.], &Device::Cpu).unwrap().reshape((1, 1, 1, 6)).unwrap();
    let got = outside_share(&object, 1, 4).unwrap().to_vec2::<f32>().unwrap();
    let want = [0.0, 2.0 / 3.0, 1.0, 1.0];
    assert!(got[0].iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
}

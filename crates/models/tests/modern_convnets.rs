//! Small ConvNeXt, EfficientNet and MobileNet networks against timm (`golden/make_modern_convnets.py`).

mod device;
mod family;
mod small;

use candle_core::{Tensor, Var};
use device::device;
use family::{Family, check, check_with_gain};
use hard_imagenet_graph::{Op, fold_batch_norm, run};
use hard_imagenet_models::{Architecture, generated};
use small::{CONVNEXT, EFFICIENTNET, GAIN, MOBILENET_V3, MOBILENET_V4};

const GOLDEN: &[u8] = include_bytes!("golden/modern_convnets.safetensors");

fn family<'a>(name: &'a str, architecture: &'a dyn Architecture, size: (usize, usize)) -> Family<'a> {
    Family { golden: GOLDEN, name, architecture, size }
}

#[test]
fn convnext() {
    check(&family("convnext", &CONVNEXT, (107, 70)));
}

#[test]
fn efficientnet() {
    check_with_gain(&family("efficientnet", &EFFICIENTNET, (43, 38)), GAIN);
}

#[test]
fn mobilenets() {
    check_with_gain(&family("mobilenet_v3", &MOBILENET_V3, (35, 30)), GAIN);
    check_with_gain(&family("mobilenet_v4", &MOBILENET_V4, (35, 30)), GAIN);
}

const ALL: [&dyn Architecture; 4] = [&CONVNEXT, &EFFICIENTNET, &MOBILENET_V3, &MOBILENET_V4];

/// Along its gradient, the slope of a logit is the gradient's length. The step is short because ReLU has kinks. Batch
/// norms are not folded here.
#[test]
fn gradients_are_slopes() {
    for architecture in ALL {
        let graph = architecture.graph(10).unwrap();
        let mut weights = generated::weights(&graph).unwrap();
        for weight in weights.values_mut() {
            let gain = if weight.rank() == 4 { GAIN } else { 1.0 };
            *weight = weight.affine(gain, 0.0).unwrap().to_device(&device()).unwrap();
        }
        let logit = |x: &Tensor| run(&graph, &weights, x).unwrap().narrow(1, 3, 1).unwrap().sum_all().unwrap();
        let shape = [1, 3, 43, 38];
        let x = Var::from_vec(generated::values("input", &shape), &shape, &device()).unwrap();
        let g = logit(&x).backward().unwrap().get(&x).unwrap().clone();
        let length = g.sqr().unwrap().sum_all().unwrap().sqrt().unwrap().to_scalar::<f32>().unwrap();
        let at = |step: f32| {
            let moved = (x.detach() + (&g * f64::from(step / length)).unwrap()).unwrap();
            logit(&moved).to_scalar::<f32>().unwrap()
        };
        let slope = (at(1e-4) - at(-1e-4)) / 2e-4;
        assert!((slope - length).abs() < 0.02 * length, "slope {slope}, gradient {length}");
    }
}

#[test]
fn batch_norms_fold_and_layouts_have_positions() {
    for architecture in ALL {
        let graph = architecture.graph(10).unwrap();
        let (graph, _) = fold_batch_norm(&graph, generated::weights(&graph).unwrap()).unwrap();
        for (node, shape) in graph.nodes().iter().zip(graph.shapes(&[2, 3, 43, 38]).unwrap()) {
            assert!(!matches!(node.op, Op::BatchNorm { .. }), "{}", node.name);
            assert_eq!(node.layout.has_positions(), shape.len() == 4, "{}", node.name);
        }
    }
}

//! Small ConvNeXts, EfficientNets and MobileNets against timm: `golden/make_convolutional.py` made the values, weights
//! and inputs are generated.

use candle_core::{DType, Device, Tensor, Var};
use hard_imagenet_graph::Activation;
use hard_imagenet_models::{
    ConvNeXt, EfficientNet, Graph, MobileBlock, MobileNet, Model, ModelSpec, WeightMap, generated, zoo,
};

/// Name in the golden file, graph, CAM node, features, size of the pictures.
type Case = (&'static str, Graph, &'static str, &'static str, (usize, usize));

fn cases() -> [Case; 4] {
    use MobileBlock::{Conv, Fused, Inverted, Separable, Universal};
    let convnext = ConvNeXt { stages: &[(16, 1), (24, 1), (32, 2), (40, 1)] };
    let efficientnet = EfficientNet { width: 0.25, depth: 0.5 };
    let v3 = MobileNet {
        stem: 16,
        stages: &[
            &[Separable { kernel: 3, stride: 1, outputs: 16, squeezed: 8 }],
            &[
                Inverted { kernel: 5, stride: 2, expanded: 32, outputs: 24, squeezed: 8 },
                Inverted { kernel: 3, stride: 1, expanded: 72, outputs: 24, squeezed: 0 },
            ],
            &[Conv { kernel: 1, stride: 1, outputs: 48 }],
        ],
        activation: Activation::HardSwish,
        relu_stages: 1,
        features: 32,
        head_norm: false,
    };
    let v4 = MobileNet {
        stem: 16,
        stages: &[
            &[Conv { kernel: 3, stride: 2, outputs: 16 }, Fused { kernel: 3, stride: 1, expanded: 32, outputs: 16 }],
            &[
                Universal { start: 5, middle: 5, stride: 2, expanded: 48, outputs: 24 },
                Universal { start: 0, middle: 3, stride: 1, expanded: 48, outputs: 24 },
                Universal { start: 3, middle: 0, stride: 1, expanded: 96, outputs: 24 },
                Universal { start: 0, middle: 0, stride: 1, expanded: 48, outputs: 24 },
            ],
            &[
                Universal { start: 3, middle: 0, stride: 2, expanded: 48, outputs: 32 },
                Conv { kernel: 1, stride: 1, outputs: 48 },
            ],
        ],
        activation: Activation::Relu,
        relu_stages: 0,
        features: 32,
        head_norm: true,
    };
    [
        ("convnext", convnext.graph(10).unwrap(), "stages.3", "head.norm", (75, 66)),
        ("efficientnet", efficientnet.graph(10).unwrap(), "bn2", "global_pool", (75, 66)),
        ("mobilenet_v3", v3.graph(10).unwrap(), "blocks.2", "flatten", (45, 38)),
        ("mobilenet_v4", v4.graph(10).unwrap(), "blocks.2", "flatten", (45, 38)),
    ]
}

fn spec(cam_node: &str, feature_node: &str) -> ModelSpec {
    let other = zoo::spec("resnet18").unwrap();
    ModelSpec { classes: 10, cam_node: cam_node.into(), feature_node: feature_node.into(), ..other }
}

/// Generated, those of convolutions larger by 1.75: logits would hardly depend on the picture otherwise.
fn weights(graph: &Graph) -> WeightMap {
    let mut weights = generated::weights(graph).unwrap();
    for weight in weights.values_mut().filter(|weight| weight.rank() == 4) {
        *weight = weight.affine(1.75, 0.0).unwrap();
    }
    weights
}

/// As checkpoints have it, and with its batch norms folded.
fn models((_, graph, cam_node, features, _): &Case) -> [Model; 2] {
    let weights = weights(graph);
    let (spec, device) = (spec(cam_node, features), &Device::Cpu);
    let folded = Model::new(spec.clone(), graph, &weights, String::new(), device, DType::F32).unwrap();
    [Model::unfolded(spec, graph.clone(), weights, String::new(), device, DType::F32).unwrap(), folded]
}

fn input((height, width): (usize, usize)) -> Tensor {
    let shape = [2, 3, height, width];
    Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
}

/// Σ over the batch of the logit of class 3, and its gradient with respect to the input.
fn gradient(model: &Model, x: &Tensor) -> (Tensor, Tensor) {
    let x = Var::from_tensor(x).unwrap();
    let y = model.forward(&x).unwrap().narrow(1, 3, 1).unwrap().sum_all().unwrap();
    let gradient = y.backward().unwrap().get(&x).unwrap().clone();
    (y, gradient)
}

fn vector(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

fn deviation(values: &[f32]) -> f32 {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

#[test]
fn logits_features_and_gradients_are_those_of_timm() {
    let bytes = include_bytes!("golden/convolutional.safetensors");
    let golden = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).unwrap();
    for case in cases() {
        let (name, x) = (case.0, input(case.4));
        for model in models(&case) {
            let check = |part: &str, got: &[f32], tolerance: &dyn Fn(&[f32]) -> f32| {
                let want = vector(&golden[&format!("{name}.{part}")]);
                assert_eq!(got.len(), want.len(), "{name} {part}");
                let error = largest(&got.iter().zip(&want).map(|(a, b)| a - b).collect::<Vec<_>>());
                assert!(error < tolerance(&want), "{name} {part}: {error}, allowed {}", tolerance(&want));
            };
            check("logits", &vector(&model.forward(&x).unwrap()), &|want| 1e-4 * deviation(want));
            check("features", &vector(&model.features(&x).unwrap()), &|want| 1e-4 * deviation(want));
            let (_, gradient) = gradient(&model, &x);
            let gradient: Vec<f32> = vector(&gradient).into_iter().step_by(97).collect();
            check("gradient", &gradient, &|want| 1e-3 * largest(want));
        }
    }
}

/// The slope in the gradient's own direction is its length.
#[test]
fn gradients_are_slopes() {
    for case in cases() {
        let [_, model] = models(&case);
        let x = input(case.4);
        let (_, g) = gradient(&model, &x);
        let length = g.sqr().unwrap().sum_all().unwrap().sqrt().unwrap().to_scalar::<f32>().unwrap();
        let step = 1e-2;
        let at = |step: f32| {
            let moved = (&x + (&g * f64::from(step / length)).unwrap()).unwrap();
            gradient(&model, &moved).0.to_scalar::<f32>().unwrap()
        };
        let slope = (at(step) - at(-step)) / (2.0 * step);
        assert!((slope - length).abs() < 0.02 * length, "{}: slope {slope}, gradient {length}", case.0);
    }
}

#[test]
fn head_after_trunk_is_forward_at_every_node() {
    for case in cases() {
        let x = input(case.4);
        for model in models(&case) {
            let want = vector(&model.forward(&x).unwrap());
            for node in model.nodes() {
                let cut = model.cut(&node.name).unwrap();
                let value = model.trunk(&cut, &x).unwrap();
                assert_eq!(vector(&model.head(&cut, &value).unwrap()), want, "{} {}", case.0, node.name);
            }
        }
    }
}

#[test]
fn batch_norms_fold_and_places_are_known() {
    for case in cases() {
        let [_, folded] = models(&case);
        assert!(!folded.weights().keys().any(|name| name.contains("running")), "{}", case.0);
        let shapes = folded.graph().shapes(&[2, 3, case.4.0, case.4.1]).unwrap();
        for (node, shape) in folded.nodes().zip(shapes) {
            // Every value of four dimensions lies over the picture.
            assert_eq!(node.layout.has_places(), shape.len() == 4, "{} {}", case.0, node.name);
        }
    }
}

//! Small vision transformers (DeiT, DINOv2, CLIP, Swin, ConViT) against timm (`golden/make_transformers.py`).

mod device;
mod family;

use candle_core::{DType, Tensor, Var};
use device::device;
use family::{Family, check};
use hard_imagenet_models::families::convit::ConVit;
use hard_imagenet_models::families::swin::SwinTransformer;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, Model, ModelSpec, Network, generated, zoo};

const GOLDEN: &[u8] = include_bytes!("golden/transformers.safetensors");

const fn vit(variant: Variant) -> VisionTransformer {
    VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant }
}

const DISTILLED: VisionTransformer = vit(Variant::Distilled);
const DINOV2: VisionTransformer = vit(Variant::DinoV2 { registers: 0, mean: false });
const DINOV2_REG4: VisionTransformer = vit(Variant::DinoV2 { registers: 4, mean: false });
const CLIP: VisionTransformer = vit(Variant::Clip { quick_gelu: false });
const CLIP_QUICKGELU: VisionTransformer = vit(Variant::Clip { quick_gelu: true });
const SWIN: SwinTransformer =
    SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] };
const CONVIT: ConVit = ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 };

const ALL: [(&str, &dyn Architecture); 7] = [
    ("distilled", &DISTILLED),
    ("dinov2", &DINOV2),
    ("dinov2_reg4", &DINOV2_REG4),
    ("clip", &CLIP),
    ("clip_quickgelu", &CLIP_QUICKGELU),
    ("swin", &SWIN),
    ("convit", &CONVIT),
];

#[test]
fn values_gradients_and_cuts_equal_timms() {
    for (name, architecture) in ALL {
        check(&Family { golden: GOLDEN, name, architecture, size: (32, 32) });
    }
}

fn model(architecture: &dyn Architecture) -> Model {
    let graph = architecture.graph(10).unwrap();
    let (cam_node, feature_node) = (architecture.cam_node(), architecture.feature_node());
    let spec = ModelSpec { classes: 10, cam_node, feature_node, ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn input() -> Tensor {
    let shape = [2, 3, 32, 32];
    Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap()
}

/// Along the gradient, the slope of the logits is the square of the gradient's length.
#[test]
fn gradients_equal_finite_differences() {
    for (name, architecture) in ALL {
        let (model, x) = (model(architecture), Var::from_tensor(&input()).unwrap());
        let decision = |x: &Tensor| model.forward(x).unwrap().narrow(1, 3, 1).unwrap().sum_all().unwrap();
        let gradients = decision(x.as_tensor()).backward().unwrap();
        let gradient = gradients.get(&x).unwrap();
        let square = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        let step = 0.05 / square.sqrt();
        let at = |step: f32| {
            let x = (x.as_detached_tensor() + (gradient * f64::from(step)).unwrap()).unwrap();
            decision(&x).to_scalar::<f32>().unwrap()
        };
        let slope = (at(step) - at(-step)) / (2.0 * step);
        assert!((slope - square).abs() < 0.01 * square, "{name}: {slope} instead of {square}");
    }
}

/// The rows and columns of values are those of the image: a change of one corner stays in the first window, of 4 × 4
/// patches, and then in the windows shifted by 2 that overlap it.
#[test]
fn windows_keep_the_positions_of_the_image() {
    let x = input();
    let corner = x.narrow(2, 0, 2).unwrap().narrow(3, 0, 2).unwrap();
    let changed = x.slice_assign(&[0..2, 0..3, 0..2, 0..2], &(corner + 0.5).unwrap()).unwrap();
    let model = model(&SWIN);
    for (node, reach) in [("patch_embed", 1), ("layers.0.blocks.0", 4), ("layers.0.blocks.1", 6)] {
        let layout = model.graph().node(model.graph().find(node).unwrap()).layout;
        let positions = |x: &Tensor| layout.positions(&model.value(node, x).unwrap()).unwrap().unwrap();
        let (before, after) = (positions(&x), positions(&changed));
        let moved = (after.values - before.values).unwrap().abs().unwrap().sum(2).unwrap().to_vec2::<f32>().unwrap();
        for (position, moved) in moved[0].iter().enumerate() {
            let (row, column) = (position / before.w, position % before.w);
            assert_eq!(*moved > 0.0, row < reach && column < reach, "{node}: row {row}, column {column}");
        }
    }
}

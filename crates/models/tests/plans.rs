//! Plans against the reference executor, for a small network of each family: the value of every node, and the same bits in
//! any batch, on any number of threads and on every instruction set.

mod small;

use candle_core::{DType, Device, Tensor};
use hard_imagenet_cpu::Isa;
use hard_imagenet_graph::{Graph, NodeId, WeightMap, fold_batch_norm, run_from};
use hard_imagenet_models::families::convit::ConVit;
use hard_imagenet_models::families::resnet::{Block, ResNet, Stem};
use hard_imagenet_models::families::swin::SwinTransformer;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, generated};
use hard_imagenet_plan::Engine;
use small::{CLIP, CONVNEXT, DENSENET, EFFICIENTNET, GAIN, MOBILENET_V3, MOBILENET_V4, RESNEXT, VGG, VGG_BN};

const fn vit(variant: Variant) -> VisionTransformer {
    VisionTransformer { image: 32, patch: 8, width: 32, depth: 2, heads: 2, variant }
}

const RESNET18: ResNet =
    ResNet { stem: Stem::ImageNet, stem_width: 16, block: Block::Basic, stages: &[(16, 1), (32, 2)] };
const RESNET50: ResNet =
    ResNet { stem: Stem::ImageNet, stem_width: 64, block: Block::Bottleneck, stages: &[(64, 2), (128, 1)] };
const VIT: VisionTransformer = vit(Variant::Plain);
const DISTILLED: VisionTransformer = vit(Variant::Distilled);
const DINOV2: VisionTransformer = vit(Variant::DinoV2 { registers: 4, mean: true });
const CLIP_VIT: VisionTransformer = vit(Variant::Clip { quick_gelu: true });
const SWIN: SwinTransformer =
    SwinTransformer { image: 32, patch: 2, window: 4, width: 16, stages: &[(2, 1), (2, 2), (2, 4)] };
const CONVIT: ConVit = ConVit { image: 32, patch: 8, width: 32, depth: 3, heads: 2, local: 2 };

/// Each family with a size that its windows do not divide, where it accepts one.
const ALL: [(&str, &dyn Architecture, (usize, usize)); 17] = [
    ("resnet18", &RESNET18, (61, 45)),
    ("resnet50", &RESNET50, (64, 50)),
    ("resnext", &RESNEXT, (64, 64)),
    ("vgg", &VGG, (28, 28)),
    ("vgg_bn", &VGG_BN, (28, 28)),
    ("densenet", &DENSENET, (37, 50)),
    ("clip_resnet", &CLIP, (32, 32)),
    ("convnext", &CONVNEXT, (107, 70)),
    ("efficientnet", &EFFICIENTNET, (43, 38)),
    ("mobilenet_v3", &MOBILENET_V3, (35, 30)),
    ("mobilenet_v4", &MOBILENET_V4, (35, 30)),
    ("vit", &VIT, (32, 32)),
    ("distilled", &DISTILLED, (32, 32)),
    ("dinov2", &DINOV2, (32, 32)),
    ("clip_vit", &CLIP_VIT, (32, 32)),
    ("swin", &SWIN, (32, 32)),
    ("convit", &CONVIT, (32, 32)),
];

fn images(count: usize, (h, w): (usize, usize)) -> Tensor {
    let shape = [count, 3, h, w];
    Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
}

fn network(architecture: &dyn Architecture) -> (Graph, WeightMap) {
    let graph = architecture.graph(10).unwrap();
    let mut weights = generated::weights(&graph).unwrap();
    for weight in weights.values_mut().filter(|weight| weight.rank() == 4) {
        *weight = weight.affine(GAIN, 0.0).unwrap();
    }
    (graph, weights)
}

fn ids(graph: &Graph) -> Vec<NodeId> {
    graph.nodes().iter().map(|node| graph.find(&node.name).unwrap()).collect()
}

fn elements(x: &Tensor) -> Vec<f32> {
    x.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Checks that errors are below 1e-4 of the standard deviation of the expected values.
fn near(got: &Tensor, want: &Tensor, what: &str) {
    assert_eq!(got.dims(), want.dims(), "{what}");
    let (got, want) = (elements(got), elements(want));
    let mean = want.iter().sum::<f32>() / want.len() as f32;
    let deviation = (want.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / want.len() as f32).sqrt();
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let error = (got - want).abs();
        assert!(error <= 1e-4 * deviation + 1e-6, "{what}: element {i} is {got}, not {want} (deviation {deviation})");
    }
}

#[test]
fn every_node_equals_the_reference() {
    for (name, architecture, size) in ALL {
        let (graph, weights) = network(architecture);
        let x = images(2, size);
        let folded = fold_batch_norm(&graph, weights.clone()).unwrap();
        for (form, (graph, weights)) in [("folded", folded), ("unfolded", (graph, weights))] {
            let engine = Engine::default();
            let wanted = ids(&graph);
            let want = run_from(&graph, &weights, &[(graph.input(), x.clone())], &wanted).unwrap();
            // All at once, so that nothing is fused, ..
            let got = engine.run(&graph, &weights, &x, &wanted).unwrap();
            for ((got, want), node) in got.iter().zip(&want).zip(graph.nodes()) {
                near(got, want, &format!("{name}, {form}: {}", node.name));
            }
            // .. and each alone, so that everything before it is.
            for ((id, want), node) in wanted.iter().zip(&want).zip(graph.nodes()) {
                let got = engine.run(&graph, &weights, &x, &[*id]).unwrap().remove(0);
                near(&got, want, &format!("{name}, {form}: {} alone", node.name));
            }
        }
    }
}

#[test]
fn logits_have_the_same_bits_everywhere() {
    for (name, architecture, size) in ALL {
        let (graph, weights) = network(architecture);
        let (graph, weights) = fold_batch_norm(&graph, weights).unwrap();
        let x = images(7, size);
        let logits = |engine: &Engine, x: &Tensor| {
            elements(&engine.run(&graph, &weights, x, &[graph.output()]).unwrap().remove(0))
        };
        let want = logits(&Engine::default(), &x);
        for isa in Isa::available() {
            for threads in [1, 2, 3] {
                let engine = Engine::new(isa);
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let got = pool.install(|| logits(&engine, &x));
                assert_eq!(got, want, "{name}: {isa:?}, {threads} threads");
                let alone = pool.install(|| logits(&engine, &x.narrow(0, 3, 1).unwrap()));
                assert_eq!(alone, want[30..40], "{name}: {isa:?}, {threads} threads, alone");
            }
        }
    }
}

/// Products of bf16 numbers change logits by about 1 % of their deviation, and are computed identically with and without instructions
/// for them.
#[test]
fn logits_in_bf16_are_near_and_have_the_same_bits_everywhere() {
    for (name, architecture, size) in ALL {
        let (graph, weights) = network(architecture);
        let (graph, weights) = fold_batch_norm(&graph, weights).unwrap();
        let x = images(5, size);
        let logits = |engine: &Engine, x: &Tensor| {
            elements(&engine.run(&graph, &weights, x, &[graph.output()]).unwrap().remove(0))
        };
        let exact = logits(&Engine::default(), &x);
        let want = logits(&Engine::new_bf16(Isa::best()), &x);
        let rms = |values: &[f32]| (values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32).sqrt();
        let mean = exact.iter().sum::<f32>() / exact.len() as f32;
        let deviation = rms(&exact.iter().map(|x| x - mean).collect::<Vec<_>>());
        let error = rms(&exact.iter().zip(&want).map(|(a, b)| a - b).collect::<Vec<_>>());
        assert!(error > 0.0 && error < 0.03 * deviation, "{name}: {error}, deviation {deviation}");
        for isa in Isa::available() {
            let got = logits(&Engine::new_bf16(isa), &x);
            assert_eq!(got, want, "{name}: {isa:?}");
            let alone = logits(&Engine::new_bf16(isa), &x.narrow(0, 3, 1).unwrap());
            assert_eq!(alone, want[30..40], "{name}: {isa:?}, alone");
        }
    }
}

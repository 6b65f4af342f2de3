//! Images of a batch do not see each other: every explainer, one image at a time and together, at every node that has
//! rows and columns, in a convolutional network and a transformer.

#[path = "../../models/tests/device/mod.rs"]
mod device;

use candle_core::{DType, Tensor};
use device::device;
use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
use hard_imagenet_models::{Architecture, Model, ModelSpec, Network, generated, zoo};
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_saliency::{EXPLAINERS, Explain, ExplainError, ExplainRequest, Explanation, Rise, parse};
use std::ops::ControlFlow;

fn planted() -> Model {
    let graph = zoo::graph("planted_resnet", 8).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let spec = zoo::spec("planted_resnet").unwrap();
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn tiny_vit() -> Model {
    let vit = VisionTransformer { image: 32, patch: 8, width: 16, depth: 2, heads: 2, variant: Variant::Plain };
    let graph = vit.graph(5).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let spec =
        ModelSpec { classes: 5, cam_node: "blocks.1.norm1".into(), ..zoo::spec("deit_tiny_patch16_224").unwrap() };
    Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap()
}

fn input(batch: usize) -> Tensor {
    let shape = [batch, 3, 32, 32];
    Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap()
}

/// Passes done, and of how many, as often as they were reported.
type Heard = Vec<(usize, usize)>;

/// Explanations of some of two images; whoever asks breaks off at report number `last`.
fn ask(
    explainer: &dyn Explain,
    model: &Model,
    images: &[usize],
    last: usize,
) -> Result<(Vec<Explanation>, Heard), ExplainError> {
    let both = input(2);
    let rows: Vec<Tensor> = images.iter().map(|&i| both.narrow(0, i, 1).unwrap()).collect();
    let x = Tensor::cat(&rows, 0).unwrap();
    let classes: Vec<u32> = images.iter().map(|&i| [1, 4][i]).collect();
    let keys: Vec<NoiseKey> = images.iter().map(|&i| NoiseKey(i as u64)).collect();
    let mut heard = Vec::new();
    let progress = &mut |done, of| {
        heard.push((done, of));
        if heard.len() == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let answer =
        explainer.explain_request(ExplainRequest { model, x: &x, classes: &classes, keys: &keys, progress })?;
    Ok((answer, heard))
}

fn check(model: &Model, word: &str) {
    // A thousand masks would show no more.
    let explainer: Box<dyn Explain> = match word {
        "rise" => Box::new(Rise { masks: 20, ..Rise::default() }),
        word => parse(word).unwrap(),
    };
    let maps = |images: &[usize]| ask(&*explainer, model, images, 0).unwrap_or_else(|e| panic!("{word}: {e}")).0;
    let both = maps(&[1, 0]);
    for (place, image) in [1, 0].into_iter().enumerate() {
        let alone = maps(&[image]).remove(0);
        let largest = alone.raw.as_slice().iter().fold(0f32, |m, v| m.max(v.abs()));
        let pairs = alone.raw.as_slice().iter().zip(both[place].raw.as_slice());
        let error = pairs.fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        // Nothing at all behind the last attention: there the class token alone matters.
        assert!(error <= 1e-4 * largest, "{word}: {error} of {largest}");
        assert_eq!((alone.map.height(), alone.map.width()), (32, 32), "{word}");
    }
}

#[test]
fn every_explainer_at_every_node() {
    for model in [planted(), tiny_vit()] {
        let convolutional = model.spec().name.starts_with("planted");
        for one in EXPLAINERS {
            if convolutional && ["rollout", "attention"].contains(&one.word) {
                continue; // It has no attention.
            }
            check(&model, one.word);
            for node in model.nodes().filter(|node| one.takes_node() && node.layout.has_positions()) {
                check(&model, &format!("{}:{}", one.word, node.name));
            }
        }
    }
}

#[test]
fn many_passes_are_reported_and_can_be_stopped() {
    let model = tiny_vit();
    for word in ["scorecam", "ablationcam"] {
        let explainer = parse(word).unwrap();
        let (_, heard) = ask(&*explainer, &model, &[0, 1], 0).unwrap();
        assert_eq!(heard, [(16, 32), (32, 32)], "{word}: sixteen channels an image");
        assert!(matches!(ask(&*explainer, &model, &[0, 1], 1), Err(ExplainError::Canceled)));
    }
    for (word, of) in [("smoothgrad", 50), ("integrated-gradients", 50), ("rise", 1000)] {
        let explainer = parse(word).unwrap();
        let (_, heard) = ask(&*explainer, &model, &[0, 1], 0).unwrap();
        assert_eq!((heard[0], heard[heard.len() - 1]), ((16, 2 * of), (2 * of, 2 * of)), "{word}");
        assert!(matches!(ask(&*explainer, &model, &[0, 1], 1), Err(ExplainError::Canceled)));
    }
}

#[test]
fn what_is_drawn_follows_from_the_key() {
    let model = tiny_vit();
    for one in EXPLAINERS {
        let explainer = parse(one.word).unwrap();
        let error = explainer.explain(&model, &input(2), &[0, 0]).err();
        let needs_keys = matches!(&error, Some(ExplainError::Keys { images: 2, keys: 0, .. }));
        assert_eq!(explainer.is_random(), needs_keys, "{}: {error:?}", one.word);
    }
    let explainer = parse("random").unwrap();
    let maps = ask(&*explainer, &model, &[0, 1, 0], 0).unwrap().0;
    assert_eq!(maps[0], maps[2]);
    assert_ne!(maps[0], maps[1]);
    assert!(maps[0].raw.as_slice().iter().all(|v| (0.0..1.0).contains(v)));
    let error = explainer.explain(&model, &input(2), &[0, 0]).unwrap_err().to_string();
    assert!(error.contains("random draws random numbers: 2 images need as many keys, got 0"), "{error}");
}

#[test]
fn the_centre_is_in_the_centre() {
    let map = parse("centre").unwrap().explain(&planted(), &input(1), &[0]).unwrap().remove(0).map;
    let on = map.as_slice().iter().filter(|v| **v >= 0.5).count();
    // π · 2 ln 2 / 16 of the picture for the Gaussian itself; a little less, for its corners are scaled to 0.
    assert!((250..280).contains(&on), "{on} of 1024");
    assert_eq!(map.as_slice()[15 * 32 + 16], map.as_slice()[16 * 32 + 15]);
    assert!(map.as_slice()[16 * 32 + 16] > 0.999);
}

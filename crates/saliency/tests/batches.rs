//! The images of a batch do not influence each other. Every explainer is run with one image at a time and with two, at
//! every node that has rows and columns, in a convolutional network and in a transformer.

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

/// The reported progress: passes done and their total.
type Reports = Vec<(usize, usize)>;

/// Explains some of two images and cancels at report number `last`.
fn explain(
    explainer: &dyn Explain,
    model: &Model,
    images: &[usize],
    last: usize,
) -> Result<(Vec<Explanation>, Reports), ExplainError> {
    let both = input(2);
    let rows: Vec<Tensor> = images.iter().map(|&i| both.narrow(0, i, 1).unwrap()).collect();
    let x = Tensor::cat(&rows, 0).unwrap();
    let classes: Vec<u32> = images.iter().map(|&i| [1, 4][i]).collect();
    let keys: Vec<NoiseKey> = images.iter().map(|&i| NoiseKey(i as u64)).collect();
    let mut reports = Vec::new();
    let progress = &mut |done, of| {
        reports.push((done, of));
        if reports.len() == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let answer =
        explainer.explain_request(ExplainRequest { model, x: &x, classes: &classes, keys: &keys, progress })?;
    Ok((answer, reports))
}

fn check(model: &Model, word: &str) {
    // A thousand masks would not test more.
    let explainer: Box<dyn Explain> = match word {
        "rise" => Box::new(Rise { masks: 20, ..Rise::default() }),
        word => parse(word).unwrap(),
    };
    let maps = |images: &[usize]| explain(&*explainer, model, images, 0).unwrap_or_else(|e| panic!("{word}: {e}")).0;
    let both = maps(&[1, 0]);
    for (place, image) in [1, 0].into_iter().enumerate() {
        let alone = maps(&[image]).remove(0);
        let largest = alone.raw.as_slice().iter().fold(0f32, |m, v| m.max(v.abs()));
        let pairs = alone.raw.as_slice().iter().zip(both[place].raw.as_slice());
        let error = pairs.fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        // After the last attention the largest value is 0, because only the class token matters there.
        assert!(error <= 1e-4 * largest, "{word}: {error} of {largest}");
        assert_eq!((alone.map.height(), alone.map.width()), (32, 32), "{word}");
    }
}

#[test]
fn explanations_do_not_depend_on_the_batch() {
    for model in [planted(), tiny_vit()] {
        let convolutional = model.spec().name.starts_with("planted");
        for one in EXPLAINERS {
            if convolutional && ["rollout", "attention"].contains(&one.word) {
                continue; // A convolutional network has no attention.
            }
            check(&model, one.word);
            for node in model.nodes().filter(|node| one.takes_node() && node.layout.has_positions()) {
                check(&model, &format!("{}:{}", one.word, node.name));
            }
        }
    }
}

#[test]
fn many_passes_report_progress_and_can_be_canceled() {
    let model = tiny_vit();
    for word in ["scorecam", "ablationcam"] {
        let explainer = parse(word).unwrap();
        let (_, reports) = explain(&*explainer, &model, &[0, 1], 0).unwrap();
        assert_eq!(reports, [(16, 32), (32, 32)], "{word}: sixteen channels per image");
        assert!(matches!(explain(&*explainer, &model, &[0, 1], 1), Err(ExplainError::Canceled)));
    }
    for (word, of) in [("smoothgrad", 50), ("integrated-gradients", 50), ("rise", 1000)] {
        let explainer = parse(word).unwrap();
        let (_, reports) = explain(&*explainer, &model, &[0, 1], 0).unwrap();
        assert_eq!((reports[0], reports[reports.len() - 1]), ((16, 2 * of), (2 * of, 2 * of)), "{word}");
        assert!(matches!(explain(&*explainer, &model, &[0, 1], 1), Err(ExplainError::Canceled)));
    }
}

#[test]
fn random_numbers_follow_from_the_key() {
    let model = tiny_vit();
    for one in EXPLAINERS {
        let explainer = parse(one.word).unwrap();
        let error = explainer.explain(&model, &input(2), &[0, 0]).err();
        let needs_keys = matches!(&error, Some(ExplainError::Keys { images: 2, keys: 0, .. }));
        assert_eq!(explainer.is_random(), needs_keys, "{}: {error:?}", one.word);
    }
    let explainer = parse("random").unwrap();
    let maps = explain(&*explainer, &model, &[0, 1, 0], 0).unwrap().0;
    assert_eq!(maps[0], maps[2]);
    assert_ne!(maps[0], maps[1]);
    assert!(maps[0].raw.as_slice().iter().all(|v| (0.0..1.0).contains(v)));
    let error = explainer.explain(&model, &input(2), &[0, 0]).unwrap_err().to_string();
    assert!(error.contains("random draws random numbers: 2 images need as many keys, got 0"), "{error}");
}

#[test]
fn the_center_prior_is_highest_in_the_center() {
    let map = parse("centre").unwrap().explain(&planted(), &input(1), &[0]).unwrap().remove(0).map;
    let on = map.as_slice().iter().filter(|v| **v >= 0.5).count();
    // The Gaussian itself is above one half on π · 2 ln 2 / 16 of the image; the map on a little less, because its
    // corners are scaled to 0.
    assert!((250..280).contains(&on), "{on} of 1024");
    assert_eq!(map.as_slice()[15 * 32 + 16], map.as_slice()[16 * 32 + 15]);
    assert!(map.as_slice()[16 * 32 + 16] > 0.999);
}

//! Insertion, deletion and ROAD against pytorch-grad-cam, SciPy and the authors' code, restated
//! (`golden/make_faithfulness.py`); weights and inputs are numbers generated from names.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_masks::{Heatmap, Mask};
use hard_imagenet_models::{Architecture, Block, Model, ModelSpec, ResNet, Stem, generated, zoo};
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_saliency::{
    Curve, ExplainError, Question, Road, Steps, deletion, insertion, linear_imputation, road,
};
use std::collections::HashMap;
use std::ops::ControlFlow;

fn resnet() -> Model {
    let stages = &[(64, 1), (128, 1), (256, 1), (512, 1)];
    let resnet = ResNet { stem: Stem::ImageNet, stem_width: 64, block: Block::Basic, stages };
    let graph = resnet.graph(10).unwrap();
    let spec = ModelSpec { classes: 10, ..zoo::spec("resnet18").unwrap() };
    let weights = generated::weights(&graph).unwrap();
    Model::new(spec, &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap()
}

fn input() -> Tensor {
    let shape = [2, 3, 32, 32];
    Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
}

fn golden() -> HashMap<String, Tensor> {
    let golden = candle_core::safetensors::load_buffer(include_bytes!("golden/faithfulness.safetensors"), &Device::Cpu);
    golden.unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn maps() -> Vec<Heatmap> {
    let map = |image| Heatmap::from_vec(32, 32, values(&golden()["maps"].get(image).unwrap()));
    vec![map(0), map(1)]
}

fn close(case: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{case}");
    let error = got.iter().zip(want).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(error < 1e-5, "{case}: {error}");
}

/// Asks of images in the given order, with the numbers of passes that are reported; a break after the `last`.
fn ask<T>(
    model: &Model,
    images: &[usize],
    last: usize,
    how: impl FnOnce(Question<'_>, &[Heatmap]) -> Result<T, ExplainError>,
) -> Result<(T, Vec<(usize, usize)>), ExplainError> {
    let x =
        input().index_select(&Tensor::new(images.iter().map(|i| *i as u32).collect::<Vec<_>>(), &Device::Cpu)?, 0)?;
    let classes: Vec<u32> = images.iter().map(|i| [3, 7][*i]).collect();
    let keys: Vec<NoiseKey> = images.iter().map(|i| NoiseKey(*i as u64)).collect();
    let maps: Vec<Heatmap> = images.iter().map(|i| maps()[*i].clone()).collect();
    let mut heard = Vec::new();
    let progress = &mut |done, of| {
        heard.push((done, of));
        if heard.len() == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let answer = how(Question { model, x: &x, classes: &classes, keys: &keys, progress }, &maps)?;
    Ok((answer, heard))
}

/// [`deletion`] or [`insertion`].
type Method = fn(Question<'_>, &[Heatmap], &Steps) -> Result<Vec<Option<Curve>>, ExplainError>;

#[test]
fn imputed_pictures() {
    let golden = golden();
    for case in ["scattered", "disc", "corner"] {
        let removed = golden[&format!("imputed.{case}.removed")].flatten_all().unwrap().to_vec1::<u8>().unwrap();
        let removed = Mask::from_vec(32, 32, removed).unwrap();
        let got = linear_imputation(&input().get(0).unwrap(), &removed).unwrap();
        close(case, &values(&got), &values(&golden[&format!("imputed.{case}")]));
    }
}

#[test]
fn curves_and_their_areas() {
    let (model, golden) = (resnet(), golden());
    let check = |name: &str, how: Method| {
        let (curves, heard) = ask(&model, &[0, 1], 0, |q, maps| how(q, maps, &Steps::default())).unwrap();
        for (image, curve) in curves.into_iter().enumerate() {
            let curve = curve.unwrap();
            close(name, &curve.probabilities, &values(&golden[name].get(image).unwrap()));
            close(name, &[curve.area()], &[values(&golden[&format!("{name}.area")])[image]]);
        }
        assert_eq!(heard, [(16, 58), (29, 58), (45, 58), (58, 58)], "{name}");
        let fewer = Steps { batch: 5, ..Steps::default() };
        let (alone, _) = ask(&model, &[1], 0, |q, maps| how(q, maps, &fewer)).unwrap();
        close(name, &alone[0].as_ref().unwrap().probabilities, &values(&golden[name].get(1).unwrap()));
        let stopped = ask(&model, &[0, 1], 2, |q, maps| how(q, maps, &fewer));
        assert!(matches!(stopped, Err(ExplainError::Stopped)), "{name}");
    };
    check("deletion", deletion);
    check("insertion", insertion);
}

#[test]
fn road_without_and_with_noise() {
    let model = resnet();
    let scores = |images: &[usize], noise: f64, batch: usize| {
        let options = Road { noise, batch, ..Road::default() };
        let (scores, heard) = ask(&model, images, 0, |q, maps| road(q, maps, &options)).unwrap();
        assert_eq!(heard.last(), Some(&(18 * images.len(), 18 * images.len())));
        scores.into_iter().map(Option::unwrap).collect::<Vec<f32>>()
    };
    let want = values(&golden()["road"]);
    assert!(want.iter().all(|v| v.abs() > 5e-4), "too small to tell: {want:?}");
    close("road", &scores(&[0, 1], 0.0, 16), &want);
    let noisy = scores(&[1, 0], 0.5, 16);
    assert!((noisy[1] - want[0]).abs() > 1e-4, "{noisy:?}");
    close("alone", &scores(&[0], 0.5, 7), &noisy[1..]);
}

#[test]
fn a_map_without_order_has_no_score() {
    let (model, x) = (resnet(), input());
    let flat = [Heatmap::from_vec(32, 32, vec![0.5; 1024]), maps().remove(1)];
    let progress = &mut |_, _| ControlFlow::Continue(());
    let few = Steps { steps: 2, batch: 16 };
    let question = Question { model: &model, x: &x, classes: &[3, 7], keys: &[], progress };
    let curves = deletion(question, &flat, &few).unwrap();
    assert!(curves[0].is_none() && curves[1].is_some());
    let one = Road { percentiles: vec![50.0], noise: 0.0, batch: 16 };
    let question = Question { model: &model, x: &x, classes: &[3, 7], keys: &[], progress };
    let scores = road(question, &flat, &one).unwrap();
    assert!(scores[0].is_none() && scores[1].is_some());
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (model, x) = (resnet(), input());
    let fails = |maps: &[Heatmap], classes: &[u32], options: &Road, part: &str| {
        let question =
            Question { model: &model, x: &x, classes, keys: &[], progress: &mut |_, _| ControlFlow::Continue(()) };
        let error = road(question, maps, options).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let quiet = Road { noise: 0.0, ..Road::default() };
    fails(&maps()[..1], &[3, 7], &quiet, "2 images need as many maps, got 1");
    fails(&maps(), &[3], &quiet, "2 images need as many classes, got 1");
    fails(&maps(), &[3, 7], &Road::default(), "road draws random numbers: 2 images need as many keys, got 0");
    fails(&maps(), &[3, 10], &quiet, "class 10 of a model with 10 classes");
    fails(
        &vec![Heatmap::from_vec(7, 7, vec![0.0; 49]); 2],
        &[3, 7],
        &quiet,
        "a map of 7 × 7 does not fit a picture of 32 × 32",
    );
}

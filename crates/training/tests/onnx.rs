//! Networks from ONNX files are finetuned, and their weights load again.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_datasets::{PlantedConfig, PlantedCues};
use hard_imagenet_models::{Network, WeightMap, onnx, zoo};
use hard_imagenet_training::{Objective, Recipe, TrainableWeights, Trainer, replace_head};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden").join(file)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Gives a network eight classes, trains some of its weights, and loads the result with the ONNX file. The weights in
/// `held` must not change.
fn check(file: &str, part: TrainableWeights, objective: &str, held: &[&str]) {
    let path = golden(file);
    let start = replace_head(onnx::read(&path, None, None).unwrap(), 8, 1).unwrap();
    let objective = Objective::parse(objective).unwrap();
    let recipe = Recipe { trainable: part.clone(), objective, epochs: 2, batch_size: 8, ..Recipe::default() };
    let data = PlantedCues::new(PlantedConfig::train(0.9), 5, 16, 64).unwrap();
    let tuned = Trainer::new(start.clone(), recipe).train(&data, |_| ControlFlow::Continue(())).unwrap().network;
    let stays = |name: &str| values(&tuned.weights[name]) == values(&start.weights[name]);
    for name in held {
        assert!(stays(name), "{file}: {name}");
    }
    let learned = tuned.graph.parameters().into_iter().filter(|p| !stays(&p.name)).count();
    assert!(learned >= if part == TrainableWeights::All { start.weights.len() / 2 } else { 1 }, "{file}: {learned}");

    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("tuned.safetensors");
    let saved: HashMap<&String, Tensor> = tuned.weights.iter().map(|(name, tensor)| (name, tensor.detach())).collect();
    candle_core::safetensors::save(&saved, &weights).unwrap();
    let again = onnx::read(&path, Some(&weights), None).unwrap();
    assert_eq!(again.spec.classes, 8);
    assert_ne!(again.weights_sha256, start.weights_sha256);
    let again = again.into_model(&Device::Cpu, DType::F32).unwrap();
    let model = tuned.into_model(&Device::Cpu, DType::F32).unwrap();
    let (height, width) = model.spec().preprocess.input;
    let x = Tensor::rand(-1f32, 1.0, (2, 3, height, width), &Device::Cpu).unwrap();
    assert_eq!(values(&again.forward(&x).unwrap()), values(&model.forward(&x).unwrap()), "{file}");
    // The weights do not load into another network.
    let error = onnx::read(&golden("sharp_old_any.onnx"), Some(&weights), None).unwrap_err().to_string();
    assert!(error.contains("tuned.safetensors") && error.contains("missing"), "{error}");
}

#[test]
fn networks_of_all_exporters_learn() {
    check("cnn_old_any.onnx", TrainableWeights::All, "erm", &[]);
    check("cnn_new_any.onnx", TrainableWeights::All, "input-gradient", &[]);
    check("vit_older_any.onnx", TrainableWeights::Head, "erm", &["cls_token", "pos_embed", "blocks.0.norm1.weight"]);
    check("vit_old_any.onnx", TrainableWeights::All, "grad-cam", &["cls_token", "pos_embed"]);
    check("swin_new_any.onnx", TrainableWeights::All, "erm", &[]);
}

#[test]
fn a_network_with_two_last_layers_gets_no_new_head() {
    let name = "deit_tiny_distilled_patch16_224";
    let (spec, graph) = (zoo::spec(name).unwrap(), zoo::graph(name, 4).unwrap());
    let weights = WeightMap::new();
    let network = Network::new(spec, graph, weights, "");
    let error = replace_head(network, 8, 0).unwrap_err().to_string();
    assert!(error.contains("distilled") && error.contains("one linear layer"), "{error}");
}

//! Weights from files of every supported format, and errors for others.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_models::{Model, ModelError, WeightMap, Weights, generated, zoo};
use std::path::Path;

const MODEL: &str = "planted_resnet";

fn weights() -> WeightMap {
    generated::weights(&zoo::graph(MODEL, 8).unwrap()).unwrap()
}

fn load(path: &Path) -> Result<Model, ModelError> {
    zoo::load(MODEL, &Weights::File(path.to_owned()), &Device::Cpu, DType::F32)
}

/// Writes the changed weights and returns the error of loading them.
fn error_of(model: &str, change: impl Fn(&mut WeightMap)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let mut weights = weights();
    change(&mut weights);
    candle_core::safetensors::save(&weights, &path).unwrap();
    zoo::load(model, &Weights::File(path), &Device::Cpu, DType::F32).unwrap_err().to_string()
}

#[test]
fn a_folder_is_searched_with_and_without_the_tag() {
    let folder = tempfile::tempdir().unwrap();
    let weights = Weights::Folder(folder.path().to_owned());
    let error = zoo::load("resnet18", &weights, &Device::Cpu, DType::F32).unwrap_err().to_string();
    for part in ["no weights of resnet18.tv_in1k", "resnet18.tv_in1k.safetensors, resnet18.safetensors", "resnet18.pth"]
    {
        assert!(error.contains(part), "{error}");
    }
    generated::write(&zoo::graph("resnet18", 3).unwrap(), &folder.path().join("resnet18.safetensors")).unwrap();
    let model = zoo::load("resnet18.tv_in1k", &weights, &Device::Cpu, DType::F32).unwrap();
    assert_eq!(model.spec().classes, 3, "the head has as many rows as in the file");
}

#[test]
fn the_hash_is_that_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    generated::write(&zoo::graph(MODEL, 8).unwrap(), &path).unwrap();
    let bytes: &'static [u8] = Box::leak(std::fs::read(&path).unwrap().into_boxed_slice());
    let from_file = load(&path).unwrap();
    let from_bytes = zoo::load(MODEL, &Weights::Bytes(bytes), &Device::Cpu, DType::F32).unwrap();
    assert_eq!(from_file.weights_sha256().len(), 64);
    assert_eq!(from_file.weights_sha256(), from_bytes.weights_sha256());
}

#[test]
fn prefixes_of_wrappers_and_counters_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let counter = Tensor::new(7i64, &Device::Cpu).unwrap();
    let renamed = weights().into_iter().map(|(name, t)| (format!("module.model.{name}"), t));
    let renamed: WeightMap = renamed.chain([("module.model.bn1.num_batches_tracked".into(), counter)]).collect();
    candle_core::safetensors::save(&renamed, &path).unwrap();
    load(&path).unwrap();
}

#[test]
fn one_error_lists_all_differences() {
    let error = error_of(MODEL, |weights| {
        let fc = weights.remove("fc.bias").unwrap();
        weights.insert("fc.offset".into(), fc);
        weights.insert("bn1.weight".into(), Tensor::zeros(5, DType::F32, &Device::Cpu).unwrap());
    });
    for part in [
        "weights.safetensors does not contain the weights of planted_resnet",
        "1 missing: fc.bias",
        "1 not of this model: fc.offset",
        "1 of another shape: bn1.weight is [5] instead of [24]",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn weights_of_another_model_are_recognized() {
    let error = error_of("resnet18", |_| ());
    assert!(error.contains("these look like weights of planted_resnet"), "{error}");
}

#[test]
fn files_without_weights_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8], part: &str| {
        let path = folder.path().join("weights.pth");
        std::fs::write(&path, bytes).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(error.contains("weights.pth") && error.contains(part), "{error}");
    };
    check(b"not a model", "contains no readable weights");
    check(b"PK\x03\x04 not a zip", "contains no readable weights");
    check(b"\x80\x02}q\x00.", "torch.save did not write it");
    let error = load(&folder.path().join("absent.pth")).unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("absent.pth"), "{error}");
}

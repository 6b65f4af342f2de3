//! Tokens and features of texts against transformers and open_clip, and classifiers made from the names of classes.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::{DType, Device, Tensor};
use hard_imagenet_models::{ClipText, WeightMap, Weights, generated, zero_shot, zoo};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that `golden/make_clip_text.py` writes.
#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    tokens: Vec<Vec<u32>>,
    towers: Vec<Tower>,
}

#[derive(Deserialize)]
struct Tower {
    tensors: BTreeMap<String, Vec<usize>>,
    quick_gelu: bool,
    features: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/clip_text.json")).unwrap()
}

fn tokenizer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/clip_tokenizer.json")
}

fn save(tensors: &BTreeMap<String, Vec<usize>>, path: &Path) {
    let tensor = |name: &str, shape: &[usize]| Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu);
    let weights: WeightMap = tensors.iter().map(|(name, shape)| (name.clone(), tensor(name, shape).unwrap())).collect();
    candle_core::safetensors::save(&weights, path).unwrap();
}

fn check(tower: &ClipText, texts: &[String], tokens: &[Vec<u32>], features: &[f32]) {
    for (text, want) in texts.iter().zip(tokens) {
        assert_eq!(&tower.tokens(text).unwrap(), want, "{text:?}");
    }
    let got = tower.features(texts).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let largest = features.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    assert_eq!(got.len(), features.len());
    for (got, want) in got.iter().zip(features) {
        assert!((got - want).abs() < 1e-4 * largest, "{got} instead of {want}");
    }
}

#[test]
fn tokens_and_features_equal_those_of_the_libraries() {
    let Golden { texts, tokens, towers } = golden();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.safetensors");
    for Tower { tensors, quick_gelu, features } in towers {
        save(&tensors, &path);
        check(&ClipText::open(&path, &tokenizer(), quick_gelu).unwrap(), &texts, &tokens, &features);
    }
}

#[test]
#[ignore = "needs a CLIP of full size: python crates/models/tests/golden/make_clip_text.py F; HARD_IMAGENET_CLIP=F cargo test --release -p hard-imagenet-models --test clip_text -- --ignored"]
fn a_clip_of_full_size_equals_open_clip() {
    #[derive(Deserialize)]
    struct FullSize {
        texts: Vec<String>,
        tokens: Vec<Vec<u32>>,
        features: Vec<f32>,
        names: Vec<String>,
        templates: Vec<String>,
        logits: Vec<f32>,
    }
    let folder = PathBuf::from(std::env::var_os("HARD_IMAGENET_CLIP").expect("HARD_IMAGENET_CLIP is a folder"));
    let text = std::fs::read_to_string(folder.join("clip_text.json")).unwrap();
    let FullSize { texts, tokens, features, names, templates, logits } = serde_json::from_str(&text).unwrap();
    let (clip, tokenizer) = (folder.join("clip.safetensors"), folder.join("tokenizer.json"));
    check(&ClipText::open(&clip, &tokenizer, true).unwrap(), &texts, &tokens, &features);

    let (model, made) = ("vit_base_patch16_clip_quickgelu_224.openai", folder.join("made.safetensors"));
    let (weights, _) = zero_shot::weights(model, &clip, &tokenizer, &names, &templates).unwrap();
    candle_core::safetensors::save(&weights, &made).unwrap();
    let model = zoo::load(model, &Weights::File(made), &Device::Cpu, DType::F32).unwrap();
    let shape = [2, 3, 224, 224];
    let x = Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap();
    let got = model.forward(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(got.len(), logits.len());
    for (got, want) in got.iter().zip(logits) {
        assert!((got - want).abs() < 1e-3, "{got} instead of {want}");
    }
}

#[test]
fn the_features_of_a_class_are_the_mean_of_its_texts() {
    let Golden { towers, .. } = golden();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.safetensors");
    save(&towers[0].tensors, &path);
    let tower = ClipText::open(&path, &tokenizer(), true).unwrap();
    let rows = |x: Tensor| x.to_vec2::<f32>().unwrap();
    let unit = |row: &[f32]| {
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter().map(|value| value / length).collect::<Vec<f32>>()
    };
    let texts = rows(tower.features(&["a dog.", "one dog", "a beam.", "one beam"]).unwrap());
    let got = rows(tower.classes(&["dog", "beam"], &["a {}.", "one {}"]).unwrap());
    for (class, got) in got.iter().enumerate() {
        let [first, second] = [&texts[2 * class], &texts[2 * class + 1]].map(|row| unit(row));
        let mean: Vec<f32> = first.iter().zip(&second).map(|(a, b)| (a + b) / 2.0).collect();
        for (got, want) in got.iter().zip(unit(&mean)) {
            assert!((got - want).abs() < 1e-5, "{got} instead of {want}");
        }
    }
    let none: [&str; 0] = [];
    assert!(tower.classes(&none, &["a {}."]).is_err() && tower.classes(&["dog"], &none).is_err());
    let error = tower.tokens(&"dog ".repeat(60)).unwrap_err().to_string();
    assert!(error.contains("62 tokens; the model reads 48"), "{error}");
}

/// A weights file with features of texts makes a classifier that compares images with these texts.
#[test]
fn texts_in_a_file_become_the_head() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let values =
        |name: &str, shape: &[usize]| Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu).unwrap();
    let load = |change: &dyn Fn(&mut WeightMap)| {
        let mut weights = generated::weights(&zoo::graph("planted_resnet", 8).unwrap()).unwrap();
        change(&mut weights);
        candle_core::safetensors::save(&weights, &path).unwrap();
        zoo::load("planted_resnet", &Weights::File(path.clone()), &Device::Cpu, DType::F32)
    };
    let (texts, x) = (values("texts", &[5, 8]), values("input", &[2, 3, 64, 64]));
    let lengths = texts.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
    let scaled = (texts.broadcast_div(&lengths).unwrap() * 30.0).unwrap();
    let model = load(&|weights| {
        weights.insert("zero_shot.texts.weight".into(), scaled.clone());
    });
    let model = model.unwrap();
    assert_eq!((model.spec().classes, model.spec().feature_node.as_str()), (5, "zero_shot.embedding"));
    let want = load(&|_| {}).unwrap().zero_shot(&texts, 30.0).unwrap().forward(&x).unwrap();
    let error = (model.forward(&x).unwrap() - want).unwrap().abs().unwrap().max_all().unwrap();
    assert!(error.to_scalar::<f32>().unwrap() < 1e-4);

    let error = load(&|weights| {
        weights.insert("zero_shot.texts.weight".into(), values("texts", &[5, 9]));
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("zero_shot.texts.weight is [5, 9] instead of [5, 8]"), "{error}");
}

#[test]
fn errors_name_the_file_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.safetensors");
    save(&[("visual.proj".to_owned(), vec![16, 8])].into(), &path);
    let error = ClipText::open(&path, &tokenizer(), true).unwrap_err().to_string();
    assert!(error.contains("image.safetensors") && error.contains("whole checkpoint"), "{error}");
    let clip = folder.path().join("clip.safetensors");
    save(&golden().towers[0].tensors, &clip);
    let error = ClipText::open(&clip, &folder.path().join("absent.json"), true).unwrap_err().to_string();
    assert!(error.contains("absent.json"), "{error}");
    let names = ["dog"];
    let model = "vit_base_patch32_clip_quickgelu_224.openai";
    let error = zero_shot::weights(model, &clip, &tokenizer(), &names, &names).unwrap_err().to_string();
    assert!(error.contains(model), "{error}");
}

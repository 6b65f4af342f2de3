//! Rankings by the features of a full-size ResNet-50 with generated weights, compared with the published method. The
//! data is too large for the repository. `HARD_IMAGENET_DECODED` names a folder of the photographs as Pillow decodes
//! them, `<id>.png`.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::{DType, Device, Tensor};
use hard_imagenet_images::{Filter, MaskRule, Pixels, Preprocessing, Rgb8, decode_image};
use hard_imagenet_masks::Mask;
use hard_imagenet_models::{Model, Network, generated, zoo};
use hard_imagenet_ranking::{
    Aggregate, AttackedImages, FeatureAttack, FeatureExtractor, ImageFeatures, Ranking, feature_importance,
    top_features,
};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(
        std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names the reference folder"),
    )
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Returns a photograph as Pillow decodes it.
fn photograph(id: &str) -> Option<Rgb8> {
    let decoded =
        std::env::var_os("HARD_IMAGENET_DECODED").map(|folder| PathBuf::from(folder).join(format!("{id}.png")));
    let own = folder().join("img").join(format!("decoded_{id}.png"));
    let file = decoded.into_iter().chain([own]).find(|file| file.exists())?;
    Some(decode_image(&std::fs::read(file).unwrap()).unwrap())
}

fn largest_error(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).fold(0f32, |most, (a, b)| most.max((a - b).abs()))
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir HARD_IMAGENET_DECODED=dir cargo test --workspace --test reference -- --ignored"]
fn ranking() {
    let about: Value = serde_json::from_slice(&std::fs::read(folder().join("ranking.json")).unwrap()).unwrap();
    let golden: HashMap<String, Tensor> =
        candle_core::safetensors::load(folder().join("ranking.safetensors"), &Device::Cpu).unwrap();
    let name = "resnet50";
    let graph = zoo::graph(name, 1000).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let model =
        Model::new(Network::new(zoo::spec(name).unwrap(), graph, weights, ""), &Device::Cpu, DType::F32).unwrap();

    // Two of the twenty photographs may be missing. Their features are taken from the reference.
    let geometry = Preprocessing::torchvision(256, 224, Filter::Bilinear).paired_transform(MaskRule::Half);
    let ids: Vec<&str> = about["images"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let images: Vec<Option<Pixels>> =
        ids.iter().map(|id| photograph(id).map(|image| geometry.apply_to_image(&image))).collect();
    let found: Vec<usize> = (0..ids.len()).filter(|&at| images[at].is_some()).collect();
    assert!(found.len() >= 18, "{} of {} photographs", found.len(), ids.len());
    let pixels = model.batch(&images.into_iter().flatten().collect::<Vec<_>>()).unwrap();
    let x = model.normalize(&pixels).unwrap();

    let classes = vec!["dogsled".to_owned(), "ski".to_owned()];
    let extractor = FeatureExtractor::new(&model, "reference", classes, vec![537, 795]).unwrap();
    let masks = vec![Mask::new(224, 224); found.len()];
    let names: Vec<&str> = found.iter().map(|&at| ids[at]).collect();
    let ours = extractor.extract(&x, &names, &vec![0; found.len()], &masks).unwrap();
    let want = golden["features"].to_vec2::<f32>().unwrap();
    for (row, &at) in found.iter().enumerate() {
        let most = want[at].iter().fold(0f32, |most, v| most.max(v.abs()));
        let error = largest_error(ours.features(row), &want[at]);
        assert!(error <= 1e-4 * most, "{}: {error} of {most}", ids[at]);
    }

    for (class, key) in ["537", "795"].into_iter().enumerate() {
        let (class, about) = (class as u32, &about["classes"][key]);
        let mut bank = extractor.empty_bank();
        for (at, id) in ids.iter().enumerate() {
            let features =
                found.iter().position(|&one| one == at).map_or(want[at].clone(), |row| ours.features(row).to_vec());
            let on_object = vec![f32::NAN; features.len()];
            bank.push(ImageFeatures {
                id: (*id).to_owned(),
                label: class,
                prediction: 0,
                object: 0.0,
                features,
                on_object,
            })
            .unwrap();
        }
        let importance = feature_importance(&bank, class, &bank.labeled_rows(class)).unwrap();
        let best = top_features(&importance, 5);
        let want = |key: &str| about[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        assert_eq!(best.iter().map(|&f| f64::from(f)).collect::<Vec<_>>(), want("feature_importance_top5"));
        for (feature, want) in best.iter().zip(want("feature_importance_values")) {
            assert!((importance[*feature as usize] - want).abs() < 1e-4 * want);
        }
        let spurious: Vec<u32> = want("spurious_features_used").iter().map(|&f| f as u32).collect();
        for (word, aggregate) in
            [("sum", Aggregate::Sum), ("max", Aggregate::Maximum), ("weighted_sum", Aggregate::WeightedSum)]
        {
            let ranking = Ranking::new(&bank, |c| if c == class { spurious.clone() } else { Vec::new() }, aggregate);
            let ranked = &ranking.classes.values().next().unwrap()[..];
            let order = about["ranks"][word]["order_strongest_first"].as_array().unwrap();
            let scores = about["ranks"][word]["scores"].as_array().unwrap();
            let score = |id: &str| scores[ids.iter().position(|one| *one == id).unwrap()].as_f64().unwrap();
            for (place, (got, want)) in ranked.iter().zip(order).enumerate() {
                let want = want.as_str().unwrap();
                // Images may only be swapped if their scores differ by less than 1e-4.
                let near = (score(&got.id) - score(want)).abs() < 1e-4;
                assert!(got.id == want || near, "{key} {word} {place}: {} and {want}", got.id);
                assert!((got.score.unwrap() - score(&got.id)).abs() < 1e-3, "{key} {word}: {got:?}");
            }
        }
    }

    let feature = about["classes"]["537"]["nam_feature"].as_u64().unwrap() as u32;
    let two = pixels.narrow(0, 0, 2).unwrap();
    let maps = extractor.activation_maps(&model.normalize(&two).unwrap(), &[feature]).unwrap();
    for (image, map) in maps.iter().map(|maps| &maps[0]).enumerate() {
        let raw = flat(&golden["nam_raw_7x7"].get(image).unwrap());
        let most = raw.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(largest_error(map.raw.as_slice(), &raw) <= 1e-4 * most);
        assert!(largest_error(map.map.as_slice(), &flat(&golden["nam_resized"].get(image).unwrap())) <= 1e-4);
    }
    let steps = about["classes"]["537"]["attack_feature_values_per_step"].as_array().unwrap();
    let attack = FeatureAttack { steps: 3, ..FeatureAttack::default() };
    let AttackedImages { images: after, activations: values } = attack.run(&model, &two, &[feature, feature]).unwrap();
    for (got, want) in values.iter().zip(steps) {
        for (got, want) in got.iter().zip(want.as_array().unwrap()) {
            let want = want.as_f64().unwrap() as f32;
            assert!((got - want).abs() < 1e-3 * want, "{got} for {want}");
        }
    }
    let after = flat(&after);
    let every: Vec<f32> = (0..2 * 3 * 56 * 56)
        .map(|i| (i / (56 * 56), i / 56 % 56, i % 56))
        .map(|(plane, y, x)| after[(plane * 224 + 4 * y) * 224 + 4 * x])
        .collect();
    let want = flat(&golden["attack_after3_every4"]);
    // Pixels cannot be compared more precisely. Each ReLU that an error of f32 switches moves some pixels by a step of
    // 0.026, and torch in f32 and in f64 differ from the reference by as much.
    let mean = every.iter().zip(&want).map(|(a, b)| (a - b).abs()).sum::<f32>() / want.len() as f32;
    println!("mean difference of pixels after three steps: {mean}");
    assert!(mean < 4e-3, "{mean}");
}

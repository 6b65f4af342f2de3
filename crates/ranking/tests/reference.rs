//! The robust-feature arithmetic of the original on a full-size ResNet-50 with generated weights, against its reference
//! (SPEC section 11). The data is too large for the repository.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_images::{Filter, MaskRule, Preprocess, decode_image};
use hard_imagenet_masks::Mask;
use hard_imagenet_models::{Model, generated, zoo};
use hard_imagenet_ranking::{Aggregate, Extractor, FeatureAttack, FeatureBank, Ranking, importance, top};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names the reference folder"))
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn largest_error(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).fold(0f32, |most, (a, b)| most.max((a - b).abs()))
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test --workspace --test reference -- --ignored"]
fn ranking() {
    let about: Value = serde_json::from_slice(&std::fs::read(folder().join("ranking.json")).unwrap()).unwrap();
    let golden: HashMap<String, Tensor> =
        candle_core::safetensors::load(folder().join("ranking.safetensors"), &Device::Cpu).unwrap();
    let name = "resnet50";
    let graph = zoo::graph(name, 1000).unwrap();
    let weights = generated::weights(&graph).unwrap();
    let model = Model::new(zoo::spec(name).unwrap(), &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap();

    // Aspect-preserving resize to 256, crop 224.
    let geometry = Preprocess::torchvision(256, 224, Filter::Bilinear).paired(MaskRule::Half);
    let ids: Vec<&str> = about["images"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let images: Vec<_> = ids
        .iter()
        .map(|id| {
            let files = ["png", "jpg", "JPEG"].map(|ending| folder().join("img").join(format!("{id}.{ending}")));
            let file = files.iter().find(|file| file.exists()).unwrap_or_else(|| panic!("no picture {id}"));
            geometry.image(&decode_image(&std::fs::read(file).unwrap()).unwrap())
        })
        .collect();
    let pixels = model.batch(&images).unwrap();
    let x = model.normalise(&pixels).unwrap();

    let classes = vec!["dogsled".to_owned(), "ski".to_owned()];
    let extractor = Extractor::new(&model, "reference", classes, vec![537, 795]).unwrap();
    assert_eq!(extractor.about().map_node, "layer4.2.act3");
    let masks = vec![Mask::new(224, 224); ids.len()];
    let labelled = |label: u32| -> FeatureBank { extractor.extract(&x, &ids, &vec![label; ids.len()], &masks).unwrap() };

    let bank = labelled(0);
    let rows: Vec<usize> = (0..ids.len()).collect();
    let want = flat(&golden["features"]);
    let got: Vec<f32> = rows.iter().flat_map(|&row| bank.features(row).to_vec()).collect();
    let most = want.iter().fold(0f32, |most, v| most.max(v.abs()));
    assert!(largest_error(&got, &want) <= 1e-4 * most);

    for (class, key) in ["537", "795"].into_iter().enumerate() {
        let (class, about) = (class as u32, &about["classes"][key]);
        let bank = labelled(class);
        let importance = importance(&bank, class, &rows).unwrap();
        let best = top(&importance, 5);
        let want = |key: &str| about[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        assert_eq!(best.iter().map(|&f| f64::from(f)).collect::<Vec<_>>(), want("feature_importance_top5"));
        for (feature, want) in best.iter().zip(want("feature_importance_values")) {
            assert!((importance[*feature as usize] - want).abs() < 1e-4 * want);
        }
        let spurious: Vec<u32> = want("spurious_features_used").iter().map(|&f| f as u32).collect();
        for (word, aggregate) in [("sum", Aggregate::Sum), ("max", Aggregate::Maximum), ("weighted_sum", Aggregate::WeightedSum)] {
            let ranking = Ranking::new(&bank, |c| if c == class { spurious.clone() } else { Vec::new() }, aggregate);
            let ranked = &ranking.classes.values().next().unwrap()[..];
            let order = about["ranks"][word]["order_strongest_first"].as_array().unwrap();
            let scores = about["ranks"][word]["scores"].as_array();
            let score = |id: &str| -> Option<f64> {
                let at = ids.iter().position(|one| *one == id)?;
                scores.and_then(|scores| scores.get(at)).and_then(Value::as_f64)
            };
            for (place, (got, want)) in ranked.iter().zip(order).enumerate() {
                let want = want.as_str().unwrap();
                // Orders may swap only where scores differ by less than 1e-4.
                let near = || score(&got.id).zip(score(want)).is_some_and(|(a, b)| (a - b).abs() < 1e-4);
                assert!(got.id == want || near(), "{key} {word} {place}: {} and {want}", got.id);
            }
        }

    }

    let feature = about["classes"]["537"]["nam_feature"].as_u64().unwrap() as u32;
    let two = pixels.narrow(0, 0, 2).unwrap();
    let maps = extractor.activation_maps(&model.normalise(&two).unwrap(), feature).unwrap();
    for (image, map) in maps.iter().enumerate() {
        let raw = flat(&golden["nam_raw_7x7"].get(image).unwrap());
        let most = raw.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(largest_error(map.raw.as_slice(), &raw) <= 1e-4 * most);
        assert!(largest_error(map.map.as_slice(), &flat(&golden["nam_resized"].get(image).unwrap())) <= 1e-4);
    }
    let steps = about["classes"]["537"]["attack_feature_values_per_step"].as_array().unwrap();
    let attack = FeatureAttack { steps: 3, ..FeatureAttack::default() };
    let (after, values) = attack.run(&model, &two, &[feature, feature]).unwrap();
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
    let error = largest_error(&every, &flat(&golden["attack_after3_every4"]));
    assert!(error <= 1e-3, "{error}");
}

//! Tests on images with planted cues, where the answer is known: which features follow the scene, and how strong the
//! cue is.
#![allow(clippy::disallowed_macros, reason = "a test may print and read its settings")]

use candle_core::{DType, Device};
use hard_imagenet_datasets::{Dataset, PlantedConfig, PlantedCues};
use hard_imagenet_images::MaskRule;
use hard_imagenet_models::{Model, Weights, zoo};
use hard_imagenet_ranking::{
    Aggregate, FeatureBank, FeatureExtractor, FeatureId, MaskCriterion, RankedImage, Ranking, Verdict, Verdicts,
    class_importance, rank_classes, spearman, top_features,
};
use std::path::Path;

fn model(word: &str) -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../cli/demo/planted_resnet.{word}.safetensors"));
    zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32).unwrap()
}

fn bank(model: &Model, data: &PlantedCues) -> FeatureBank {
    let names = data.info().classes.iter().map(|class| class.name.clone()).collect();
    let extractor = FeatureExtractor::new(model, &data.info().name, names, (0..8).collect()).unwrap();
    let geometry = model.spec().preprocess.paired_transform(MaskRule::Half);
    let mut bank = extractor.empty_bank();
    for from in (0..data.len()).step_by(40) {
        let samples: Vec<_> = (from..(from + 40).min(data.len())).map(|i| data.get(i).unwrap()).collect();
        let images: Vec<_> = samples.iter().map(|sample| geometry.apply_to_image(&sample.image)).collect();
        let masks: Vec<_> = samples.iter().map(|sample| geometry.apply_to_mask(&sample.mask)).collect();
        let ids: Vec<&str> = samples.iter().map(|sample| sample.id.as_str()).collect();
        let labels: Vec<u32> = samples.iter().map(|sample| sample.class as u32).collect();
        let x = model.normalize(&model.batch(&images).unwrap()).unwrap();
        bank.join(extractor.extract(&x, &ids, &labels, &masks).unwrap()).unwrap();
    }
    bank
}

fn planted(cue: f64, extent: (f32, f32), n: usize) -> PlantedCues {
    planted_by(5, cue, extent, n)
}

fn planted_by(seed: u64, cue: f64, extent: (f32, f32), n: usize) -> PlantedCues {
    PlantedCues::new(PlantedConfig { cue, extent, ..PlantedConfig::hard() }, seed, n, 64).unwrap()
}

/// Returns the share of a feature's variance that the groups explain.
fn explained_variance(values: &[f64], groups: &[usize]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let all: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let between: f64 = (0..8)
        .map(|group| {
            let members: Vec<f64> = values.iter().zip(groups).filter(|(_, g)| **g == group).map(|(v, _)| *v).collect();
            let member_mean = members.iter().sum::<f64>() / members.len().max(1) as f64;
            members.len() as f64 * (member_mean - mean).powi(2)
        })
        .sum();
    if all > 0.0 { between / all } else { 0.0 }
}

#[test]
fn the_rest_of_the_batch_changes_nothing() {
    let (model, data) = (model("cue"), planted(0.9, (1.0, 1.0), 7));
    let names = data.info().classes.iter().map(|class| class.name.clone()).collect();
    let extractor = FeatureExtractor::new(&model, &data.info().name, names, (0..8).collect()).unwrap();
    let geometry = model.spec().preprocess.paired_transform(MaskRule::Half);
    let mut alone = extractor.empty_bank();
    for i in 0..data.len() {
        let sample = data.get(i).unwrap();
        let x = model.normalize(&model.batch(&[geometry.apply_to_image(&sample.image)]).unwrap()).unwrap();
        let masks = [geometry.apply_to_mask(&sample.mask)];
        alone.join(extractor.extract(&x, &[&sample.id], &[sample.class as u32], &masks).unwrap()).unwrap();
    }
    let together = bank(&model, &data);
    assert_eq!(alone.predictions, together.predictions);
    for row in 0..data.len() {
        let bits = |bank: &FeatureBank| bank.features(row).iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&alone), bits(&together), "{}", alone.ids[row]);
        for feature in 0..alone.width as u32 {
            assert_eq!(alone.on_object(row, feature), together.on_object(row, feature), "{} {feature}", alone.ids[row]);
        }
    }
}

/// The reference is independent of masks: a feature follows the scene if scenes explain more of its variance than
/// classes do, on images whose scenes say nothing about the class.
#[test]
fn features_that_masks_call_spurious_follow_the_scene() {
    let (mut found, mut right, mut all) = (0, 0, 0);
    for word in ["cue", "object"] {
        let data = planted(PlantedConfig::CHANCE, (1.0, 1.0), 800);
        let bank = bank(&model(word), &data);
        let scenes: Vec<usize> = (0..data.len()).map(|i| data.scene(i) as usize).collect();
        let classes: Vec<usize> = (0..data.len()).map(|i| data.class(i)).collect();
        for class in 0..8 {
            for feature in top_features(&class_importance(&bank, class).unwrap(), 5) {
                let values: Vec<f64> =
                    (0..bank.len()).map(|row| f64::from(bank.features(row)[feature as usize])).collect();
                let follows_scene = explained_variance(&values, &scenes) > explained_variance(&values, &classes);
                let id = FeatureId { class, feature };
                let masks = MaskCriterion::default();
                let spurious =
                    masks.focus(&bank, id).and_then(|focus| masks.verdict(&focus)) == Some(Verdict::Spurious);
                found += usize::from(spurious);
                all += usize::from(follows_scene);
                right += usize::from(spurious && follows_scene);
            }
        }
    }
    let (precision, recall) = (right as f64 / found as f64, right as f64 / all as f64);
    println!("precision {precision:.3}, recall {recall:.3} of {all} features that follow the scene among 80");
    assert!(all >= 35 && precision >= 0.95 && recall >= 0.9, "precision {precision}, recall {recall} of {all}");
}

/// Returns the verdicts by masks on the five most important features of each class.
fn verdicts(bank: &FeatureBank) -> Verdicts {
    let important = |class| top_features(&class_importance(bank, class).unwrap_or_default(), 5).into_iter();
    let ids = (0..8).flat_map(|class| important(class).map(move |feature| FeatureId { class, feature }));
    MaskCriterion::default().verdicts(bank, ids.collect::<Vec<_>>())
}

/// Returns Spearman's ρ between the ranking by spurious features and the planted strength of the cues, averaged over
/// classes.
fn agreement(bank: &FeatureBank, data: &PlantedCues, verdicts: &Verdicts, aggregate: Aggregate) -> f64 {
    let ranking = Ranking::new(bank, |class| verdicts.spurious(class), aggregate);
    assert_eq!(ranking.classes.len(), 8);
    let strength = |id: &str| f64::from(data.cue_strength((0..data.len()).find(|&i| data.id(i) == id).unwrap()));
    let correlations = ranking.classes.values().map(|ranked| {
        let (scores, strengths): (Vec<f64>, Vec<f64>) =
            ranked.iter().map(|one| (one.score.unwrap(), strength(&one.id))).unzip();
        spearman(&scores, &strengths).unwrap()
    });
    correlations.sum::<f64>() / 8.0
}

#[test]
fn rankings_order_images_by_their_cues() {
    let cue = model("cue");
    let clear = verdicts(&bank(&cue, &planted(0.9, (1.0, 1.0), 400)));
    // Every scene belongs to the class and fills between none and all of the image.
    let data = planted(1.0, (0.0, 1.0), 480);
    let bank = bank(&cue, &data);
    for (word, aggregate) in Aggregate::ALL {
        let mean = agreement(&bank, &data, &clear, aggregate);
        println!("{word}: {mean:.3}");
        let least = match aggregate {
            Aggregate::Advantage => 0.9,
            Aggregate::Maximum => 0.7,
            _ => 0.85,
        };
        assert!(mean > least, "{word}: {mean}");
    }
    // These images were not used to find the best aggregate. With 480 images, six seeds gave 0.89 to 0.92.
    let others = planted_by(21, 1.0, (0.0, 1.0), 1440);
    let mean = agreement(&self::bank(&cue, &others), &others, &clear, Aggregate::Advantage);
    println!("advantage, other images: {mean:.3}");
    assert!(mean > 0.9, "{mean}");

    // Accuracy on the third of the images with the strongest cues, minus that on the third with the weakest.
    let ranking = Ranking::new(&bank, |class| clear.spurious(class), Aggregate::Sum);
    let gap = |bank: &FeatureBank| {
        let right = |id: &str| {
            bank.ids.iter().position(|one| one == id).is_some_and(|row| bank.predictions[row] == bank.labels[row])
        };
        let share = |ids: &[RankedImage]| ids.iter().filter(|one| right(&one.id)).count() as f64 / ids.len() as f64;
        let ends = ranking.classes.values().map(|ranked| (share(&ranked[..20]), share(&ranked[40..])));
        ends.map(|(high, low)| (high - low) / 8.0).sum::<f64>()
    };
    let (with_cue, without) = (gap(&bank), gap(&self::bank(&model("object"), &data)));
    println!("gap: cue {with_cue:.3}, object {without:.3}");
    assert!(with_cue > 0.15 && without.abs() < 0.1, "{with_cue} {without}");
}

#[test]
fn classes_are_hard_for_the_model_that_learned_the_cue() {
    let data = planted(0.9, (1.0, 1.0), 400);
    let hard = |word: &str| {
        let bank = bank(&model(word), &data);
        rank_classes(&bank, &verdicts(&bank), 5).iter().filter(|class| class.is_hard()).count()
    };
    let (cue, object) = (hard("cue"), hard("object"));
    assert!(cue >= 6 && object == 0, "{cue} {object}");
}

//! Small but complete trainings on planted cues.
#![allow(clippy::disallowed_macros, reason = "a test may print and read its settings")]

use candle_core::{DType, Device};
use hard_imagenet_datasets::{Dataset, DatasetError, DatasetInfo, PlantedConfig, PlantedCues, Sample};
use hard_imagenet_graph::WeightMap;
use hard_imagenet_models::{Network, Weights, zoo};
use hard_imagenet_training::{
    BatchNormMode, Groups, OBJECTIVES, Objective, Recipe, TrainableWeights, Trainer, TrainingError, TrainingEvent,
    TrainingOutcome, UpdateRule, replace_head,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn shipped(word: &str) -> Weights {
    Weights::File(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../cli/demo/planted_resnet.{word}.safetensors")))
}

fn trained() -> Network {
    zoo::read("planted_resnet", &shipped("object")).unwrap()
}

/// With a new head.
fn network(classes: usize) -> Network {
    replace_head(trained(), classes, 3).unwrap()
}

fn data(n: usize) -> PlantedCues {
    PlantedCues::new(PlantedConfig::train(0.9), 11, n, 64).unwrap()
}

fn recipe(objective: &str) -> Recipe {
    Recipe {
        objective: Objective::parse(objective).unwrap(),
        epochs: 2,
        batch_size: 8,
        learning_rate: 5e-3,
        ..Recipe::default()
    }
}

fn train(network: Network, recipe: Recipe, data: &dyn Dataset) -> TrainingOutcome {
    Trainer::new(network, recipe).train(data, |_| ControlFlow::Continue(())).unwrap()
}

/// Returns the bits of all weights.
fn bits(weights: &WeightMap) -> Vec<(String, Vec<u32>)> {
    let flat = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let mut all: Vec<_> =
        weights.iter().map(|(name, t)| (name.clone(), flat(t).into_iter().map(f32::to_bits).collect())).collect();
    all.sort();
    all
}

#[test]
fn a_trained_head_loads_as_a_model() {
    let (train_data, validation) = (data(160), PlantedCues::easy(12, 40, 64));
    let recipe = Recipe { epochs: 8, ..recipe("erm") };
    let mut reported = 0;
    let finetuned = Trainer::new(network(8), recipe)
        .validation(&validation)
        .train(&train_data, |event| {
            reported += usize::from(matches!(event, TrainingEvent::Epoch(_)));
            ControlFlow::Continue(())
        })
        .unwrap();
    let epochs = &finetuned.epochs;
    assert_eq!((reported, epochs.len()), (8, 8));
    assert!(epochs[7].loss < 0.5 * epochs[0].loss && epochs[7].accuracy > 0.8, "{epochs:?}");
    // The result is a weights file like any other.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("finetuned.safetensors");
    candle_core::safetensors::save(&finetuned.network.weights, &file).unwrap();
    let model = zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32).unwrap();
    let geometry = model.spec().preprocess.paired_transform(hard_imagenet_images::MaskRule::Half);
    let images: Vec<_> = (0..40).map(|i| geometry.apply_to_image(&validation.get(i).unwrap().image)).collect();
    let logits = model.forward(&model.normalize(&model.batch(&images).unwrap()).unwrap()).unwrap();
    let predictions = logits.argmax(1).unwrap().to_vec1::<u32>().unwrap();
    let right = predictions.iter().enumerate().filter(|&(i, &p)| validation.class(i) == p as usize).count();
    let best = epochs.iter().filter_map(|epoch| epoch.validation).fold(0.0, f64::max);
    assert_eq!(right as f64 / 40.0, best);
}

/// Cached features and images that are loaded in every step give the same training, except for rounding.
#[test]
fn cached_features_change_nothing() {
    let kept = train(network(8), recipe("erm"), &data(48));
    let without = Trainer::new(network(8), recipe("erm")).feature_memory(1000);
    let mut features = 0;
    let anew = without.train(&data(48), |event| {
        features += usize::from(matches!(event, TrainingEvent::Features { .. }));
        ControlFlow::Continue(())
    });
    let anew = anew.unwrap();
    assert_eq!(features, 0);
    for (a, b) in kept.epochs.iter().zip(&anew.epochs) {
        assert!((a.loss - b.loss).abs() < 1e-4, "{a:?} {b:?}");
    }
    let head = |finetuned: &TrainingOutcome| finetuned.network.weights["fc.weight"].clone();
    let error = (head(&kept) - head(&anew)).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(error < 1e-4, "{error}");
}

/// Validation measures the network as it is after an epoch, including the statistics of batch norms.
#[test]
fn validation_uses_the_updated_statistics() {
    let mut start = network(8);
    for (name, weight) in &mut start.weights {
        if name.ends_with("running_var") {
            *weight = weight.affine(25.0, 0.0).unwrap();
        }
    }
    let validation = PlantedCues::easy(12, 40, 64);
    let recipe = Recipe { batch_norms: BatchNormMode::Followed, epochs: 6, ..recipe("erm") };
    let finetuned =
        Trainer::new(start, recipe).validation(&validation).train(&data(96), |_| ControlFlow::Continue(())).unwrap();
    let best = finetuned.epochs.iter().filter_map(|epoch| epoch.validation).fold(0.0, f64::max);
    // With the initial statistics, the accuracy would be at the level of chance.
    assert!(best > 0.4, "{:?}", finetuned.epochs);
    assert_eq!(accuracy(&finetuned, &validation), best);
}

/// Returns the accuracy of the resulting model.
fn accuracy(finetuned: &TrainingOutcome, data: &PlantedCues) -> f64 {
    let model = finetuned.network.clone().into_model(&Device::Cpu, DType::F32).unwrap();
    let geometry = model.spec().preprocess.paired_transform(hard_imagenet_images::MaskRule::Half);
    let images: Vec<_> = (0..data.len()).map(|i| geometry.apply_to_image(&data.get(i).unwrap().image)).collect();
    let logits = model.forward(&model.normalize(&model.batch(&images).unwrap()).unwrap()).unwrap();
    let predictions = logits.argmax(1).unwrap().to_vec1::<u32>().unwrap();
    let right = predictions.iter().enumerate().filter(|&(i, &p)| data.class(i) == p as usize).count();
    right as f64 / data.len() as f64
}

/// Cancels a training after its first epoch and resumes it.
fn check_resume(recipe: Recipe, groups: bool) {
    let (data, validation) = (data(24), PlantedCues::easy(12, 16, 64));
    let network = || if recipe.trainable == TrainableWeights::All { trained() } else { network(8) };
    let training = || {
        let training = Trainer::new(network(), recipe.clone()).validation(&validation);
        if groups { training.groups(Groups::split_by(&data, |i| Some(data.cue_strength(i)))) } else { training }
    };
    let whole = training().train(&data, |_| ControlFlow::Continue(())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cancel = |event: &TrainingEvent<'_>| match event {
        TrainingEvent::Epoch(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let canceled = training().checkpoints(folder.path()).train(&data, cancel).unwrap_err();
    assert!(matches!(canceled, TrainingError::Canceled));
    let resumed = training().checkpoints(folder.path()).train(&data, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(resumed.epochs, whole.epochs);
    assert_eq!(bits(&resumed.network.weights), bits(&whole.network.weights), "{recipe:?}");
    // A finished training takes no more steps.
    let again = training().checkpoints(folder.path()).train(&data, |_| ControlFlow::Break(())).unwrap();
    assert_eq!(bits(&again.network.weights), bits(&whole.network.weights));
    // The hash is that of the trained weights, not of the file that the training started from.
    assert_eq!(resumed.network.weights_sha256, whole.network.weights_sha256);
    assert_ne!(resumed.network.weights_sha256, network().weights_sha256);
}

#[test]
fn interrupted_trainings_resume_to_the_same_weights() {
    check_resume(recipe("erm"), false);
    check_resume(Recipe { rule: UpdateRule::Sgd { momentum: 0.9, decay: 1e-4 }, ..recipe("group-dro:0.1") }, true);
    let everything = Recipe {
        trainable: TrainableWeights::All,
        batch_norms: BatchNormMode::Followed,
        rule: UpdateRule::AdamW { decay: 0.01 },
        augment: true,
        ..recipe("background-noise")
    };
    check_resume(everything, false);
}

#[test]
fn checkpoints_of_other_trainings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |recipe: Recipe, n: usize| {
        let training = Trainer::new(network(8), recipe).checkpoints(folder.path());
        training.train(&data(n), |_| ControlFlow::Continue(())).map_err(|error| error.to_string())
    };
    let short = Recipe { epochs: 1, ..recipe("erm") };
    run(short.clone(), 16).unwrap();
    let error = run(Recipe { learning_rate: 1e-3, ..short.clone() }, 16).unwrap_err();
    assert!(error.contains("rate was 0.005 and is 0.001") && error.contains("checkpoint.safetensors"), "{error}");
    let error = run(short, 24).unwrap_err();
    assert!(error.contains("the training data was 16 samples of planted-train"), "{error}");
    // Other groups, and other weights that claim to come from the same file.
    let folder = tempfile::tempdir().unwrap();
    let dro = |network: Network, flip: bool| {
        let data = data(16);
        let groups = Groups::new((0..16).map(|i| u32::from((i < 4) != flip)).collect());
        let recipe = Recipe { epochs: 1, ..recipe("group-dro") };
        let training = Trainer::new(network, recipe).groups(groups).checkpoints(folder.path());
        training.train(&data, |_| ControlFlow::Continue(())).map(|_| ()).map_err(|error| error.to_string())
    };
    dro(network(8), false).unwrap();
    let error = dro(network(8), true).unwrap_err();
    assert!(error.contains("the sha256 of the groups was"), "{error}");
    let mut other = network(8);
    other.weights.insert("conv1.weight".into(), (&other.weights["conv1.weight"] * 2.0).unwrap());
    let error = dro(other, false).unwrap_err();
    assert!(error.contains("its weights' sha256 was"), "{error}");
}

#[test]
fn a_damaged_checkpoint_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("checkpoint.safetensors"), b"nonsense").unwrap();
    let training = Trainer::new(network(8), recipe("erm")).checkpoints(folder.path());
    let error = training.train(&data(16), |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("checkpoint.safetensors"), "{error}");
}

#[test]
fn every_objective_trains() {
    let data = data(32);
    for word in OBJECTIVES.iter().map(|info| info.word) {
        let training = Trainer::new(network(8), Recipe { epochs: 3, ..recipe(word) });
        let training = training.groups(Groups::split_by(&data, |i| Some(data.cue_strength(i))));
        let finetuned = training.train(&data, |_| ControlFlow::Continue(())).unwrap();
        let epochs = &finetuned.epochs;
        assert!(epochs[2].loss < epochs[0].loss, "{word}: {epochs:?}");
        assert_eq!(epochs[0].penalty.is_some(), ["input-gradient", "grad-cam"].contains(&word), "{word}");
    }
}

/// Penalties with a large weight become smaller than those with a weight of zero.
#[test]
fn penalties_lower_what_they_penalize() {
    let last = |word: &str| {
        let start = zoo::read("planted_resnet", &shipped("cue")).unwrap();
        let recipe = Recipe {
            trainable: TrainableWeights::After("layer2".into()),
            learning_rate: 1e-3,
            epochs: 3,
            ..recipe(word)
        };
        train(start, recipe, &data(32)).epochs[2].penalty.unwrap()
    };
    for (weak, strong) in [("input-gradient:0", "input-gradient:30"), ("grad-cam:0", "grad-cam:30")] {
        let (weak_value, strong_value) = (last(weak), last(strong));
        assert!(strong_value < 0.96 * weak_value, "{strong}: {strong_value} of {weak_value}");
    }
}

#[test]
fn the_published_penalty_is_a_step_without_gradient() {
    // Without momentum and weight decay, such a step changes nothing, so the result equals that of `erm`.
    let plain = |word: &str| {
        let rule = UpdateRule::Sgd { momentum: 0.0, decay: 0.0 };
        bits(&train(network(8), Recipe { rule, ..recipe(word) }, &data(24)).network.weights)
    };
    assert_eq!(plain("published-saliency"), plain("erm"));
    let adam = |word: &str| bits(&train(network(8), recipe(word), &data(24)).network.weights);
    assert_ne!(adam("published-saliency"), adam("erm"));
}

/// Group DRO classifies more of the rare images with a misleading scene correctly than plain training does.
#[test]
fn group_dro_raises_the_worst_group() {
    let data = PlantedCues::new(PlantedConfig { cue: 0.85, ..PlantedConfig::hard() }, 5, 240, 64).unwrap();
    let groups = Groups::new((0..data.len()).map(|i| u32::from(data.has_own_scene(i))).collect());
    let loss = |word: &str| {
        let start = replace_head(zoo::read("planted_resnet", &shipped("cue")).unwrap(), 8, 0).unwrap();
        let recipe = Recipe { epochs: 12, batch_size: 24, learning_rate: 1e-2, ..recipe(word) };
        let finetuned =
            Trainer::new(start, recipe).groups(groups.clone()).train(&data, |_| ControlFlow::Continue(())).unwrap();
        let model = finetuned.network.clone().into_model(&Device::Cpu, DType::F32).unwrap();
        let geometry = model.spec().preprocess.paired_transform(hard_imagenet_images::MaskRule::Half);
        let (mut right, mut all) = (0, 0);
        for i in (0..data.len()).filter(|&i| !data.has_own_scene(i)) {
            let x = model.batch(&[geometry.apply_to_image(&data.get(i).unwrap().image)]).unwrap();
            let prediction = model.forward(&model.normalize(&x).unwrap()).unwrap().argmax(1).unwrap();
            right += usize::from(prediction.to_vec1::<u32>().unwrap()[0] as usize == data.class(i));
            all += 1;
        }
        right as f64 / all as f64
    };
    let (erm, dro) = (loss("erm"), loss("group-dro:0.1"));
    println!("worst group: erm {erm:.3}, group-dro {dro:.3}");
    assert!(dro > erm + 0.1, "{erm} {dro}");
}

/// A dataset of which every third image cannot be read.
struct Damaged(PlantedCues);

impl Dataset for Damaged {
    fn info(&self) -> &DatasetInfo {
        self.0.info()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn id(&self, i: usize) -> &str {
        self.0.id(i)
    }
    fn class(&self, i: usize) -> usize {
        self.0.class(i)
    }
    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        match i % 3 {
            0 => Err(DatasetError::Meta { path: PathBuf::from("a.jpg"), problem: "damaged".into() }),
            _ => self.0.get(i),
        }
    }
}

#[test]
fn damaged_images_are_skipped() {
    for word in ["erm", "core-risk"] {
        let finetuned = train(network(8), Recipe { epochs: 1, ..recipe(word) }, &Damaged(data(24)));
        assert_eq!(finetuned.skipped.len(), 8, "{word}");
        assert!(finetuned.skipped[0].error.contains("damaged"));
    }
}

#[test]
fn skipped_images_are_listed_by_a_finished_training_too() {
    let (folder, data) = (tempfile::tempdir().unwrap(), Damaged(data(24)));
    let training = || Trainer::new(network(8), recipe("erm")).checkpoints(folder.path());
    let first = training().train(&data, |_| ControlFlow::Continue(())).unwrap();
    // The training is finished, so no image is loaded again.
    let again = training().train(&data, |_| ControlFlow::Break(())).unwrap();
    assert_eq!((again.skipped.len(), &again.skipped), (8, &first.skipped));
}

#[test]
fn recipes_that_make_no_sense_are_refused() {
    let check = |recipe: Recipe, expected: &str| {
        let error = Trainer::new(network(8), recipe).train(&data(8), |_| ControlFlow::Continue(())).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(Recipe { epochs: 0, ..recipe("erm") }, "at least an epoch");
    check(Recipe { learning_rate: f64::NAN, ..recipe("erm") }, "learning rate");
    check(Recipe { rule: UpdateRule::AdamW { decay: -1.0 }, ..recipe("erm") }, "decay must be a number");
    check(Recipe { rule: UpdateRule::Sgd { momentum: 1.0, decay: 0.0 }, ..recipe("erm") }, "momentum");
    check(Recipe { patience: Some(2), ..recipe("erm") }, "patience");
    check(recipe("group-dro"), "needs the group of each sample");
    check(Recipe { trainable: TrainableWeights::After("layer9".into()), ..recipe("erm") }, "layer9");
    check(
        Recipe { learning_rate: 1e38, rule: UpdateRule::Sgd { momentum: 0.9, decay: 0.0 }, ..recipe("erm") },
        "a lower learning rate",
    );
    let three = Trainer::new(network(3), recipe("erm")).train(&data(8), |_| ControlFlow::Continue(())).unwrap_err();
    assert!(three.to_string().contains("its head has 3 classes, but needs 8"), "{three}");
}

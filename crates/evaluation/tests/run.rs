//! Whole runs on generated images with a network that has learned nothing.

mod toy;

use hard_imagenet_datasets::{Dataset, DatasetError, DatasetInfo, Sample};
use hard_imagenet_evaluation::{Evaluation, EvaluationError, Event, Features, Phase};
use hard_imagenet_metrics::{MapScores, Record, alignment};
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::{NoiseKey, Preset, parse};
use hard_imagenet_runs::{Protocol, Quirks, Run, RunDescription, RunError, SaliencyInput};
use hard_imagenet_saliency::{Explain, GradCam};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;
use toy::{BAD, EMPTY, Toy};

/// Three parts, the last one short.
const SAMPLES: usize = 35;

fn protocol() -> Protocol {
    let text = r#"
        conditions = ["none", "gray", "noise:linf:0.25:bg", "noise:l2:30:fg"]
        trials = 2
        explainers = ["gradcam"]
    "#;
    Protocol::from_toml(text).unwrap()
}

/// The number of images of a sample.
const IMAGES: usize = 6;

/// An evaluation whose batches do not end where samples end.
fn evaluation(data: &Toy) -> Evaluation<'_> {
    Evaluation::new(data).protocol(protocol()).batch_size(20).seed(3)
}

/// Samples, a model that has learned nothing, and the run that all others are compared with.
struct Fixture {
    data: Toy,
    model: Model,
    dir: TempDir,
    run: Run,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let (data, model, dir) = (Toy::new(SAMPLES), toy::model(8), tempfile::tempdir().unwrap());
    let run = evaluation(&data).run(&model, dir.path()).unwrap();
    Fixture { data, model, dir, run }
});

impl Fixture {
    /// Copies the run, so that a test can damage it.
    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        for folder in ["", "records", "gallery"] {
            std::fs::create_dir_all(copy.path().join(folder)).unwrap();
            for entry in std::fs::read_dir(self.dir.path().join(folder)).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    std::fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
                }
            }
        }
        copy
    }
}

fn iou(record: &Record) -> Option<f32> {
    record.map.get("iou")
}

fn density(record: &Record) -> Option<f32> {
    record.map.get("delta_density")
}

fn parts(folder: &Path) -> Vec<Option<Vec<u8>>> {
    (0..3).map(|part| std::fs::read(folder.join(format!("records/part-{part:05}.parquet"))).ok()).collect()
}

/// Checks that the parts of a folder equal those of the fixture, byte by byte.
fn assert_same(folder: &Path) {
    let (folder, expected) = (parts(folder), parts(FIXTURE.dir.path()));
    assert!(expected.iter().all(Option::is_some));
    assert!(folder == expected, "the parts differ");
}

#[test]
fn a_resumed_run_has_the_same_records() {
    let Fixture { data, model, .. } = &*FIXTURE;

    let dir = tempfile::tempdir().unwrap();
    let mut resumed_from = Vec::new();
    for stop_after in [0, 60, 150, usize::MAX] {
        // A killed process leaves such a file.
        if stop_after == 150 {
            std::fs::write(dir.path().join("records/part-00001.parquet.1.tmp"), b"half a par").unwrap();
        }
        let run = evaluation(data)
            .progress(|event| match event {
                Event::Progress { phase: Phase::Evaluate, done, resumed, .. } => {
                    if resumed_from.last() != Some(resumed) {
                        resumed_from.push(*resumed);
                    }
                    if done - resumed >= stop_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
                _ => ControlFlow::Continue(()),
            })
            .run(model, dir.path())
            .unwrap();
        assert_eq!(run.is_complete(), stop_after == usize::MAX, "{stop_after}: {:?}", run.missing_parts());
    }
    // The third attempt completed the first part, and the fourth found it.
    assert_eq!(resumed_from, [0, 16 * IMAGES]);
    assert_same(dir.path());
    let names = std::fs::read_dir(dir.path().join("records")).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().ends_with(".tmp")).count(), 0);
}

#[test]
fn shards_share_a_folder() {
    let Fixture { data, model, .. } = &*FIXTURE;

    let dir = tempfile::tempdir().unwrap();
    let first = evaluation(data).shard(1, 2).run(model, dir.path()).unwrap();
    assert_eq!(first.missing_parts(), [0, 2]);
    assert!(!dir.path().join("scores.json").exists(), "scores of an incomplete run");
    let second = evaluation(data).shard(0, 2).run(model, dir.path()).unwrap();
    assert!(second.is_complete());
    assert_same(dir.path());
    for file in ["scores.json", "gallery.json"] {
        let read = |dir: &TempDir| std::fs::read(dir.path().join(file)).unwrap();
        assert_eq!(read(&dir), read(&FIXTURE.dir), "{file}");
    }

    let error = evaluation(data).shard(2, 2).run(model, dir.path()).unwrap_err();
    assert!(error.to_string().contains("shard 2 of 2"), "{error}");
}

#[test]
fn threads_change_nothing() {
    let Fixture { data, model, .. } = &*FIXTURE;
    for threads in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| evaluation(data).run(model, dir.path()).unwrap());
        assert_same(dir.path());
    }
}

#[test]
fn batch_sizes_change_only_rounding() {
    let Fixture { data, model, run: expected, .. } = &*FIXTURE;
    for batch_size in [3, 500] {
        let dir = tempfile::tempdir().unwrap();
        let run = evaluation(data).batch_size(batch_size).run(model, dir.path()).unwrap();
        assert_eq!(run.records().len(), expected.records().len());
        for (a, b) in run.records().iter().zip(expected.records()) {
            assert_eq!((&a.sample, &a.condition, a.trial), (&b.sample, &b.condition, b.trial));
            let close = |a: Option<f32>, b: Option<f32>, within: f32| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= within,
                (a, b) => a == b,
            };
            assert!(close(a.confidence, b.confidence, 1e-5), "{a:?} {b:?}");
            // A pixel of the map may end up on the other side of the threshold.
            assert!(close(iou(a), iou(b), 1e-2) && close(density(a), density(b), 1e-3), "{a:?} {b:?}");
        }
    }
}

/// The random numbers of an explainer follow from the seed and the sample.
#[test]
fn batch_sizes_do_not_change_random_numbers() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let protocol = Protocol::from_toml("conditions = ['none']\nexplainers = ['random:layer2']").unwrap();
    let scores = |batch_size, seed| -> Vec<_> {
        let dir = tempfile::tempdir().unwrap();
        let mut evaluation = Evaluation::new(data).protocol(protocol.clone()).batch_size(batch_size).seed(seed);
        let run = evaluation.run(model, dir.path()).unwrap();
        run.records().iter().map(|record| (record.sample.clone(), iou(record), density(record))).collect()
    };
    let expected = scores(20, 3);
    assert!(expected.iter().any(|(_, iou, _)| iou.is_some()));
    assert_eq!(scores(3, 3), expected);
    assert_ne!(scores(20, 4), expected);
}

#[test]
fn the_same_weights_from_another_place_continue_the_run() {
    let Fixture { data, model, run, .. } = &*FIXTURE;
    let dir = tempfile::tempdir().unwrap();
    let origin = Some("me/mine@0123abc".to_owned());
    let begun = RunDescription { weights_origin: origin.clone(), ..run.description().clone() };
    std::fs::write(dir.path().join("run.json"), serde_json::to_vec(&begun).unwrap()).unwrap();
    let run = evaluation(data).run(model, dir.path()).unwrap();
    assert_eq!(run.description().weights_origin, origin);
}

#[test]
fn a_folder_of_another_run_is_refused() {
    let Fixture { data, model, dir, run } = &*FIXTURE;
    let check = |evaluation: &mut Evaluation<'_>, expected: &[&str]| {
        let error = evaluation.run(model, dir.path()).unwrap_err();
        let EvaluationError::Run(RunError::OtherRun { differences, .. }) = &error else { panic!("{error}") };
        let fields: Vec<&str> = differences.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(fields, expected, "{error}");
    };
    check(&mut evaluation(data).seed(4), &["seed"]);
    check(&mut evaluation(data).protocol(Protocol::quick()), &["protocol.conditions"]);
    let strict = [
        "preset",
        "quirks.geometry",
        "quirks.mask_rule",
        "quirks.saliency_input",
        "quirks.box_edges",
        "quirks.tile",
        "quirks.average",
        "quirks.noise_fill",
        "quirks.empty_region",
        "quirks.nan_prediction",
    ];
    check(&mut evaluation(data).preset(Preset::Strict), &strict);
    let fewer = Toy::new(SAMPLES - 1);
    check(&mut evaluation(&fewer), &["dataset.samples", "dataset.ids_sha256"]);
    assert_eq!(Run::open(dir.path()).unwrap().records(), run.records());
}

#[test]
fn a_damaged_part_is_computed_again() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let dir = FIXTURE.copy();
    let part = dir.path().join("records/part-00001.parquet");
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&part, bytes).unwrap();

    let error = Run::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("part-00001.parquet is damaged") && error.contains("Delete it"), "{error}");

    let mut damaged = Vec::new();
    let run = evaluation(data)
        .progress(|event| {
            if let Event::DamagedPart { path, .. } = event {
                damaged.push(path.to_path_buf());
            }
            ControlFlow::Continue(())
        })
        .run(model, dir.path())
        .unwrap();
    assert!(run.is_complete());
    assert_eq!(damaged, [part]);
    assert_same(dir.path());
}

#[test]
fn a_part_of_other_samples_is_computed_again() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let dir = FIXTURE.copy();
    let records = dir.path().join("records");
    std::fs::copy(records.join("part-00000.parquet"), records.join("part-00001.parquet")).unwrap();
    evaluation(data).run(model, dir.path()).unwrap();
    assert_same(dir.path());
}

#[test]
fn a_bad_sample_is_recorded_and_reported() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let dir = tempfile::tempdir().unwrap();
    let mut reported = Vec::new();
    let run = evaluation(data)
        .progress(|event| {
            if let Event::BadSample { sample, error } = event {
                reported.push(((*sample).to_owned(), (*error).to_owned()));
            }
            ControlFlow::Continue(())
        })
        .run(model, dir.path())
        .unwrap();
    let failed: Vec<&Record> = run.records().iter().filter(|record| record.error.is_some()).collect();
    let [record] = failed[..] else { panic!("{failed:?}") };
    assert_eq!((record.sample.as_str(), record.condition.as_str()), (data.name(BAD), "none"));
    assert_eq!((record.prediction, record.confidence, record.object_fraction), (None, None, None));
    assert_eq!(reported, [(record.sample.clone(), record.error.clone().unwrap())]);
    assert_eq!(run.records().len(), (SAMPLES - 1) * IMAGES + 1);
}

#[test]
fn an_empty_mask_has_no_saliency_scores() {
    let Fixture { data, model, .. } = &*FIXTURE;
    for preset in [Preset::Paper, Preset::Strict] {
        let dir = tempfile::tempdir().unwrap();
        let run = evaluation(data).preset(preset).run(model, dir.path()).unwrap();
        let of = |sample: usize, condition: &str| {
            let found = |r: &&Record| r.sample == data.name(sample) && r.condition == condition;
            run.records().iter().find(found).unwrap()
        };
        let clean = of(EMPTY, "none");
        assert_eq!((clean.object_fraction, clean.map), (Some(0.0), MapScores::default()));
        // Noise of a given norm in an empty region: the published code predicts class 0 (Q9).
        let noisy = of(EMPTY, "noise:l2:30:fg");
        match preset {
            Preset::Paper => assert_eq!((noisy.prediction, noisy.confidence), (Some(0), None)),
            Preset::Strict => assert_eq!(noisy.prediction, clean.prediction),
        }
        let other = of(EMPTY + 1, "none");
        assert!(iou(other).is_some() && density(other).is_some() && other.object_fraction > Some(0.0), "{other:?}");
        assert_eq!(of(EMPTY + 1, "gray").map, MapScores::default());
    }
}

/// A record is a function of the run description, the sample and the condition.
#[test]
fn a_record_can_be_computed_again() {
    let Fixture { data, model, run, .. } = &*FIXTURE;
    let description = run.description();
    let transform = description.quirks.transform(&description.preprocess);
    for record in run.records().iter().filter(|r| r.error.is_none()).step_by(11) {
        let sample = data.by_name(&record.sample).unwrap();
        let (image, mask) = (transform.apply_to_image(&sample.image), transform.apply_to_mask(&sample.mask));
        let key = NoiseKey::new(description.seed, &record.sample, record.trial);
        let image = parse(&record.condition, Preset::Paper).unwrap().apply(&image, &mask, key);
        let x = model.normalize(&model.batch(&[image]).unwrap()).unwrap();
        let logits = model.forward(&x).unwrap().to_vec2::<f32>().unwrap().remove(0);
        assert_eq!(record.label as usize, sample.class);
        if let Some(confidence) = record.confidence {
            let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
            assert!((logits[sample.class].exp() / sum - confidence).abs() < 1e-5, "{record:?}");
            let prediction = record.prediction.unwrap() as usize;
            assert!(logits.iter().all(|&logit| logit <= logits[prediction] + 1e-4), "{record:?} {logits:?}");
            assert_eq!(record.correct, Some(prediction == sample.class));
        }
    }
}

/// Each explainer explains the class that it is asked about, and further explainers have records of their own.
#[test]
fn every_explainer_has_records_of_its_own() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let text = "conditions = ['none']\nexplainers = ['gradcam', 'gradcam@predicted', 'gradcam@3', 'random', 'centre']";
    let run = |batch: usize| {
        let dir = tempfile::tempdir().unwrap();
        let protocol = Protocol::from_toml(text).unwrap();
        let mut evaluation = Evaluation::new(data).protocol(protocol).batch_size(batch).seed(3);
        let run = evaluation.run(model, dir.path()).unwrap();
        // The second run computes nothing.
        let before = parts(dir.path());
        evaluation.run(model, dir.path()).unwrap();
        assert!(parts(dir.path()) == before);
        run.records().to_vec()
    };
    let records = run(20);
    assert_eq!(records.len(), (SAMPLES - 1) * 5 + 1);
    let of = |records: &[Record], sample: usize, condition: &str| {
        let found = |r: &&Record| r.sample == data.name(sample) && r.condition == condition;
        records.iter().find(found).cloned().unwrap_or_else(|| panic!("{condition}"))
    };
    for sample in (0..SAMPLES).filter(|&sample| sample != BAD && sample != EMPTY) {
        let clean = of(&records, sample, "none");
        let [predicted, third] = ["gradcam@predicted", "gradcam@3"].map(|w| of(&records, sample, &format!("map:{w}")));
        assert_eq!((predicted.prediction, predicted.correct, predicted.confidence), (None, None, None));
        assert_eq!(predicted.map == clean.map, clean.correct == Some(true), "{clean:?} {predicted:?}");
        assert_eq!(third.map == clean.map, clean.label == 3);
    }
    assert_eq!(of(&records, EMPTY, "map:random").map, MapScores::default());
    // The random numbers of a sample do not depend on its neighbors.
    let others = run(7);
    let random = |records: &[Record]| -> Vec<MapScores> {
        records.iter().filter(|r| r.condition == "map:random").map(|r| r.map).collect()
    };
    assert_eq!(random(&records), random(&others));
    assert!(random(&records).windows(2).any(|pair| pair[0] != pair[1]));
}

#[test]
fn maps_are_scored_for_faithfulness() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let text =
        "conditions = ['none']\nexplainers = ['gradcam', 'centre']\nfaithfulness = ['insertion', 'deletion', 'road']";
    let dir = tempfile::tempdir().unwrap();
    let data = hard_imagenet_datasets::Subset::filter(data, |i| i < 3 && i != BAD && i != EMPTY);
    let run = Evaluation::new(&data).protocol(Protocol::from_toml(text).unwrap()).run(model, dir.path()).unwrap();
    for record in run.records() {
        for (column, range) in [("insertion", 0.0..=1.0), ("deletion", 0.0..=1.0), ("road", -0.5..=0.5)] {
            assert!(record.map.get(column).is_some_and(|value| range.contains(&value)), "{record:?}");
        }
    }
    assert_ne!(run.records()[0].map.get("deletion"), run.records()[1].map.get("deletion"));
}

#[test]
fn records_have_ranks_and_describe_the_object() {
    let Fixture { data, run, .. } = &*FIXTURE;
    // Noise of a given norm in an empty region has logits that are not numbers (Q9).
    for record in run.records().iter().filter(|r| r.confidence.is_some()) {
        assert_eq!(record.correct == Some(true), record.rank == Some(0), "{record:?}");
        assert!(record.rank.is_some_and(|rank| rank < 8) && record.rank_within.is_none(), "{record:?}");
        let (confidence, certainty) = (record.confidence.unwrap(), record.certainty.unwrap());
        assert!(confidence <= certainty && (record.correct != Some(true) || confidence == certainty), "{record:?}");
        let clean = record.condition == "none";
        assert_eq!(
            (record.eccentricity.is_some(), record.components.is_some()),
            (clean && record.sample != data.name(EMPTY), clean)
        );
    }
}

#[test]
fn the_explainers_input_is_a_switch() {
    let (data, model) = (Toy::new(4), &FIXTURE.model);
    let protocol = Protocol::from_toml("conditions = ['none']\nexplainers = ['gradcam']").unwrap();
    let mut densities = Vec::new();
    for saliency_input in [SaliencyInput::Raw, SaliencyInput::Normalized] {
        let dir = tempfile::tempdir().unwrap();
        let quirks = Quirks { saliency_input, ..Quirks::from(Preset::Paper) };
        let mut evaluation = Evaluation::new(&data).protocol(protocol.clone()).quirks(quirks);
        let run = evaluation.run(model, dir.path()).unwrap();
        assert_eq!(run.description().preset, if saliency_input == SaliencyInput::Raw { "paper" } else { "mixed" });

        let transform = quirks.transform(&model.spec().preprocess);
        for record in run.records() {
            let sample = data.by_name(&record.sample).unwrap();
            let raw = model.batch(&[transform.apply_to_image(&sample.image)]).unwrap();
            let x = match saliency_input {
                SaliencyInput::Raw => raw,
                SaliencyInput::Normalized => model.normalize(&raw).unwrap(),
            };
            let map = GradCam::default().explain(model, &x, &[record.label]).unwrap().remove(0).map;
            let mask = transform.apply_to_mask(&sample.mask);
            let delta = alignment::delta_density(map.as_slice(), mask.as_slice()).unwrap() as f32;
            assert!((density(record).unwrap() - delta).abs() < 1e-3, "{record:?} {delta}");
            let expected = alignment::iou(map.as_slice(), mask.as_slice(), 0.5) as f32;
            assert!((iou(record).unwrap() - expected).abs() < 1e-2, "{record:?} {expected}");
        }
        densities.push(run.records().iter().filter_map(density).sum::<f32>());
    }
    assert!((densities[0] - densities[1]).abs() > 1e-2, "the two inputs give the same maps: {densities:?}");
}

/// A background may come from a sample of any part, also of another shard. Neither the order nor the thread matters.
#[test]
fn a_borrowed_background_is_the_same_everywhere() {
    let Fixture { data, model, .. } = &*FIXTURE;
    let text = "conditions = ['none', 'mixed-same', 'mixed-rand', 'mixed-next', 'shuffle:8', 'only-fg']\ntrials = 2";
    let protocol = Protocol::from_toml(text).unwrap();
    assert_eq!(protocol.images_per_sample(), 10);
    let evaluation = || evaluation(data).protocol(protocol.clone());
    let whole = tempfile::tempdir().unwrap();
    let run = evaluation().run(model, whole.path()).unwrap();

    let divided = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for index in [1, 0] {
        pool.install(|| evaluation().shard(index, 2).run(model, divided.path()).unwrap());
    }
    assert!(parts(whole.path()).iter().all(Option::is_some));
    assert!(parts(whole.path()) == parts(divided.path()), "the parts differ");
    // The sample that cannot be decoded lends no background, so others found another donor.
    assert_eq!(run.records().iter().filter(|record| record.error.is_some()).count(), 1);
    assert_eq!(run.records().len(), (SAMPLES - 1) * 10 + 1);

    let confidences = |condition: &str, trial| -> Vec<Option<f32>> {
        let wanted = |r: &&Record| r.condition == condition && r.trial == trial;
        run.records().iter().filter(wanted).map(|record| record.confidence).collect()
    };
    let clean = confidences("none", 0);
    for condition in ["mixed-same", "mixed-rand", "mixed-next", "shuffle:8"] {
        let (first, second) = (confidences(condition, 0), confidences(condition, 1));
        assert_eq!(first.len(), SAMPLES - 1);
        assert_ne!(first, clean, "{condition}");
        assert_ne!(first, second, "{condition}: trials differ");
    }
    let gallery = run.gallery().unwrap().unwrap();
    assert!(gallery.exhibits.iter().all(|exhibit| exhibit.panels[2].title == "Surroundings of another class"));
}

#[test]
fn a_background_needs_another_image() {
    let data = Toy::new(9);
    let protocol = Protocol::from_toml("conditions = ['mixed-same']").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let error = evaluation(&data).protocol(protocol).run(&FIXTURE.model, &folder).unwrap_err().to_string();
    assert!(error.contains("mixed-same") && error.contains("has only one"), "{error}");
    assert!(!folder.exists());
}

#[test]
fn a_complete_run_has_scores_and_a_gallery() {
    let Fixture { dir, run, .. } = &*FIXTURE;
    let scores: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("scores.json")).unwrap()).unwrap();
    assert_eq!(scores["counts"]["records"], run.records().len());

    let gallery = run.gallery().unwrap().unwrap();
    assert!(gallery.exhibits.len() >= 8, "{}", gallery.exhibits.len());
    for case in &gallery.exhibits {
        let titles: Vec<&str> = case.panels.iter().map(|panel| panel.title.as_str()).collect();
        let expected = ["Original", "Object gray", "Noise on the object", "Noise around it", "Where the model looks"];
        assert_eq!(titles, expected);
        for panel in &case.panels {
            let bytes = std::fs::read(dir.path().join(&panel.file)).unwrap();
            let image = hard_imagenet_images::decode_image(&bytes).unwrap();
            assert_eq!((image.height, image.width), (64, 64));
            assert_eq!(panel.confidence.is_some(), panel.condition.is_some());
        }
    }
    let best = gallery.exhibits.iter().find(|case| case.title == "Highest saliency overlap").unwrap();
    let highest = run.records().iter().filter_map(iou).fold(0.0, f32::max);
    assert_eq!(best.iou, Some(highest));
}

#[test]
fn mistakes_are_reported_before_anything_is_written() {
    let (data, model) = (&Toy::new(3), &toy::model(5));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let error = evaluation(data).run(model, &folder).unwrap_err().to_string();
    assert!(error.contains("its head has 5 classes, but needs 8"), "{error}");

    let model = &toy::model(1000);
    let error = evaluation(data).run(model, &folder).unwrap_err().to_string();
    assert!(error.contains("is not one of them"), "{error}");

    let mut unknown = protocol();
    unknown.conditions[1].id = "grey".to_owned();
    let error = evaluation(data).protocol(unknown).run(&toy::model(8), &folder).unwrap_err().to_string();
    assert!(error.contains("grey") && error.contains("gray-box"), "{error}");
    let mut elsewhere = protocol();
    elsewhere.explainers = vec!["gradcam:layer9".to_owned()];
    let error = evaluation(data).protocol(elsewhere).run(&toy::model(8), &folder).unwrap_err().to_string();
    assert!(error.contains("layer9"), "{error}");
    assert!(evaluation(data).batch_size(0).run(&toy::model(8), &folder).is_err());
    assert!(!folder.exists());

    std::fs::write(&folder, "a file").unwrap();
    let error = evaluation(data).run(&toy::model(8), &folder).unwrap_err();
    assert!(matches!(error, EvaluationError::Run(RunError::Io { .. })), "{error}");
}

#[test]
fn a_run_without_samples_is_complete() {
    let dir = tempfile::tempdir().unwrap();
    let run = evaluation(&Toy::new(0)).run(&FIXTURE.model, dir.path()).unwrap();
    assert!(run.is_complete() && run.records().is_empty());
    assert!(dir.path().join("scores.json").exists());
}

/// A dataset whose samples change while nobody looks.
struct Changing {
    toy: Toy,
    /// The sample whose first pixel is black.
    altered: Option<usize>,
    /// Whether the sample that could not be read can be read now.
    mended: bool,
    /// The place of every sample in a ranking.
    rank: Option<f32>,
}

impl Dataset for Changing {
    fn info(&self) -> &DatasetInfo {
        self.toy.info()
    }

    fn len(&self) -> usize {
        self.toy.len()
    }

    fn id(&self, i: usize) -> &str {
        self.toy.id(i)
    }

    fn class(&self, i: usize) -> usize {
        self.toy.class(i)
    }

    fn cue_rank(&self, _i: usize) -> Option<f32> {
        self.rank
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let mut sample = self.toy.get(if self.mended && i == BAD { BAD + 8 } else { i })?;
        if self.altered == Some(i) {
            sample.image.data[0] ^= 1;
        }
        Ok(sample)
    }
}

#[test]
fn only_parts_whose_samples_changed_are_computed_again() {
    let dir = tempfile::tempdir().unwrap();
    let model = &FIXTURE.model;
    let mut data = Changing { toy: Toy::new(SAMPLES), altered: None, mended: false, rank: None };
    let images = |data: &Changing| {
        let (mut computed, mut kinds) = (0, Vec::new());
        let run = Evaluation::new(data)
            .protocol(protocol())
            .progress(|event| {
                match event {
                    Event::Progress { phase: Phase::Evaluate, done, resumed, .. } => computed = done - resumed,
                    Event::Finding(finding) => kinds.push(finding.kind.clone()),
                    _ => {}
                }
                ControlFlow::Continue(())
            })
            .run(model, dir.path())
            .unwrap();
        kinds.retain(|kind| kind.starts_with("inputs") || kind == "left-out");
        (computed, kinds, run.records().iter().filter(|record| record.error.is_some()).count())
    };
    assert_eq!(images(&data), (SAMPLES * IMAGES, vec!["left-out".to_owned()], 1));
    assert_eq!(images(&data), (0, vec!["left-out".to_owned()], 1));
    data.altered = Some(20);
    assert_eq!(images(&data), (16 * IMAGES, vec!["inputs-changed".to_owned(), "left-out".to_owned()], 1));
    assert_eq!(images(&data), (0, vec!["left-out".to_owned()], 1));
    data.mended = true;
    assert_eq!(images(&data), (16 * IMAGES, vec!["inputs-changed".to_owned()], 0));
    // A ranking is part of the records, too.
    data.rank = Some(0.5);
    assert_eq!(images(&data), (SAMPLES * IMAGES, vec!["inputs-changed".to_owned()], 0));
    // What an earlier version wrote does not say what it was computed from.
    std::fs::remove_file(dir.path().join("records/part-00002.inputs.json")).unwrap();
    assert_eq!(images(&data), (0, vec!["inputs-unknown".to_owned()], 0));
}

#[test]
fn features_of_changed_images_are_computed_again() {
    let dir = tempfile::tempdir().unwrap();
    let model = &FIXTURE.model;
    let mut data = Changing { toy: Toy::new(16), altered: None, mended: false, rank: None };
    let extract = |data: &Changing| {
        Features::new(data, model, 4).unwrap().extract(dir.path(), &mut |_, _| ControlFlow::Continue(())).unwrap()
    };
    let first = extract(&data);
    assert_eq!((first.bank.ids.len(), first.failures.len(), first.changed.len()), (15, 1, 0));
    let again = extract(&data);
    assert_eq!((again.bank.ids, again.failures, again.changed.len()), (first.bank.ids.clone(), first.failures, 0));
    data.altered = Some(3);
    let altered = extract(&data);
    assert_eq!((altered.bank.ids, altered.changed), (first.bank.ids, vec![data.id(3).to_owned()]));
    data.mended = true;
    let mended = extract(&data);
    assert_eq!((mended.bank.ids.len(), mended.failures.len(), mended.changed), (16, 0, vec![data.id(BAD).to_owned()]));
}

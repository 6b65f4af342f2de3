//! A perturbation, an explainer, a metric and a dataset that the crates do not know, in whole runs.

#[allow(dead_code, reason = "the other tests use the rest")]
mod toy;

use hard_imagenet_evaluation::{Evaluation, EvaluationError, Event, Phase};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Heatmap, Mask};
use hard_imagenet_metrics::{
    Averaging, Better, Contribution, Measure, Metric, MetricMeta, Record, Records, Scores, Unit,
};
use hard_imagenet_perturbations::{NoiseKey, Perturb};
use hard_imagenet_runs::{PerturbationDescription, Protocol, Run, RunError};
use hard_imagenet_saliency::{Explain, ExplainError, ExplainRequest, Explanation};
use std::ops::ControlFlow;
use std::path::Path;
use toy::Toy;

/// Three parts, the last one short.
const SAMPLES: usize = 35;

/// Dims the object by a random factor.
#[derive(Clone)]
struct Dim {
    version: &'static str,
}

const DIM: Dim = Dim { version: "1" };

impl Perturb for Dim {
    fn id(&self) -> String {
        "dim".into()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels {
        let factor = key.fork("dim").below(0, 100) as f32 / 100.0;
        let mut dimmed = image.clone();
        let plane = mask.as_slice().len();
        for (at, value) in dimmed.as_mut_slice().iter_mut().enumerate() {
            *value *= if mask.as_slice()[at % plane] == 1 { factor } else { 1.0 };
        }
        dimmed
    }

    fn is_random(&self) -> bool {
        true
    }

    fn title(&self) -> String {
        "object dimmed".into()
    }

    fn keeps_object(&self) -> bool {
        true
    }

    fn version(&self) -> String {
        self.version.into()
    }
}

/// Shows the upper part of an image, a random number of rows.
#[derive(Clone)]
struct UpperPart;

impl Explain for UpperPart {
    fn id(&self) -> String {
        "upper".into()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let explanation = |key: NoiseKey| {
            let rows = 1 + key.below(0, height as u64 - 1) as usize;
            let values = (0..height * width).map(|at| f32::from(u8::from(at / width < rows))).collect();
            let map = Heatmap::from_vec(height, width, values).unwrap();
            Explanation { raw: map.clone(), map }
        };
        Ok(request.forked_keys(self)?.into_iter().map(explanation).collect())
    }
}

/// Measures how often a model is certain.
struct Certain;

static CERTAIN: MetricMeta = MetricMeta {
    id: "certain",
    title: "Certain",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "predictions of probability above 0.2 / predictions",
    source: "a test",
    description: "Share of predictions with a probability above 0.2.",
};

impl Metric for Certain {
    fn meta(&self) -> &'static MetricMeta {
        &CERTAIN
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, CERTAIN.range, |cell| Contribution {
            sum: cell.certainty.iter().filter(|(certainty, _)| *certainty > 0.2).count() as f64,
            count: cell.certainty.len() as f64,
        })
    }
}

fn protocol() -> Protocol {
    let text = "conditions = ['none', 'dim', 'gray', 'noise:l2:30:fg']\ntrials = 2\nexplainers = ['upper', 'gradcam']";
    Protocol::from_toml_with(text, &[PerturbationDescription::new(&DIM)]).unwrap()
}

/// An evaluation whose batches do not end where samples end.
fn evaluation(data: &Toy) -> Evaluation<'_> {
    let evaluation = Evaluation::new(data).protocol(protocol()).batch_size(20).seed(3);
    evaluation.perturbation(DIM).explainer(UpperPart).metric(Certain)
}

fn parts(folder: &Path) -> Vec<Vec<u8>> {
    (0..3).map(|part| std::fs::read(folder.join(format!("records/part-{part:05}.parquet"))).unwrap()).collect()
}

fn confidences(run: &Run, condition: &str, trial: u32) -> Vec<f32> {
    let wanted = |record: &&Record| record.condition == condition && record.trial == trial;
    run.records().iter().filter(wanted).filter_map(|record| record.confidence).collect()
}

#[test]
fn what_the_caller_brings_is_evaluated_like_what_is_built_in() {
    let (data, model) = (Toy::new(SAMPLES), toy::model(8));
    let whole = tempfile::tempdir().unwrap();
    let run = evaluation(&data).run(&model, whole.path()).unwrap();
    assert!(run.is_complete());

    // Its trials are draws of their own, made from the keys of the run.
    let (clean, first, second) =
        (confidences(&run, "none", 0), confidences(&run, "dim", 0), confidences(&run, "dim", 1));
    assert_eq!(first.len(), SAMPLES - 1);
    assert!(first != clean && first != second);
    // The first explainer's scores are those of the clean records.
    let maps = run.records().iter().filter(|record| record.condition == "none" && record.map.get("iou").is_some());
    assert_eq!(maps.count(), SAMPLES - 2);
    assert!(run.records().iter().any(|record| record.condition == "map:gradcam"));

    let description = run.description();
    assert_eq!(description.perturbations, [PerturbationDescription::new(&DIM)]);
    assert_eq!((description.explainers[0].id.as_str(), description.explainers[0].version.as_str()), ("upper", "1"));
    let scores: Scores = serde_json::from_slice(&std::fs::read(whole.path().join("scores.json")).unwrap()).unwrap();
    assert_eq!(scores.conditions, ["none", "gray", "dim", "noise:l2:30:fg", "map:gradcam"]);
    assert!(scores.headline("certain", "dim").is_some() && scores.headline("drop", "dim").is_some());
    assert_eq!(scores.describe("certain").unwrap().title, "Certain");
    let gallery = run.gallery().unwrap().unwrap();
    let titles: Vec<&str> = gallery.exhibits[0].panels.iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!(titles, ["Original", "Object dimmed", "Object gray", "Noise on the object", "Where the model looks"]);

    // Interrupted and resumed.
    let resumed = tempfile::tempdir().unwrap();
    let mut canceled = evaluation(&data).progress(|event| match event {
        Event::Progress { phase: Phase::Evaluate, done, .. } if *done > 150 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(!canceled.run(&model, resumed.path()).unwrap().is_complete());
    assert!(evaluation(&data).run(&model, resumed.path()).unwrap().is_complete());
    assert!(parts(resumed.path()) == parts(whole.path()), "the resumed run differs");

    // Divided.
    let divided = tempfile::tempdir().unwrap();
    for index in [1, 0] {
        evaluation(&data).shard(index, 2).run(&model, divided.path()).unwrap();
    }
    assert!(parts(divided.path()) == parts(whole.path()), "the divided run differs");
    for file in ["run.json", "scores.json", "gallery.json"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert_eq!(read(divided.path()), read(whole.path()), "{file}");
    }
}

#[test]
fn another_version_is_another_run() {
    let (data, model, dir) = (Toy::new(4), toy::model(8), tempfile::tempdir().unwrap());
    let protocol = || Protocol::from_toml("conditions = ['none']").unwrap();
    let evaluation = |dim: Dim| Evaluation::new(&data).protocol(protocol()).perturbation(dim);
    evaluation(DIM).run(&model, dir.path()).unwrap();
    let error = evaluation(Dim { version: "2" }).run(&model, dir.path()).unwrap_err();
    let EvaluationError::Run(RunError::OtherRun { differences, .. }) = &error else { panic!("{error}") };
    assert_eq!(differences[..], ["perturbations.dim: \"1\" there, \"2\" asked for"]);
    // Without it, the condition is missing too.
    let error = Evaluation::new(&data).protocol(protocol()).run(&model, dir.path()).unwrap_err();
    assert!(matches!(error, EvaluationError::Run(RunError::OtherRun { .. })), "{error}");
}

#[test]
fn what_a_protocol_does_not_name_is_added() {
    let (data, model, dir) = (Toy::new(4), toy::model(8), tempfile::tempdir().unwrap());
    let protocol = Protocol::from_toml("conditions = ['none', 'noise:l2:30:fg']\ntrials = 3").unwrap();
    let mut evaluation = Evaluation::new(&data).protocol(protocol).perturbation(DIM).explainer(UpperPart);
    let run = evaluation.run(&model, dir.path()).unwrap();
    let protocol = &run.description().protocol;
    assert_eq!((protocol.conditions[2].id.as_str(), protocol.conditions[2].trials), ("dim", 3));
    assert_eq!(protocol.explainers, ["upper"]);
}

#[test]
fn a_metric_is_added_to_a_complete_run() {
    let (data, model, dir) = (Toy::new(4), toy::model(8), tempfile::tempdir().unwrap());
    let evaluation = || Evaluation::new(&data).protocol(Protocol::from_toml("conditions = ['none']").unwrap());
    evaluation().run(&model, dir.path()).unwrap();
    let scores = || std::fs::read_to_string(dir.path().join("scores.json")).unwrap();
    assert!(!scores().contains("certain"));
    let description = std::fs::read_to_string(dir.path().join("run.json")).unwrap();
    assert!(!description.contains("\"perturbations\"") && !description.contains("\"version\": \"1\""), "{description}");
    evaluation().metric(Certain).run(&model, dir.path()).unwrap();
    assert!(scores().contains("\"certain\""));
}

#[test]
fn ids_of_built_in_ones_are_refused() {
    struct Gray;
    impl Perturb for Gray {
        fn id(&self) -> String {
            "gray".into()
        }
        fn apply(&self, image: &Pixels, _: &Mask, _: NoiseKey) -> Pixels {
            image.clone()
        }
    }
    let (data, model, dir) = (Toy::new(4), toy::model(8), tempfile::tempdir().unwrap());
    let folder = dir.path().join("run");
    let error = Evaluation::new(&data).perturbation(Gray).run(&model, &folder).unwrap_err().to_string();
    assert!(error.contains("\"gray\"") && error.contains("built-in"), "{error}");
    let error = Evaluation::new(&data).perturbation(DIM).perturbation(DIM).run(&model, &folder).unwrap_err();
    assert!(error.to_string().contains("twice"), "{error}");
    assert!(!folder.exists());
}

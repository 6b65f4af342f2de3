//! The evaluation of a model, and its outcome.

use crate::subject::{SIZE, Subject};
use crate::training::Result;
use hard_imagenet::datasets::{PlantedConfig, PlantedCues};
use hard_imagenet::evaluation::Evaluation;
use hard_imagenet::metrics::{CLEAN, Options, Scores, meta, score};
use hard_imagenet::models::Model;
use hard_imagenet::perturbations::Preset;
use hard_imagenet::runs::{Protocol, Run};
use std::path::Path;

/// The two sets of test images: small objects off center, mostly in their own scene, and large central ones in any scene.
pub(crate) const PRESETS: [&str; 2] = ["hard", "easy"];

/// The protocol of the scores.
const PROTOCOL: &str = r#"
    conditions = ["none", "gray", "gray-box", "tile", "only-bg-t", "mixed-same", "mixed-rand"]
    explainers = ["gradcam"]
    [noise]
    linf = [0.25, 0.5, 0.75]
    l2 = [8, 16, 32]
"#;
/// Number of images for the scores.
const SAMPLES: usize = 320;
/// Seed of those images. No model was trained with it, nor with the seed of the truth.
const SEED: u64 = 1001;

/// The protocol of the truth: the same objects in their own scenes and in those of others.
const TRUTH_PROTOCOL: &str = r#"conditions = ["none"]"#;
const TRUTH_SAMPLES: usize = 480;
const TRUTH_SEED: u64 = 1002;

/// The images of one run.
struct TestSet {
    config: PlantedConfig,
    seed: u64,
    samples: usize,
    protocol: &'static str,
}

impl TestSet {
    /// Returns the sets of a preset: for the scores, with all objects in their own scenes, and with none in its own.
    fn of_preset(preset: &str) -> [Self; 3] {
        let config = if preset == "hard" { PlantedConfig::hard() } else { PlantedConfig::easy() };
        let truth = |word: &str, cue| Self {
            config: PlantedConfig { name: format!("{preset}-{word}"), cue, ..config.clone() },
            seed: TRUTH_SEED,
            samples: TRUTH_SAMPLES,
            protocol: TRUTH_PROTOCOL,
        };
        let (own, foreign) = (truth("own", 1.0), truth("foreign", 0.0));
        [Self { config, seed: SEED, samples: SAMPLES, protocol: PROTOCOL }, own, foreign]
    }

    /// Evaluates a model on the set, except for what the folder already holds.
    fn run(&self, model: &Model, runs: &Path) -> Result<Run> {
        let data = PlantedCues::new(self.config.clone(), self.seed, self.samples, SIZE)?;
        let protocol = Protocol::from_toml(self.protocol)?;
        let mut evaluation = Evaluation::new(&data).protocol(protocol).preset(Preset::Strict).batch_size(64);
        Ok(evaluation.run(model, runs.join(&self.config.name))?)
    }
}

/// A score of a model: the metric ("drop", "rfs", ..) and the condition ("gray-box", "noise:linf:0.25", ..).
pub(crate) type Measure = (String, String);

/// The outcome of one model on one preset.
pub(crate) struct Outcome {
    /// Accuracy that is lost when the same objects move from their own scenes to those of others. This is the truth by behavior,
    /// because only a model that uses the scene can lose it.
    pub(crate) cost: f64,
    /// Accuracy with the objects in scenes that are not their own.
    pub(crate) foreign: f64,
    /// All defined scores.
    pub(crate) scores: Vec<(Measure, f64)>,
}

/// Evaluates a model on a preset and scores it.
pub(crate) fn evaluate(subject: &Subject, preset: &str, folder: &Path) -> Result<Outcome> {
    let (model, runs) = (subject.load(folder)?, folder.join("runs").join(subject.name()));
    let [scored, own, foreign] = TestSet::of_preset(preset).map(|set| set.run(&model, &runs));
    // Intervals are computed over models, not over images.
    let options = Options { resamples: 0, ..Options::default() };
    let scores = |run: Result<Run>| Result::Ok(score(run?.records(), &options));
    let clean = |scores: &Scores| scores.headline("accuracy", CLEAN).map(|e| e.value).ok_or("nothing was scored");
    let (own, foreign) = (clean(&scores(own)?)?, clean(&scores(foreign)?)?);
    Ok(Outcome { cost: own - foreign, foreign, scores: measures(&scores(scored)?) })
}

/// Returns the headline number of every metric under every condition.
fn measures(scores: &Scores) -> Vec<(Measure, f64)> {
    let mut measures = Vec::new();
    for metric in &scores.metrics {
        let average = meta(&metric.id).map(|meta| meta.average);
        for score in &metric.scores {
            if let Some(estimate) = average.and_then(|average| score.mean(average)) {
                measures.push(((metric.id.clone(), score.condition.clone()), estimate.value));
            }
        }
    }
    measures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_parse() {
        for protocol in [PROTOCOL, TRUTH_PROTOCOL] {
            assert!(Protocol::from_toml(protocol).unwrap().images_per_sample() > 0);
        }
    }
}

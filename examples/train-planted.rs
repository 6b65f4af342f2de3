//! Trains the two models of the demo on planted cues.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin train-planted -- crates/cli/demo
//! ```
//!
//! Both are `planted_resnet`, start from the same weights and see the same objects. They differ in one setting: the scene
//! always reveals the class in the images of `cue`, and never in those of `object`. Every image is generated for one step
//! and never used again; every second one has grain. Training takes ten minutes a model on a core of its own. It is
//! deterministic: a second run on the same machine writes the same files.
//!
//! The second argument `cue` or `object` trains one of the two; `check` only measures the existing files.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

#[path = "planted/training.rs"]
mod training;

use candle_core::{D, DType, Device};
use hard_imagenet::datasets::{Dataset, PlantedConfig, PlantedCues};
use hard_imagenet::graph::WeightMap;
use hard_imagenet::images::{MaskRule, PairedTransform, Pixels};
use hard_imagenet::models::{Model, Weights, generated, zoo};
use hard_imagenet::perturbations::{NoiseKey, Perturb, Preset, parse};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::time::Instant;
use training::{Recipe, Result};

const NAME: &str = "planted_resnet";
/// Side of the images, in pixels.
const SIZE: usize = 64;
const STEPS: usize = 1200;
/// Seeds of the training images and of the fresh images that measure the result.
const TRAIN_SEED: u64 = 1;
const CHECK_SEED: u64 = 77;
/// Number of fresh images of each kind.
const CHECKED: usize = 800;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, only) = match &arguments[..] {
        [folder] => (PathBuf::from(folder), None),
        [folder, only] if ["cue", "object", "check"].contains(&only.as_str()) => (PathBuf::from(folder), Some(only)),
        _ => return Err("usage: train-planted FOLDER [cue | object | check]".into()),
    };
    std::fs::create_dir_all(&folder)?;
    for (word, cue) in [("cue", 1.0), ("object", PlantedConfig::CHANCE)] {
        let path = folder.join(format!("{NAME}.{word}.safetensors"));
        let wanted = |only: &String| only == word || only == "check";
        if !only.is_none_or(wanted) {
            continue;
        }
        if only.is_none_or(|only| only != "check") {
            println!("{word}: the scene is the class's own with probability {cue}");
            let weights = train(cue)?;
            candle_core::safetensors::save(&weights, &path)?;
        }
        check(word, &path)?;
    }
    Ok(())
}

/// Returns the weights after training on images whose scene is the class's own with probability `cue`.
fn train(cue: f64) -> Result<WeightMap> {
    let graph = zoo::graph(NAME, 8)?;
    let start = generated::weights(&graph)?;
    let recipe = Recipe { cue, seed: TRAIN_SEED, steps: STEPS, batch: 32, rate: 5e-3 };
    let started = Instant::now();
    let (mut loss, mut accuracy) = (0.0, 0.0);
    training::train(&graph, start, &zoo::spec(NAME)?.preprocess, &recipe, |step| {
        loss += step.loss;
        accuracy += step.accuracy;
        let every = 20;
        if step.number.is_multiple_of(every) {
            let left = started.elapsed().as_secs_f64() / step.number as f64 * (STEPS - step.number) as f64;
            let (mean_loss, mean_accuracy) = (loss / every as f64, accuracy / every as f64);
            println!(
                "step {:4} of {STEPS}  loss {mean_loss:.3}  accuracy {mean_accuracy:.3}  {left:.0} s left",
                step.number
            );
            (loss, accuracy) = (0.0, 0.0);
        }
    })
}

/// Prints the model's accuracy on fresh images, unchanged and perturbed.
fn check(word: &str, path: &Path) -> Result<()> {
    let model = zoo::load(NAME, &Weights::File(path.to_owned()), &Device::Cpu, DType::F32)?;
    let foreign = PlantedConfig { name: "foreign".into(), cue: 0.0, ..PlantedConfig::easy() };
    let sets = [
        PlantedCues::hard(CHECK_SEED, CHECKED, SIZE),
        PlantedCues::easy(CHECK_SEED, CHECKED, SIZE),
        PlantedCues::new(foreign, CHECK_SEED, CHECKED, SIZE)?,
    ];
    for data in &sets {
        let mut line = format!("{word:6} on {:15}", data.info().name);
        for kind in ["none", "gray", "gray-box", "noise:linf:0.5:fg", "noise:linf:0.5:bg"] {
            let accuracy = accuracy(&model, data, parse(kind, Preset::Strict)?.as_ref())?;
            line += &format!("  {kind} {accuracy:.3}");
        }
        println!("{line}");
    }
    Ok(())
}

fn accuracy(model: &Model, data: &PlantedCues, perturb: &dyn Perturb) -> Result<f64> {
    let geometry = geometry()?;
    let mut right = 0;
    for start in (0..data.len()).step_by(100) {
        let indices: Vec<usize> = (start..data.len().min(start + 100)).collect();
        let see = |&i: &usize| {
            let sample = data.get(i)?;
            let key = NoiseKey::new(0, &sample.id, 0);
            Ok(perturb.apply(&geometry.apply_to_image(&sample.image), &geometry.apply_to_mask(&sample.mask), key))
        };
        let images: Vec<Pixels> = indices.par_iter().map(see).collect::<Result<_>>()?;
        let logits = model.forward(&model.normalize(&model.batch(&images)?)?)?;
        let predictions = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
        right += indices.iter().zip(predictions).filter(|&(&i, p)| data.class(i) == p as usize).count();
    }
    Ok(right as f64 / data.len() as f64)
}

/// Returns the transform. Images already have the network's size, so it only thresholds their masks.
fn geometry() -> Result<PairedTransform> {
    Ok(zoo::spec(NAME)?.preprocess.paired_transform(MaskRule::Half))
}

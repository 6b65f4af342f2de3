//! Trains the two models of the demo on planted cues.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin train-planted -- crates/cli/demo
//! ```
//!
//! Both are `planted_resnet`, start from the same weights and see the same objects. They differ in one number: in the
//! pictures of `cue` the scene always tells the class, in those of `object` it tells nothing. Every picture is
//! generated for one step and never seen again, every second one with grain. Ten minutes a model on a core of its own.
//! Nothing is left to chance: a second run on the same machine writes the same files.
//!
//! A second argument (`cue` or `object`) trains one of the two, `check` only measures the files that are there.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use hard_imagenet::datasets::{Dataset, PlantedConfig, PlantedCues};
use hard_imagenet::graph::{WeightMap, run_training};
use hard_imagenet::images::{MaskRule, PairedTransform, Pixels};
use hard_imagenet::masks::Mask;
use hard_imagenet::models::{Model, Weights, generated, zoo};
use hard_imagenet::perturbations::{EmptyRegion, Noise, NoiseKey, Norm, Perturb, Preset, Region, parse};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const NAME: &str = "planted_resnet";
/// Side of the pictures.
const SIZE: usize = 64;
const STEPS: usize = 1200;
const BATCH: usize = 32;
/// Greatest standard deviation of the noise that the pictures of training have.
const GRAIN: f32 = 0.5;
/// Highest learning rate: reached after a tenth of the steps, then down to zero along a cosine.
const RATE: f64 = 5e-3;
/// Seed of the training pictures, and of the fresh ones that the result is measured on.
const TRAIN_SEED: u64 = 1;
const CHECK_SEED: u64 = 77;
/// Fresh pictures of each kind.
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

/// The weights after training where the scene tells the class with probability `cue`.
fn train(cue: f64) -> Result<WeightMap> {
    let graph = zoo::graph(NAME, 8)?;
    let data = PlantedCues::new(PlantedConfig::train(cue), TRAIN_SEED, STEPS * BATCH, SIZE)?;
    let geometry = geometry()?;
    let preprocess = zoo::spec(NAME)?.preprocess;
    let (mean, std) = (f64::from(preprocess.mean[0]), f64::from(preprocess.std[0]));

    // Running statistics are no variables: they follow the batches and have no gradient.
    let mut weights = generated::weights(&graph)?;
    let mut variables = Vec::new();
    for (name, tensor) in weights.iter_mut().filter(|(name, _)| !name.contains("running")) {
        let variable = Var::from_tensor(tensor)?;
        *tensor = variable.as_tensor().clone();
        variables.push((name.clone(), variable));
    }
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    let variables = variables.into_iter().map(|(_, variable)| variable).collect();
    let mut optimizer = AdamW::new(variables, ParamsAdamW { weight_decay: 0.02, ..Default::default() })?;

    let started = Instant::now();
    let (mut loss_sum, mut right) = (0.0, 0.0);
    for step in 0..STEPS {
        let indices: Vec<usize> = (step * BATCH..(step + 1) * BATCH).collect();
        let images: Vec<Pixels> =
            indices.par_iter().map(|&i| Ok(grainy(geometry.image(&data.get(i)?.image), i))).collect::<Result<_>>()?;
        let x = ((batch(&images)? - mean)? / std)?;
        let labels: Vec<u32> = indices.iter().map(|&i| data.class(i) as u32).collect();
        let labels = Tensor::new(labels, &Device::Cpu)?;

        let (logits, statistics) = run_training(&graph, &weights, &x, 0.1)?;
        let loss = candle_nn::loss::cross_entropy(&logits, &labels)?;
        optimizer.set_learning_rate(rate(step));
        optimizer.backward_step(&loss)?;
        weights.extend(statistics);

        loss_sum += f64::from(loss.to_scalar::<f32>()?);
        let hits = logits.argmax(D::Minus1)?.eq(&labels)?.to_dtype(DType::F32)?;
        right += f64::from(hits.mean_all()?.to_scalar::<f32>()?);
        let every = 20;
        if (step + 1) % every == 0 {
            let left = started.elapsed().as_secs_f64() / (step + 1) as f64 * (STEPS - step - 1) as f64;
            let (loss, accuracy) = (loss_sum / every as f64, right / every as f64);
            println!("step {:4} of {STEPS}  loss {loss:.3}  accuracy {accuracy:.3}  {left:.0} s left", step + 1);
            (loss_sum, right) = (0.0, 0.0);
        }
    }
    Ok(weights)
}

/// Every second picture gets grain of a strength up to [`GRAIN`], over all of it.
///
/// A network that never saw noise fails under any, wherever it is: then the noise of the benchmark would measure how
/// little noise the network stands, and not what it looks at.
fn grainy(image: Pixels, i: usize) -> Pixels {
    // Multiples of the golden ratio fill (-1, 1) evenly, in every class alike.
    let strength = 2.0 * (i as f64 * 0.618_033_988_75).fract() - 1.0;
    if strength <= 0.0 {
        return image;
    }
    let everywhere = Mask::new(image.height(), image.width()).complement();
    let noise = Noise {
        norm: Norm::Linf,
        sigma: GRAIN * strength as f32,
        region: Region::Foreground,
        empty: EmptyRegion::Unchanged,
    };
    noise.apply(&image, &everywhere, NoiseKey::new(TRAIN_SEED, "grain", i as u32))
}

/// Learning rate of a step: a linear rise, then half a cosine.
fn rate(step: usize) -> f64 {
    let at = step as f64 / STEPS as f64;
    if at < 0.1 { RATE * at / 0.1 } else { RATE * 0.5 * (1.0 + (std::f64::consts::PI * (at - 0.1) / 0.9).cos()) }
}

/// What the model does with fresh pictures, whole and perturbed.
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
            Ok(perturb.apply(&geometry.image(&sample.image), &geometry.mask(&sample.mask), key))
        };
        let images: Vec<Pixels> = indices.par_iter().map(see).collect::<Result<_>>()?;
        let logits = model.forward(&model.normalise(&model.batch(&images)?)?)?;
        let predictions = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
        right += indices.iter().zip(predictions).filter(|&(&i, p)| data.class(i) == p as usize).count();
    }
    Ok(right as f64 / data.len() as f64)
}

/// Pictures have the network's size already; only their masks are thresholded.
fn geometry() -> Result<PairedTransform> {
    Ok(zoo::spec(NAME)?.preprocess.paired(MaskRule::Half))
}

/// `(B, 3, H, W)` in [0, 1].
fn batch(images: &[Pixels]) -> Result<Tensor> {
    let values: Vec<f32> = images.iter().flat_map(|image| image.as_slice()).copied().collect();
    Ok(Tensor::from_vec(values, (images.len(), 3, SIZE, SIZE), &Device::Cpu)?)
}

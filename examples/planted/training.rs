//! Training on planted cues. Every image is generated for one step and never used again.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use hard_imagenet::datasets::{Dataset, PlantedConfig, PlantedCues};
use hard_imagenet::graph::{Graph, WeightMap, run_training};
use hard_imagenet::images::{MaskRule, Pixels, Preprocessing};
use hard_imagenet::masks::Mask;
use hard_imagenet::perturbations::{EmptyRegion, Noise, NoiseKey, Norm, Perturb, Region};
use rayon::prelude::*;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Largest standard deviation of the noise on training images.
const GRAIN: f32 = 0.5;

/// The images of a training, and how the network learns from them.
pub(crate) struct Recipe {
    /// Probability that the scene is the class's own.
    pub(crate) cue: f64,
    /// Seed of images and grain.
    pub(crate) seed: u64,
    pub(crate) steps: usize,
    /// Images per step.
    pub(crate) batch: usize,
    /// Highest learning rate. The rate reaches it after a tenth of the steps and then falls to zero along a cosine.
    pub(crate) rate: f64,
}

/// The outcome of one step.
pub(crate) struct Step {
    /// Number of the step, from 1.
    pub(crate) number: usize,
    pub(crate) loss: f64,
    /// Accuracy on the step's own images, before the step.
    pub(crate) accuracy: f64,
}

/// Returns the weights after training from `start`, and calls `report` after each step.
pub(crate) fn train(
    graph: &Graph,
    start: WeightMap,
    preprocess: &Preprocessing,
    recipe: &Recipe,
    mut report: impl FnMut(Step),
) -> Result<WeightMap> {
    let Recipe { cue, seed, steps, batch, .. } = *recipe;
    let size = preprocess.input.0;
    let data = PlantedCues::new(PlantedConfig::train(cue), seed, steps * batch, size)?;
    let geometry = preprocess.paired_transform(MaskRule::Half);
    let (mean, std) = (f64::from(preprocess.mean[0]), f64::from(preprocess.std[0]));

    // Running statistics are not variables: they follow the batches and have no gradient.
    let mut weights = start;
    let mut variables = Vec::new();
    for (name, tensor) in weights.iter_mut().filter(|(name, _)| !name.contains("running")) {
        let variable = Var::from_tensor(tensor)?;
        *tensor = variable.as_tensor().clone();
        variables.push((name.clone(), variable));
    }
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    let variables = variables.into_iter().map(|(_, variable)| variable).collect();
    let mut optimizer = AdamW::new(variables, ParamsAdamW { weight_decay: 0.02, ..Default::default() })?;

    for step in 0..steps {
        let indices: Vec<usize> = (step * batch..(step + 1) * batch).collect();
        let make = |&i: &usize| Ok(add_grain(geometry.apply_to_image(&data.get(i)?.image), seed, i));
        let images: Vec<Pixels> = indices.par_iter().map(make).collect::<Result<_>>()?;
        let values: Vec<f32> = images.iter().flat_map(|image| image.as_slice()).copied().collect();
        let x = Tensor::from_vec(values, (batch, 3, size, size), &Device::Cpu)?;
        let x = ((x - mean)? / std)?;
        let labels: Vec<u32> = indices.iter().map(|&i| data.class(i) as u32).collect();
        let labels = Tensor::new(labels, &Device::Cpu)?;

        let (logits, statistics) = run_training(graph, &weights, &x, 0.1)?;
        let loss = candle_nn::loss::cross_entropy(&logits, &labels)?;
        optimizer.set_learning_rate(recipe.rate(step));
        optimizer.backward_step(&loss)?;
        weights.extend(statistics);

        let hits = logits.argmax(D::Minus1)?.eq(&labels)?.to_dtype(DType::F32)?;
        let accuracy = f64::from(hits.mean_all()?.to_scalar::<f32>()?);
        report(Step { number: step + 1, loss: f64::from(loss.to_scalar::<f32>()?), accuracy });
    }
    Ok(weights)
}

impl Recipe {
    /// Returns the learning rate of a step: a linear rise, then half a cosine.
    fn rate(&self, step: usize) -> f64 {
        let at = step as f64 / self.steps as f64;
        let fall = |at: f64| 0.5 * (1.0 + (std::f64::consts::PI * (at - 0.1) / 0.9).cos());
        if at < 0.1 { self.rate * at / 0.1 } else { self.rate * fall(at) }
    }
}

/// Adds grain of a strength up to [`GRAIN`] to every second image, all over it.
///
/// A network that never saw noise fails under any noise, wherever it is. The benchmark's noise would then measure how little
/// noise the network tolerates, and not what it looks at.
fn add_grain(image: Pixels, seed: u64, i: usize) -> Pixels {
    // Multiples of the golden ratio fill (-1, 1) evenly, in every class.
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
    noise.apply(&image, &everywhere, NoiseKey::new(seed, "grain", i as u32))
}

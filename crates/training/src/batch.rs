//! From samples to tensors.

use crate::{Recipe, TrainingError};
use candle_core::{Device, Tensor};
use hard_imagenet_datasets::{Dataset, Sample};
use hard_imagenet_images::{MaskRule, PairedTransform, Pixels, Preprocessing, RandomResizedCrop};
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::NoiseKey;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The images of a step.
pub(crate) struct Batch {
    /// Indices of the samples, in order, without those that cannot be read.
    pub(crate) samples: Vec<usize>,
    /// `(B, 3, H, W)` f32, normalized.
    pub(crate) x: Tensor,
    /// `(B, 1, H, W)` f32: 1 on the object, 0 elsewhere.
    pub(crate) object: Tensor,
}

/// A sample that could not be read and was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedSample {
    /// The sample's id.
    pub sample: String,
    /// Why it could not be read.
    pub error: String,
}

/// Turns samples into what the network sees.
pub(crate) struct Loader<'a> {
    recipe: &'a Recipe,
    preprocess: &'a Preprocessing,
    geometry: PairedTransform,
    device: &'a Device,
}

/// What images are loaded for.
#[derive(Clone, Copy)]
pub(crate) enum Phase {
    /// For a step of an epoch, both counted from 0.
    Training { epoch: usize, step: usize },
    /// To measure the network between epochs.
    Validation,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(recipe: &'a Recipe, preprocess: &'a Preprocessing, device: &'a Device) -> Self {
        Self { recipe, preprocess, geometry: preprocess.paired_transform(MaskRule::Half), device }
    }

    /// Loads some samples; `None` if none of them can be read. Those that cannot are added to `skipped`, each once.
    pub(crate) fn batch(
        &self,
        data: &dyn Dataset,
        samples: &[usize],
        phase: Phase,
        skipped: &mut Vec<SkippedSample>,
    ) -> Result<Option<Batch>, TrainingError> {
        let loaded: Vec<_> = samples.par_iter().map(|&i| self.load(data, i, phase)).collect();
        let (mut readable, mut values, mut object) = (Vec::new(), Vec::new(), Vec::new());
        for (&sample, loaded) in samples.iter().zip(loaded) {
            match loaded {
                Ok((image, mask)) => {
                    readable.push(sample);
                    values.extend(image.into_vec());
                    object.extend(mask.as_slice().iter().map(|&on| f32::from(on)));
                }
                Err(error) => {
                    let failure = SkippedSample { sample: data.id(sample).to_owned(), error };
                    if !skipped.contains(&failure) {
                        skipped.push(failure);
                    }
                }
            }
        }
        if readable.is_empty() {
            return Ok(None);
        }
        let (h, w) = self.preprocess.input;
        let x = Tensor::from_vec(values, (readable.len(), 3, h, w), self.device)?;
        let channels = |values: &[f32; 3]| Tensor::new(values, self.device)?.reshape((1, 3, 1, 1));
        let x = x.broadcast_sub(&channels(&self.preprocess.mean)?)?.broadcast_div(&channels(&self.preprocess.std)?)?;
        let object = Tensor::from_vec(object, (readable.len(), 1, h, w), self.device)?;
        Ok(Some(Batch { samples: readable, x, object }))
    }

    /// Returns a sample as the objective shows it to the network.
    fn load(&self, data: &dyn Dataset, i: usize, phase: Phase) -> Result<(Pixels, Mask), String> {
        let sample = data.get(i).map_err(|error| error.to_string())?;
        let Recipe { seed, preset, objective, augment, .. } = *self.recipe;
        match phase {
            Phase::Training { epoch, step } => {
                let key = NoiseKey::new(seed, &sample.id, epoch as u32);
                let batch_key = NoiseKey::new(seed, "batch", epoch as u32).fork(&step.to_string());
                let (image, mask) = if augment { self.random_crop(&sample, key)? } else { self.center_crop(&sample) };
                Ok((objective.alter_image(image, &mask, key, batch_key, preset), mask))
            }
            Phase::Validation => {
                let (image, mask) = self.center_crop(&sample);
                if objective.is_random() {
                    return Ok((image, mask));
                }
                let key = NoiseKey::new(seed, &sample.id, 0);
                Ok((objective.alter_image(image, &mask, key, key, preset), mask))
            }
        }
    }

    /// Applies the model's own geometry.
    fn center_crop(&self, sample: &Sample) -> (Pixels, Mask) {
        (self.geometry.apply_to_image(&sample.image), self.geometry.apply_to_mask(&sample.mask))
    }

    /// Applies the same random crop and mirroring to image and mask.
    fn random_crop(&self, sample: &Sample, key: NoiseKey) -> Result<(Pixels, Mask), String> {
        let size = self.preprocess.input;
        let (image, mask) = (&sample.image, &sample.mask);
        let crop = RandomResizedCrop { size, mask_rule: MaskRule::Half, ..RandomResizedCrop::imagenet() };
        let drawn = crop.draw(key.fork("crop").0, image.height, image.width);
        if (mask.height, mask.width) != (image.height, image.width) {
            return Err("the mask and the image differ in size".into());
        }
        Ok((crop.apply_to_image(image, &drawn), crop.apply_to_mask(mask, &drawn)))
    }
}

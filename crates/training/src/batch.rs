//! From samples to tensors.

use crate::{Recipe, TrainingError};
use candle_core::{Device, Tensor};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_images::{MaskRule, PairedTransform, Pixels, Preprocessing, RandomResizedCrop};
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::NoiseKey;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Pictures of a step.
pub(crate) struct Batch {
    /// Which samples, in order; those that cannot be had are left out.
    pub(crate) samples: Vec<usize>,
    /// `(B, 3, H, W)`, normalised, f32.
    pub(crate) x: Tensor,
    /// `(B, 1, H, W)`: 1 on the object, 0 elsewhere.
    pub(crate) object: Tensor,
}

/// A sample that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedSample {
    /// Its id.
    pub sample: String,
    /// Why.
    pub error: String,
}

/// How samples become what the network sees.
pub(crate) struct Loader<'a> {
    recipe: &'a Recipe,
    preprocess: &'a Preprocessing,
    geometry: PairedTransform,
    device: &'a Device,
}

/// When pictures are looked at.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// In an epoch and a step of it, both from 0.
    Training { epoch: usize, step: usize },
    /// Between epochs.
    Validation,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(recipe: &'a Recipe, preprocess: &'a Preprocessing, device: &'a Device) -> Self {
        Self { recipe, preprocess, geometry: preprocess.paired_transform(MaskRule::Half), device }
    }

    /// The pictures of some samples; `None` if none of them can be had.
    pub(crate) fn batch(
        &self,
        data: &dyn Dataset,
        samples: &[usize],
        when: When,
        failures: &mut Vec<SkippedSample>,
    ) -> Result<Option<Batch>, TrainingError> {
        let seen: Vec<_> = samples.par_iter().map(|&i| self.see(data, i, when)).collect();
        let (mut good, mut values, mut object) = (Vec::new(), Vec::new(), Vec::new());
        for (&sample, seen) in samples.iter().zip(seen) {
            match seen {
                Ok((image, mask)) => {
                    good.push(sample);
                    values.extend(image.into_vec());
                    object.extend(mask.as_slice().iter().map(|&on| f32::from(on)));
                }
                Err(error) => {
                    let failure = SkippedSample { sample: data.id(sample).to_owned(), error };
                    if !failures.contains(&failure) {
                        failures.push(failure);
                    }
                }
            }
        }
        if good.is_empty() {
            return Ok(None);
        }
        let (h, w) = self.preprocess.input;
        let x = Tensor::from_vec(values, (good.len(), 3, h, w), self.device)?;
        let channels = |values: &[f32; 3]| Tensor::new(values, self.device)?.reshape((1, 3, 1, 1));
        let x = x.broadcast_sub(&channels(&self.preprocess.mean)?)?.broadcast_div(&channels(&self.preprocess.std)?)?;
        let object = Tensor::from_vec(object, (good.len(), 1, h, w), self.device)?;
        Ok(Some(Batch { samples: good, x, object }))
    }

    fn see(&self, data: &dyn Dataset, i: usize, when: When) -> Result<(Pixels, Mask), String> {
        let sample = data.get(i).map_err(|error| error.to_string())?;
        let Recipe { seed, preset, objective, augment, .. } = *self.recipe;
        let (image, mask, key, batch) = match when {
            When::Training { epoch, step } => {
                let key = NoiseKey::new(seed, &sample.id, epoch as u32);
                let batch = NoiseKey::new(seed, "batch", epoch as u32).fork(&step.to_string());
                let (image, mask) = if augment {
                    let size = self.preprocess.input;
                    let crop = RandomResizedCrop { size, mask_rule: MaskRule::Half, ..RandomResizedCrop::imagenet() };
                    let drawn = crop.draw(key.fork("crop").0, sample.image.height, sample.image.width);
                    let same = (sample.mask.height, sample.mask.width) == (sample.image.height, sample.image.width);
                    if !same {
                        return Err("the mask is not of the picture's size".into());
                    }
                    (crop.apply_to_image(&sample.image, &drawn), crop.apply_to_mask(&sample.mask, &drawn))
                } else {
                    (self.geometry.apply_to_image(&sample.image), self.geometry.apply_to_mask(&sample.mask))
                };
                (image, mask, key, batch)
            }
            When::Validation => {
                let key = NoiseKey::new(seed, &sample.id, 0);
                let (image, mask) =
                    (self.geometry.apply_to_image(&sample.image), self.geometry.apply_to_mask(&sample.mask));
                if objective.draws() {
                    return Ok((image, mask));
                }
                (image, mask, key, key)
            }
        };
        let image = objective.seen(image, &mask, key, batch, preset);
        Ok((image, mask))
    }
}

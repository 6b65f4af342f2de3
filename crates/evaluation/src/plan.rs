//! What a run will do, checked before it starts.

use crate::error::invalid;
use crate::labels::labels;
use crate::words::{self, Change, Explainer, Target};
use crate::{EvaluationError, Result, donor};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_images::{PairedTransform, Pixels, Resize};
use hard_imagenet_masks::Mask;
use hard_imagenet_metrics::CLEAN;
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::{Mix, NoiseKey, background, normals, paste};
use hard_imagenet_runs::{
    Condition, DatasetDescription, LabelSpace, ModelDescription, Protocol, Quirks, RunDescription,
};
use rayon::prelude::*;
use std::collections::HashMap;

/// Samples that are asked for their background before giving up: one may be damaged, or its object fill the picture.
const DONORS: usize = 16;

/// A protocol with its words understood, for one dataset and one model.
pub(crate) struct Plan<'a> {
    pub(crate) dataset: &'a dyn Dataset,
    pub(crate) model: &'a Model,
    pub(crate) description: RunDescription,
    pub(crate) conditions: Vec<Planned>,
    pub(crate) explainers: Vec<Explainer>,
    pub(crate) batch_size: usize,
    /// The head's class for each class of the dataset.
    labels: Vec<u32>,
    transform: PairedTransform,
}

/// A condition with what it does.
pub(crate) struct Planned {
    pub(crate) id: String,
    pub(crate) trials: u32,
    pub(crate) change: Change,
}

/// A sample at the network's input size.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) image: Pixels,
    pub(crate) mask: Mask,
    /// What other samples lend it, by condition and trial.
    backgrounds: HashMap<(usize, u32), Pixels>,
}

/// A picture to be made: one sample under one condition and trial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picture {
    /// Position of the sample in whatever list of prepared samples is at hand.
    pub(crate) at: usize,
    /// Index of the sample in the dataset.
    pub(crate) sample: usize,
    /// Index of the condition in the plan.
    pub(crate) condition: usize,
    pub(crate) trial: u32,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        dataset: &'a dyn Dataset,
        model: &'a Model,
        protocol: &Protocol,
        quirks: Quirks,
        seed: u64,
        batch_size: usize,
    ) -> Result<Self> {
        protocol.check()?;
        let spec = model.spec();
        let (space, labels) = labels(dataset.info(), &spec.name, spec.classes)?;
        if let Some(i) = (0..dataset.len()).find(|&i| dataset.class(i) >= labels.len()) {
            let reason = format!("sample {} is of class {} of {}", dataset.id(i), dataset.class(i), labels.len());
            let (model, dataset) = (spec.name.clone(), dataset.info().name.clone());
            return Err(EvaluationError::Labels { model, dataset, reason });
        }
        let explainers: Vec<Explainer> =
            protocol.explainers.iter().map(|word| words::explainer(word)).collect::<Result<_>>()?;
        for explainer in &explainers {
            if let Some(node) = explainer.explain.node() {
                model.cut(node)?;
            }
            if let Target::Class(class) = explainer.target
                && class as usize >= spec.classes
            {
                let word = &explainer.word;
                return Err(invalid(format!("explainer {word:?}: the model has {} classes", spec.classes)));
            }
        }
        let planned = |condition: &Condition| {
            let change = words::change(&condition.id, &quirks)?;
            if let Change::Mix(mix) = change {
                donor::check(dataset, mix)?;
            }
            Ok(Planned { id: condition.id.clone(), trials: condition.trials, change })
        };
        Ok(Self {
            dataset,
            model,
            description: RunDescription::new(
                describe_dataset(dataset),
                describe_model(model),
                space,
                quirks,
                protocol,
                seed,
            ),
            conditions: protocol.conditions.iter().map(planned).collect::<Result<_>>()?,
            explainers,
            batch_size,
            labels,
            transform: quirks.transform(&spec.preprocess),
        })
    }

    /// Index of the untouched picture among the conditions.
    pub(crate) fn clean(&self) -> Option<usize> {
        self.conditions.iter().position(|condition| condition.id == CLEAN)
    }

    /// What the head should predict for a sample.
    pub(crate) fn label(&self, sample: usize) -> u32 {
        self.labels[self.dataset.class(sample)]
    }

    /// The head's classes that are the dataset's, where it has others.
    pub(crate) fn within(&self) -> Option<&[u32]> {
        (self.description.labels == LabelSpace::Imagenet).then_some(&self.labels)
    }

    /// A person's word for the class of a sample.
    pub(crate) fn class(&self, sample: usize) -> &str {
        &self.dataset.info().classes[self.dataset.class(sample)].name
    }

    /// A person's word for a class of the head, where it is one of the dataset's.
    pub(crate) fn class_name(&self, class: u32) -> Option<&str> {
        let at = self.labels.iter().position(|&label| label == class)?;
        self.dataset.info().classes.get(at).map(|class| class.name.as_str())
    }

    /// Everything that the pictures of a sample are made from; the error is what its record will say.
    pub(crate) fn prepare(&self, sample: usize) -> Result<Prepared, String> {
        let (image, mask) = self.decode(sample)?;
        let mut backgrounds = HashMap::new();
        for (at, condition) in self.conditions.iter().enumerate() {
            if let Change::Mix(mix) = condition.change {
                for trial in 0..condition.trials {
                    backgrounds.insert((at, trial), self.borrowed(mix, sample, trial)?);
                }
            }
        }
        Ok(Prepared { image, mask, backgrounds })
    }

    /// The background that another sample lends.
    fn borrowed(&self, mix: Mix, sample: usize, trial: u32) -> Result<Pixels, String> {
        let candidates = donor::candidates(self.dataset, mix, sample, self.key(sample, trial));
        let usable = |&other: &usize| self.decode(other).ok().and_then(|(image, mask)| background(&image, &mask));
        let found = candidates.iter().take(DONORS).find_map(usable);
        let tried = candidates.len().min(DONORS);
        found.ok_or_else(|| format!("{}: none of {tried} other pictures has a background to take", mix.id()))
    }

    /// Decodes a sample and brings it to the network's input size.
    fn decode(&self, sample: usize) -> Result<(Pixels, Mask), String> {
        let sample = self.dataset.get(sample).map_err(|error| error.to_string())?;
        let size = (sample.image.height, sample.image.width);
        // A squash brings any two sizes to the same one, as the published code does.
        let squashed = matches!(self.transform.resize, Resize::Squash(..));
        if size != (sample.mask.height, sample.mask.width) && !squashed {
            let (height, width) = size;
            let (mask_height, mask_width) = (sample.mask.height, sample.mask.width);
            return Err(format!("the picture is {height} × {width}, but its mask {mask_height} × {mask_width}"));
        }
        if size.0 == 0 || size.1 == 0 {
            return Err("the picture has no pixels".to_owned());
        }
        Ok((self.transform.apply_to_image(&sample.image), self.transform.apply_to_mask(&sample.mask)))
    }

    /// [`prepare`](Self::prepare), many at once.
    pub(crate) fn prepare_all(&self, samples: std::ops::Range<usize>) -> Vec<Result<Prepared, String>> {
        samples.into_par_iter().map(|sample| self.prepare(sample)).collect()
    }

    /// Makes pictures, in their order. Neighbours of one sample and trial share one draw of noise.
    pub(crate) fn make(&self, prepared: &[Prepared], pictures: &[Picture]) -> Vec<Pixels> {
        let groups: Vec<&[Picture]> = pictures.chunk_by(|a, b| (a.sample, a.trial) == (b.sample, b.trial)).collect();
        let made: Vec<Vec<Pixels>> = groups.into_par_iter().map(|group| self.make_group(prepared, group)).collect();
        made.into_iter().flatten().collect()
    }

    fn make_group(&self, prepared: &[Prepared], group: &[Picture]) -> Vec<Pixels> {
        let Some(first) = group.first() else { return Vec::new() };
        let Prepared { image, mask, backgrounds } = &prepared[first.at];
        let key = self.key(first.sample, first.trial);
        let change = |picture: &Picture| &self.conditions[picture.condition].change;
        let noisy = group.iter().any(|picture| matches!(change(picture), Change::Noise(_)));
        let normals = if noisy { normals(key, image.as_slice().len()) } else { Vec::new() };
        let make = |picture: &Picture| match change(picture) {
            Change::Noise(noise) => noise.add(image, mask, &normals),
            Change::Alone(perturb) => perturb.apply(image, mask, key),
            Change::Mix(_) => paste(image, mask, &backgrounds[&(picture.condition, picture.trial)]),
        };
        group.par_iter().map(make).collect()
    }

    /// Of the draws of a sample and trial.
    pub(crate) fn key(&self, sample: usize, trial: u32) -> NoiseKey {
        NoiseKey::new(self.description.seed, self.dataset.id(sample), trial)
    }
}

/// The dataset as `run.json` names it.
fn describe_dataset(dataset: &dyn Dataset) -> DatasetDescription {
    DatasetDescription::new(&dataset.info().name, (0..dataset.len()).map(|i| dataset.id(i)))
}

/// The model as `run.json` names it.
fn describe_model(model: &Model) -> ModelDescription {
    ModelDescription {
        name: model.spec().name.clone(),
        weights_sha256: model.weights_sha256().to_owned(),
        weights_origin: model.weights_origin().map(str::to_owned),
        dtype: model.dtype().as_str().to_owned(),
        preprocess: model.spec().preprocess,
    }
}

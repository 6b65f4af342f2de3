//! The features of every picture of a dataset: dataset × model → a feature bank.

use crate::labels::labels;
use crate::text::sha256_hex;
use crate::{EvaluationError, Result};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_images::{MaskRule, PairedTransform, Pixels, Rgb8, overlay};
use hard_imagenet_masks::Mask;
use hard_imagenet_models::Model;
use hard_imagenet_ranking::{FeatureBank, FeatureExtractor};
use hard_imagenet_runs::RunError;
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Pictures of a part.
const PART: usize = 512;

/// A dataset and a model whose features are to be looked at. Pictures come as the model wants them; masks count from
/// half their ink on.
pub struct Features<'a> {
    dataset: &'a dyn Dataset,
    model: &'a Model,
    extractor: FeatureExtractor<'a>,
    geometry: PairedTransform,
    batch: usize,
}

/// Pictures that were looked at, and those that could not be.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// All pictures that can be read.
    pub bank: FeatureBank,
    /// Id and reason of each other one.
    pub failures: Vec<(String, String)>,
}

impl<'a> Features<'a> {
    /// `batch` pictures go through the network at once.
    ///
    /// # Errors
    /// For a head that does not fit the dataset, or a network without features as [`FeatureExtractor::new`] wants them.
    pub fn new(dataset: &'a dyn Dataset, model: &'a Model, batch: usize) -> Result<Self> {
        let info = dataset.info();
        let (_, columns) = labels(info, &model.spec().name, model.spec().classes)?;
        let names = info.classes.iter().map(|class| class.name.clone()).collect();
        let extractor = FeatureExtractor::new(model, &info.name, names, columns)?.with_samples(told_apart(dataset));
        let geometry = model.spec().preprocess.paired_transform(MaskRule::Half);
        Ok(Self { dataset, model, extractor, geometry, batch: batch.max(1) })
    }

    /// The bank of all pictures, also as `features.safetensors` in a folder: read if it is there, else computed, in parts
    /// that stay if the work is broken off and are gone on from. `tick` hears the pictures done and of all.
    ///
    /// # Errors
    /// [`RunError::OtherRun`] for a folder with other features; files that cannot be read or written;
    /// [`EvaluationError::Option`] if `tick` breaks off.
    pub fn extract(&self, folder: &Path, tick: &mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> Result<Extracted> {
        std::fs::create_dir_all(folder).map_err(|source| RunError::Io {
            action: "create the folder",
            path: folder.to_owned(),
            source,
        })?;
        let whole = folder.join("features.safetensors");
        let all: Vec<usize> = (0..self.dataset.len()).collect();
        let mut bank = self.extractor.empty_bank();
        let mut failures = Vec::new();
        if whole.exists() {
            bank = self.own(folder, FeatureBank::read(&whole)?)?;
            failures.extend(self.missing(&all, &bank));
            return Ok(Extracted { bank, failures });
        }
        let mut parts: Vec<PathBuf> = Vec::new();
        for (number, samples) in all.chunks(PART).enumerate() {
            let path = folder.join(format!("features-{number:05}.safetensors"));
            let part = if path.exists() {
                let part = self.own(folder, FeatureBank::read(&path)?)?;
                failures.extend(self.missing(samples, &part));
                part
            } else {
                let mut part = self.extractor.empty_bank();
                for (step, samples) in samples.chunks(self.batch).enumerate() {
                    self.some(samples, &mut part, &mut failures)?;
                    let done = number * PART + (step * self.batch + samples.len()).min(PART);
                    if tick(done, all.len()).is_break() {
                        return Err(EvaluationError::Option { message: "stopped".into() });
                    }
                }
                part.write(&path)?;
                part
            };
            bank.join(part)?;
            parts.push(path);
        }
        bank.write(&whole)?;
        // All of it is in the one file now.
        parts.iter().for_each(|part| _ = std::fs::remove_file(part));
        Ok(Extracted { bank, failures })
    }

    /// Samples that are not in a bank of theirs.
    fn missing(&self, samples: &[usize], bank: &FeatureBank) -> Vec<(String, String)> {
        let known: HashSet<&str> = bank.ids.iter().map(String::as_str).collect();
        let ids = samples.iter().map(|&i| self.dataset.id(i)).filter(|id| !known.contains(id));
        ids.map(|id| (id.to_owned(), "it could not be read when the features were computed".to_owned())).collect()
    }

    fn some(&self, samples: &[usize], part: &mut FeatureBank, failures: &mut Vec<(String, String)>) -> Result<()> {
        let seen: Vec<_> = samples.par_iter().map(|&i| self.see(i)).collect();
        let (mut good, mut images, mut masks) = (Vec::new(), Vec::new(), Vec::new());
        for (&i, seen) in samples.iter().zip(seen) {
            match seen {
                Ok((image, mask)) => {
                    good.push(i);
                    images.push(image);
                    masks.push(mask);
                }
                Err(error) => failures.push((self.dataset.id(i).to_owned(), error)),
            }
        }
        if good.is_empty() {
            return Ok(());
        }
        let x = self.model.normalize(&self.model.batch(&images)?)?;
        let ids: Vec<&str> = good.iter().map(|&i| self.dataset.id(i)).collect();
        let labels: Vec<u32> = good.iter().map(|&i| self.dataset.class(i) as u32).collect();
        Ok(part.join(self.extractor.extract(&x, &ids, &labels, &masks)?)?)
    }

    fn see(&self, i: usize) -> Result<(Pixels, Mask), String> {
        let sample = self.dataset.get(i).map_err(|error| error.to_string())?;
        Ok((self.geometry.apply_to_image(&sample.image), self.geometry.apply_to_mask(&sample.mask)))
    }

    /// A bank that was made of the same.
    fn own(&self, folder: &Path, bank: FeatureBank) -> Result<FeatureBank> {
        let (there, asked) = (&bank.identity, self.extractor.identity());
        if there == asked {
            return Ok(bank);
        }
        let fields = [
            ("model", &there.model, &asked.model),
            ("weights", &there.weights_sha256, &asked.weights_sha256),
            ("preprocessing", &there.preprocess, &asked.preprocess),
            ("dataset", &there.dataset, &asked.dataset),
            ("pictures", &there.samples, &asked.samples),
        ];
        let differing = fields.into_iter().filter(|(_, a, b)| a != b);
        let mut differences: Vec<String> =
            differing.map(|(name, a, b)| format!("{name}: {a} there, {b} asked for")).collect();
        if differences.is_empty() {
            differences.push("classes or nodes".into());
        }
        Err(other(folder, differences))
    }

    /// A sample as the network sees it, and with the map of each of some features over it, from one pass; `None` if it
    /// cannot be read.
    ///
    /// # Errors
    /// From the model.
    pub fn pictures(&self, id: &str, features: &[u32]) -> Result<Option<(Rgb8, Vec<Rgb8>)>> {
        let Some(i) = (0..self.dataset.len()).find(|&i| self.dataset.id(i) == id) else { return Ok(None) };
        let Ok((image, _)) = self.see(i) else { return Ok(None) };
        let picture = Rgb8::from(&image);
        if features.is_empty() {
            return Ok(Some((picture, Vec::new())));
        }
        let x = self.model.normalize(&self.model.batch(&[image])?)?;
        let maps = self.extractor.activation_maps(&x, features)?;
        let drawn = maps.iter().flatten().map(|map| overlay(&picture, &map.map)).collect();
        Ok(Some((picture, drawn)))
    }
}

/// Number and hash of the samples, by id and class.
fn told_apart(dataset: &dyn Dataset) -> String {
    let samples: String = (0..dataset.len()).map(|i| format!("{} {}\n", dataset.id(i), dataset.class(i))).collect();
    format!("{} ({})", dataset.len(), &sha256_hex(samples.as_bytes())[..16])
}

fn other(folder: &Path, differences: Vec<String>) -> EvaluationError {
    RunError::OtherRun { folder: folder.to_owned(), differences }.into()
}

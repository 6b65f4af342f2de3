//! Computes the features of every image of a dataset: dataset × model → feature bank.

use crate::labels::match_labels;
use crate::{EvaluationError, Result};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_images::{MaskRule, PairedTransform, Pixels, Rgb8, overlay};
use hard_imagenet_masks::Mask;
use hard_imagenet_models::Model;
use hard_imagenet_ranking::{FeatureBank, FeatureExtractor, describe_samples};
use hard_imagenet_runs::RunError;
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The number of images in one part.
const PART: usize = 512;

/// A dataset and a model whose features are to be computed. Images are transformed as the model expects; a mask pixel
/// belongs to the object if at least half of it is covered.
pub struct Features<'a> {
    dataset: &'a dyn Dataset,
    model: &'a Model,
    extractor: FeatureExtractor<'a>,
    geometry: PairedTransform,
    batch: usize,
}

/// The result of [`Features::extract`].
#[derive(Clone, Debug)]
pub struct ExtractedFeatures {
    /// The features of all images that could be read.
    pub bank: FeatureBank,
    /// The id of every other image, and the reason.
    pub failures: Vec<(String, String)>,
}

impl<'a> Features<'a> {
    /// Prepares a dataset and a model. `batch` images pass through the network at once.
    ///
    /// # Errors
    /// Returns an error if the head does not match the dataset, or if the network has no features as
    /// [`FeatureExtractor::new`] requires.
    pub fn new(dataset: &'a dyn Dataset, model: &'a Model, batch: usize) -> Result<Self> {
        let info = dataset.info();
        let columns =
            match_labels(info, &model.spec().name, model.spec().classes, model.spec().class_names.as_deref())?.columns;
        let names = info.classes.iter().map(|class| class.name.clone()).collect();
        let samples = describe_samples((0..dataset.len()).map(|i| (dataset.id(i), dataset.class(i))));
        let extractor = FeatureExtractor::new(model, &info.name, names, columns)?.with_samples(samples);
        let geometry = model.spec().preprocess.paired_transform(MaskRule::Half);
        Ok(Self { dataset, model, extractor, geometry, batch: batch.max(1) })
    }

    /// Returns the dataset.
    pub(crate) fn dataset(&self) -> &'a dyn Dataset {
        self.dataset
    }

    /// Returns the feature bank of all images and stores it as `features.safetensors` in a folder. The bank is loaded if it
    /// exists, otherwise computed in parts. Finished parts are kept when the work is interrupted and are reused by the
    /// next call. `progress` is called with the images completed and their total; returning `Break` cancels the work.
    ///
    /// # Errors
    /// Returns [`RunError::OtherRun`] if the folder has features of something else, [`EvaluationError::Canceled`] if
    /// `progress` canceled the work, and other errors if files cannot be read or written or the model fails.
    pub fn extract(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<ExtractedFeatures> {
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
            bank = self.check(folder, FeatureBank::read(&whole)?)?;
            failures.extend(self.missing(&all, &bank));
            return Ok(ExtractedFeatures { bank, failures });
        }
        let mut parts: Vec<PathBuf> = Vec::new();
        for (number, samples) in all.chunks(PART).enumerate() {
            let path = folder.join(format!("features-{number:05}.safetensors"));
            let part = if path.exists() {
                let part = self.check(folder, FeatureBank::read(&path)?)?;
                failures.extend(self.missing(samples, &part));
                part
            } else {
                let mut report = |done: usize| progress(number * PART + done, all.len());
                let part = self.compute_part(samples, &mut failures, &mut report)?;
                part.write(&path)?;
                part
            };
            bank.join(part)?;
            parts.push(path);
        }
        bank.write(&whole)?;
        // The one file now holds everything.
        parts.iter().for_each(|part| _ = std::fs::remove_file(part));
        Ok(ExtractedFeatures { bank, failures })
    }

    /// Computes the features of one part. `report` is called with the images of the part that are completed.
    fn compute_part(
        &self,
        samples: &[usize],
        failures: &mut Vec<(String, String)>,
        report: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<FeatureBank> {
        let mut part = self.extractor.empty_bank();
        for (step, batch) in samples.chunks(self.batch).enumerate() {
            self.add_batch(batch, &mut part, failures)?;
            if report((step * self.batch + batch.len()).min(PART)).is_break() {
                return Err(EvaluationError::Canceled);
            }
        }
        Ok(part)
    }

    /// Lists the samples that their bank does not contain.
    fn missing(&self, samples: &[usize], bank: &FeatureBank) -> Vec<(String, String)> {
        let known: HashSet<&str> = bank.ids.iter().map(String::as_str).collect();
        let ids = samples.iter().map(|&i| self.dataset.id(i)).filter(|id| !known.contains(id));
        ids.map(|id| (id.to_owned(), "it could not be read when the features were computed".to_owned())).collect()
    }

    /// Adds the features of a batch to a part.
    fn add_batch(&self, samples: &[usize], part: &mut FeatureBank, failures: &mut Vec<(String, String)>) -> Result<()> {
        let decoded: Vec<_> = samples.par_iter().map(|&i| self.decode(i)).collect();
        let (mut good, mut images, mut masks) = (Vec::new(), Vec::new(), Vec::new());
        for (&i, decoded) in samples.iter().zip(decoded) {
            match decoded {
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

    fn decode(&self, i: usize) -> Result<(Pixels, Mask), String> {
        let sample = self.dataset.get(i).map_err(|error| error.to_string())?;
        Ok((self.geometry.apply_to_image(&sample.image), self.geometry.apply_to_mask(&sample.mask)))
    }

    /// Checks that a bank was computed from this dataset and model.
    fn check(&self, folder: &Path, bank: FeatureBank) -> Result<FeatureBank> {
        let (stored, asked) = (&bank.identity, self.extractor.identity());
        if stored == asked {
            return Ok(bank);
        }
        let differences = stored.differences(asked);
        Err(RunError::OtherRun { folder: folder.to_owned(), differences }.into())
    }

    /// Returns a sample as the network sees it, and the activation map of each of some features laid over it. Returns
    /// `None` if the sample does not exist or cannot be read.
    ///
    /// # Errors
    /// Returns an error if the model fails.
    pub fn overlay_maps(&self, id: &str, features: &[u32]) -> Result<Option<(Rgb8, Vec<Rgb8>)>> {
        let Some(i) = (0..self.dataset.len()).find(|&i| self.dataset.id(i) == id) else { return Ok(None) };
        let Ok((image, _)) = self.decode(i) else { return Ok(None) };
        let plain = Rgb8::from(&image);
        if features.is_empty() {
            return Ok(Some((plain, Vec::new())));
        }
        let x = self.model.normalize(&self.model.batch(&[image])?)?;
        let maps = self.extractor.activation_maps(&x, features)?;
        let drawn = maps.iter().flatten().map(|map| overlay(&plain, &map.map)).collect();
        Ok(Some((plain, drawn)))
    }
}

//! Computes the features of every image of a dataset: dataset × model → feature bank.

use crate::bank_files::{BankFiles, SampleFeatures, failures};
use crate::inputs::{digest, stamp};
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
use std::path::Path;

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
    /// The ids of images that changed since features in the folder were computed, which were computed again.
    pub changed: Vec<String>,
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

    /// Returns the feature bank of all images and stores it as `features.safetensors` in a folder.
    ///
    /// The bank is loaded if it exists and its images and masks are still the same
    /// ([`SampleInput`](hard_imagenet_runs::SampleInput)), otherwise computed in parts. Finished parts are kept when the work is
    /// interrupted and are reused by the next call. If a file changed, or can be read that could not be read before, what was
    /// computed with it is computed again. `progress` is called with the images completed and their total; returning `Break`
    /// cancels the work.
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
        let all: Vec<usize> = (0..self.dataset.len()).collect();
        let mut extracted =
            ExtractedFeatures { bank: self.extractor.empty_bank(), failures: Vec::new(), changed: Vec::new() };
        let whole = BankFiles::new(folder, "features");
        if let Some((bank, inputs)) = self.load(&whole, &all, &mut extracted.changed)? {
            return Ok(ExtractedFeatures { bank, failures: failures(&inputs), ..extracted });
        }
        let mut inputs = Vec::with_capacity(all.len());
        let mut parts: Vec<BankFiles> = Vec::new();
        for (number, samples) in all.chunks(PART).enumerate() {
            let files = BankFiles::new(folder, &format!("features-{number:05}"));
            let (part, of_part) = match self.load(&files, samples, &mut extracted.changed)? {
                Some(loaded) => loaded,
                None => {
                    let mut report = |done: usize| progress(number * PART + done, all.len());
                    let computed = self.compute_part(samples, &mut report)?;
                    files.write(&computed.0, &computed.1)?;
                    computed
                }
            };
            extracted.bank.join(part)?;
            inputs.extend(of_part);
            parts.push(files);
        }
        whole.write(&extracted.bank, &inputs)?;
        // The one file now holds everything.
        parts.iter().for_each(BankFiles::remove);
        extracted.failures = failures(&inputs);
        Ok(extracted)
    }

    /// Reads a bank and what its samples looked like. Returns `None` if it does not exist, or if a file changed; the ids of
    /// changed samples are added to `changed`.
    fn load(
        &self,
        files: &BankFiles,
        samples: &[usize],
        changed: &mut Vec<String>,
    ) -> Result<Option<(FeatureBank, Vec<SampleFeatures>)>> {
        if !files.bank.exists() {
            return Ok(None);
        }
        let bank = self.check(&files.folder, FeatureBank::read(&files.bank)?)?;
        let inputs = match files.read_inputs()? {
            Some(inputs) if inputs.len() == samples.len() => inputs,
            // An earlier version did not write what the samples looked like.
            _ => {
                let known: HashSet<&str> = bank.ids.iter().map(String::as_str).collect();
                samples.iter().map(|&i| SampleFeatures::unknown(self.dataset.id(i), &known)).collect()
            }
        };
        let is_changed = |(&i, known): (&usize, &SampleFeatures)| self.has_changed(i, known);
        let found: Vec<bool> = samples.par_iter().zip(&inputs).map(is_changed).collect();
        let found: Vec<String> = samples
            .iter()
            .zip(found)
            .filter(|(_, changed)| *changed)
            .map(|(&i, _)| self.dataset.id(i).to_owned())
            .collect();
        if found.is_empty() {
            return Ok(Some((bank, inputs)));
        }
        changed.extend(found);
        Ok(None)
    }

    /// Returns whether a sample is another than the one whose features are known. A file that cannot be read has not changed.
    fn has_changed(&self, i: usize, known: &SampleFeatures) -> bool {
        if known.input.sample != self.dataset.id(i) {
            return true;
        }
        let stamp = stamp(self.dataset, i);
        let is_unknown = known.error.is_none() && known.input.digest.is_none();
        if is_unknown || (known.error.is_none() && stamp.is_some() && stamp == known.input.stamp) {
            return false;
        }
        self.dataset.get(i).is_ok_and(|sample| known.input.digest.as_ref() != Some(&digest(&sample)))
    }

    /// Computes the features of one part. `report` is called with the images of the part that are completed.
    fn compute_part(
        &self,
        samples: &[usize],
        report: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(FeatureBank, Vec<SampleFeatures>)> {
        let mut part = self.extractor.empty_bank();
        let mut inputs = Vec::with_capacity(samples.len());
        for (step, batch) in samples.chunks(self.batch).enumerate() {
            self.add_batch(batch, &mut part, &mut inputs)?;
            if report((step * self.batch + batch.len()).min(PART)).is_break() {
                return Err(EvaluationError::Canceled);
            }
        }
        Ok((part, inputs))
    }

    /// Adds the features of a batch to a part.
    fn add_batch(&self, samples: &[usize], part: &mut FeatureBank, inputs: &mut Vec<SampleFeatures>) -> Result<()> {
        let new = |i| SampleFeatures::new(self.dataset.id(i), stamp(self.dataset, i));
        let decoded: Vec<_> = samples.par_iter().map(|&i| (new(i), self.decode(i))).collect();
        let (mut good, mut images, mut masks) = (Vec::new(), Vec::new(), Vec::new());
        for (&i, (mut input, decoded)) in samples.iter().zip(decoded) {
            match decoded {
                Ok((image, mask, digest)) => {
                    good.push(i);
                    images.push(image);
                    masks.push(mask);
                    input.input.digest = Some(digest);
                }
                Err(error) => input.error = Some(error),
            }
            inputs.push(input);
        }
        if good.is_empty() {
            return Ok(());
        }
        let x = self.model.normalize(&self.model.batch(&images)?)?;
        let ids: Vec<&str> = good.iter().map(|&i| self.dataset.id(i)).collect();
        let labels: Vec<u32> = good.iter().map(|&i| self.dataset.class(i) as u32).collect();
        Ok(part.join(self.extractor.extract(&x, &ids, &labels, &masks)?)?)
    }

    /// Returns a sample as the network sees it, and what identifies it.
    fn decode(&self, i: usize) -> Result<(Pixels, Mask, String), String> {
        let sample = self.dataset.get(i).map_err(|error| error.to_string())?;
        let (image, mask) = (self.geometry.apply_to_image(&sample.image), self.geometry.apply_to_mask(&sample.mask));
        Ok((image, mask, digest(&sample)))
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
        let Ok((image, ..)) = self.decode(i) else { return Ok(None) };
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

//! From the features of a dataset to its ranking and the ranking's page.

use crate::{Features, Result};
use hard_imagenet_datasets::{FeatureAnswers, read_answers};
use hard_imagenet_images::Rgb8;
use hard_imagenet_ranking::{
    ClassHardness, FeatureId, MaskCriterion, NamedVerdicts, RankedImage, RankingStudy, StudyOptions, Verdict,
    VerdictSource, Votes, accuracy_by_decile, class_importance, top_images,
};
use hard_imagenet_runs::{RankingClass, RankingFeature, RankingPage, SourceVerdict, Thumbnail};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::ControlFlow;
use std::path::Path;

/// How many images of each end of a ranking a page shows.
const IMAGES_PER_END: usize = 8;

/// How many images a page shows for each feature.
const IMAGES_PER_FEATURE: usize = 5;

/// Quality of the JPEGs on a page.
const JPEG_QUALITY: u8 = 80;

/// A ranking of a dataset, and the images that are missing from it.
#[derive(Clone, Debug)]
pub struct RankedDataset {
    /// The ranking and everything it rests on.
    pub study: RankingStudy,
    /// The id of every image that could not be read, and the reason.
    pub failures: Vec<(String, String)>,
    /// The ids of images that changed since features in the folder were computed, which were computed again.
    pub changed: Vec<String>,
}

/// Chooses the source of verdicts on features: a word of [`VERDICT_SOURCES`](hard_imagenet_ranking::VERDICT_SOURCES),
/// or a CSV file with your own verdicts or with the answers of workers that Salient ImageNet publishes.
///
/// # Errors
/// Returns an error for a file of answers that cannot be read.
pub fn open_verdict_source(text: &str) -> Result<VerdictSource> {
    let source = VerdictSource::parse(text);
    let VerdictSource::File(path) = &source else { return Ok(source) };
    // A file that cannot be read is reported when the verdicts are read from it.
    let bytes = std::fs::read(path).unwrap_or_default();
    let header = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if !String::from_utf8_lossy(header).contains("Answer.main") {
        return Ok(source);
    }
    let to_votes = |answers: FeatureAnswers| Votes {
        main_object: answers.main_object,
        separate_object: answers.separate_object,
        background: answers.background,
    };
    let votes = read_answers(path)?.into_iter().map(|(feature, answers)| (feature, to_votes(answers))).collect();
    Ok(VerdictSource::Votes { name: text.to_owned(), votes })
}

impl Features<'_> {
    /// Ranks the dataset: extracts its features into a folder ([`Features::extract`]), decides which are spurious, and
    /// writes the tables and the ranking ([`RankingStudy::write`]) into the same folder.
    ///
    /// # Errors
    /// Returns the errors of [`Features::extract`] and of [`RankingStudy::new`], and an error if a file cannot be
    /// written.
    pub fn rank(
        &self,
        folder: &Path,
        options: StudyOptions,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<RankedDataset> {
        let extracted = self.extract(folder, progress)?;
        let classes = &self.dataset().info().classes;
        let wnids: Vec<&str> = classes.iter().map(|class| class.wnid.as_deref().unwrap_or(&class.name)).collect();
        let study = RankingStudy::new(extracted.bank, &wnids, options)?;
        study.write(folder)?;
        Ok(RankedDataset { study, failures: extracted.failures, changed: extracted.changed })
    }

    /// Draws what the page of a ranking shows. `progress` is called with the classes completed and their total;
    /// returning `Break` cancels the work.
    ///
    /// # Errors
    /// Returns [`EvaluationError::Canceled`](crate::EvaluationError::Canceled) if `progress` canceled the work, and an
    /// error if the model fails or an image cannot be encoded.
    pub fn ranking_page(
        &self,
        study: &RankingStudy,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<RankingPage> {
        let mut classes = Vec::with_capacity(study.classes.len());
        for class in &study.classes {
            if progress(classes.len(), study.classes.len()).is_break() {
                return Err(crate::EvaluationError::Canceled);
            }
            classes.push(self.ranking_class(study, class)?);
        }
        let identity = &study.bank.identity;
        let source = study.sources.first().map_or(String::new(), |source| source.name.clone());
        let facts = [
            ("Features", format!("{} of {}", study.bank.width, identity.feature_node)),
            ("Maps", identity.map_node.clone()),
            ("Images", study.bank.len().to_string()),
            ("Verdicts by", source),
            ("Ranked by", study.options.aggregate.word().to_owned()),
            ("Weights", identity.weights_sha256.clone()),
        ];
        Ok(RankingPage {
            findings: Vec::new(),
            model: identity.model.clone(),
            dataset: identity.dataset.clone(),
            facts: facts.map(|(name, value)| (name.to_owned(), value)).into(),
            classes,
        })
    }

    fn ranking_class(&self, study: &RankingStudy, class: &ClassHardness) -> Result<RankingClass> {
        let name = study.bank.identity.classes[class.class as usize].clone();
        let ranked = study.ranking.classes.get(&name).map_or(&[][..], Vec::as_slice);
        let end = IMAGES_PER_END.min(ranked.len() / 2);
        Ok(RankingClass {
            hard: class.is_hard(),
            features: self.ranking_features(study, class)?,
            strongest: self.thumbnails(&ranked[..end])?,
            weakest: self.thumbnails(&ranked[ranked.len() - end..])?,
            deciles: accuracy_by_decile(&study.bank, ranked),
            name,
        })
    }

    /// Draws the important features of a class, each over the images that activate it most.
    fn ranking_features(&self, study: &RankingStudy, class: &ClassHardness) -> Result<Vec<RankingFeature>> {
        let bank = &study.bank;
        let top = |&feature: &u32| top_images(bank, class.class, feature, IMAGES_PER_FEATURE);
        let rows_of_features: Vec<Vec<usize>> = class.features.iter().map(top).collect();
        // Features share images, so the maps of all features over an image come from one pass.
        let mut overlays: BTreeMap<usize, Vec<Rgb8>> = BTreeMap::new();
        for &row in rows_of_features.iter().flatten() {
            if let Entry::Vacant(place) = overlays.entry(row) {
                let drawn = self.overlay_maps(&bank.ids[row], &class.features)?;
                place.insert(drawn.map_or(Vec::new(), |(_, maps)| maps));
            }
        }
        let importance = class_importance(bank, class.class).unwrap_or_default();
        let mut features = Vec::with_capacity(class.features.len());
        for (at, (&feature, rows)) in class.features.iter().zip(&rows_of_features).enumerate() {
            let id = FeatureId { class: class.class, feature };
            let verdict = |source: &NamedVerdicts| SourceVerdict {
                source: source.name.clone(),
                spurious: source.verdicts.get(id).map(|verdict| verdict == Verdict::Spurious),
            };
            let mut images = Vec::with_capacity(rows.len());
            for row in rows {
                let title = format!("{}: {:.2}", bank.ids[*row], bank.features(*row)[feature as usize]);
                images.extend(overlays[row].get(at).map(|map| thumbnail(map, title)).transpose()?);
            }
            features.push(RankingFeature {
                feature,
                importance: importance.get(feature as usize).copied().unwrap_or_default(),
                focus: MaskCriterion::default().focus(bank, id),
                verdicts: study.sources.iter().map(verdict).collect(),
                images,
            });
        }
        Ok(features)
    }

    /// Draws images as the network sees them. Those that cannot be read are missing.
    fn thumbnails(&self, ranked: &[RankedImage]) -> Result<Vec<Thumbnail>> {
        let mut thumbnails = Vec::with_capacity(ranked.len());
        for one in ranked {
            let drawn = self.overlay_maps(&one.id, &[])?;
            thumbnails.extend(drawn.map(|(image, _)| thumbnail(&image, one.id.clone())).transpose()?);
        }
        Ok(thumbnails)
    }
}

fn thumbnail(image: &Rgb8, title: String) -> Result<Thumbnail> {
    Ok(Thumbnail { jpeg: image.encode_jpeg(JPEG_QUALITY)?, title })
}

//! All datasets by their words.

use crate::checkup::inspect;
use crate::chosen::ChosenDataset;
use crate::entry::{DatasetEntry, DatasetOptions};
use crate::files::Split;
use crate::narrow::narrow;
use crate::{
    Dataset, DatasetError, Subset, coco, hard_imagenet, imagenet_s, masked_folder, planted, rival, rival10, salient,
};
use hard_imagenet_findings::{Finding, Severity};
use hard_imagenet_images::PairedTransform;

/// All datasets. A new one is a file that holds its entry, and a line here.
pub static DATASETS: [&DatasetEntry; 12] = [
    &hard_imagenet::ENTRY,
    &rival::RIVAL20_ENTRY,
    &rival::RIVAL10_POOLED_ENTRY,
    &rival10::ENTRY,
    &imagenet_s::ENTRY,
    &salient::CORE_ENTRY,
    &salient::SPURIOUS_ENTRY,
    &coco::OBJECTS_ENTRY,
    &coco::IMAGES_ENTRY,
    &masked_folder::ENTRY,
    &planted::HARD_ENTRY,
    &planted::EASY_ENTRY,
];

/// Finds the entry of a dataset by its word.
///
/// # Errors
/// Returns [`DatasetError::UnknownDataset`] if no dataset has this word.
pub fn find(word: &str) -> Result<&'static DatasetEntry, DatasetError> {
    let known = || DATASETS.map(|entry| entry.word).join(", ");
    DATASETS
        .into_iter()
        .find(|entry| entry.word == word)
        .ok_or_else(|| DatasetError::UnknownDataset { word: word.into(), known: known() })
}

/// Opens a dataset by its word.
///
/// The dataset is narrowed down by `options` in this order: to the wanted classes, to the two ends of the ranking, to
/// the limit.
///
/// # Errors
/// Returns [`DatasetError::UnknownDataset`], [`DatasetError::MissingPath`], [`DatasetError::MissingRanking`] or
/// [`DatasetError::Choice`] if the options do not fit, and otherwise whatever opening the dataset returns.
pub fn open(word: &str, options: &DatasetOptions) -> Result<Box<dyn Dataset>, DatasetError> {
    let entry = find(word)?;
    let (dataset, settings) = ((entry.open)(options)?, options.settings());
    let dataset: Box<dyn Dataset> =
        if settings.is_empty() { dataset } else { Box::new(ChosenDataset::new(dataset, settings)) };
    narrow(entry, dataset, options)
}

/// Opens images to learn from and others to measure on.
///
/// These are the training and the validation part if the dataset has both, otherwise four fifths and one fifth of each
/// class. A balanced choice and a ranking apply to the training part only.
///
/// # Errors
/// As [`open`].
#[expect(clippy::type_complexity, reason = "two datasets, named by the sentence above")]
pub fn open_both_parts(
    word: &str,
    options: &DatasetOptions,
) -> Result<(Box<dyn Dataset>, Box<dyn Dataset>), DatasetError> {
    if find(word)?.has_splits {
        let train = DatasetOptions { split: Split::Train, ..options.clone() };
        let val = DatasetOptions { split: Split::Val, balanced: None, ranks: None, ..options.clone() };
        return Ok((open(word, &train)?, open(word, &val)?));
    }
    let (data, again) = (open(word, options)?, open(word, options)?);
    let mut seen = vec![0; data.info().classes.len()];
    let mut is_fifth = |i: usize| {
        seen[data.class(i)] += 1;
        seen[data.class(i)] % 5 == 0
    };
    let fifth: Vec<bool> = (0..data.len()).map(&mut is_fifth).collect();
    let (learn, measure) = (Subset::filter(data, |i| !fifth[i]), Subset::filter(again, |i| fifth[i]));
    Ok((Box::new(learn), Box::new(measure)))
}

/// Checks the folders of a dataset: names first, and then, if `transform` is given, the contents of every file.
///
/// `progress` is called with the number of samples that were checked and the number of all samples. Findings are sorted
/// by severity.
///
/// # Errors
/// Returns the error of [`open`] if the dataset cannot be opened and no finding explains why.
pub fn check(
    word: &str,
    options: &DatasetOptions,
    transform: Option<&PairedTransform>,
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<Finding>, DatasetError> {
    let mut findings = (find(word)?.check)(options)?;
    match open(word, options) {
        Ok(data) => {
            add_new_kinds(&mut findings, data.findings());
            if let Some(transform) = transform {
                let found = inspect(&*data, transform, |done| progress(done, data.len()));
                add_new_kinds(&mut findings, found);
            }
        }
        Err(error) if findings.iter().all(|finding| finding.severity != Severity::Error) => return Err(error),
        Err(_) => {}
    }
    findings.sort_by_key(|finding| finding.severity);
    Ok(findings)
}

/// Adds the findings of kinds that an earlier check has not found: a later one sees the same files again.
fn add_new_kinds(findings: &mut Vec<Finding>, found: Vec<Finding>) {
    let is_new = |finding: &Finding| findings.iter().all(|known| known.kind != finding.kind);
    let found: Vec<Finding> = found.into_iter().filter(is_new).collect();
    findings.extend(found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_are_unique_and_summaries_are_sentences() {
        let words: BTreeSet<&str> = DATASETS.iter().map(|entry| entry.word).collect();
        assert_eq!(words.len(), DATASETS.len());
        for entry in DATASETS {
            assert!(find(entry.word).is_ok());
            assert!(entry.summary.starts_with(char::is_uppercase) && !entry.summary.ends_with('.'), "{}", entry.word);
        }
    }

    #[test]
    fn every_dataset_asks_for_the_paths_that_it_requires() {
        use crate::PathUse;
        for entry in DATASETS {
            let required = [entry.masks, entry.images].iter().any(|path| matches!(path, PathUse::Required(_)));
            let outcome = open(entry.word, &DatasetOptions { limit: Some(8), ..DatasetOptions::default() });
            match outcome {
                Ok(data) => assert!(!required && data.len() == 8, "{}", entry.word),
                Err(DatasetError::MissingPath { dataset, .. }) => assert!(required && dataset == entry.word),
                Err(error) => panic!("{}: {error}", entry.word),
            }
        }
        let error = open("imagenet", &DatasetOptions::default()).err().unwrap().to_string();
        assert!(error.contains("\"imagenet\"") && error.contains("hard-imagenet, rival20"), "{error}");
    }

    #[test]
    fn a_dataset_without_parts_is_split_class_by_class() {
        let options = DatasetOptions { limit: Some(80), ..DatasetOptions::default() };
        let (learn, measure) = open_both_parts("planted-hard", &options).unwrap();
        assert_eq!((learn.len(), measure.len()), (64, 16));
        let ids = |data: &dyn Dataset| (0..data.len()).map(|i| data.id(i).to_owned()).collect::<BTreeSet<_>>();
        assert!(ids(&*learn).is_disjoint(&ids(&*measure)));
        let mut members = [0; 8];
        (0..measure.len()).for_each(|i| members[measure.class(i)] += 1);
        assert_eq!(members, [2; 8]);
    }

    #[test]
    fn classes_are_chosen_by_name() {
        let classes = vec!["star".to_owned(), "ring".to_owned()];
        let options = DatasetOptions { classes, limit: Some(80), ..DatasetOptions::default() };
        assert_eq!(open("planted-easy", &options).unwrap().len(), 20);
        let options = DatasetOptions { classes: vec!["cat".to_owned()], ..options };
        let error = open("planted-easy", &options).err().unwrap().to_string();
        assert!(error.contains("planted-easy has no class \"cat\"") && error.contains("star, cross"), "{error}");
    }
}

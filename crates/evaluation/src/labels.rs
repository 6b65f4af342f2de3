//! The labels that predictions are compared with.

use crate::{EvaluationError, Result};
use hard_imagenet_datasets::{Class, DatasetInfo};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::models::{CLASSES_REORDERED, CLASSES_UNMATCHED, NUMERIC_CLASSES};
use hard_imagenet_runs::LabelSpace;
use std::collections::HashMap;

/// The head's class for each class of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labels {
    /// Whose numbering it is.
    pub(crate) space: LabelSpace,
    /// One for each class of the dataset.
    pub(crate) columns: Vec<u32>,
    /// What is suspicious about the names of the classes.
    pub(crate) finding: Option<Finding>,
}

/// Returns the head's class for each class of the dataset: by name if the model names its classes, and otherwise by number
/// ([`DatasetInfo::columns`]).
///
/// # Errors
/// Returns [`EvaluationError::Labels`] if the head has other classes than the dataset, or if the names match only in part
/// and contradict the numbers.
pub(crate) fn match_labels(info: &DatasetInfo, model: &str, head: usize, names: Option<&[String]>) -> Result<Labels> {
    let error = |reason| EvaluationError::Labels { model: model.to_owned(), dataset: info.name.clone(), reason };
    let space = if head == info.classes.len() { LabelSpace::Dataset } else { LabelSpace::Imagenet };
    let numbered = info.columns(head);
    let Some(names) = names.filter(|names| names.len() == head) else {
        let finding = (space == LabelSpace::Dataset && has_numbers_as_texts(info)).then(|| NUMERIC_CLASSES.found());
        return Ok(Labels { space, columns: numbered.map_err(error)?, finding });
    };
    let known = index(names);
    let matched: Vec<Option<u32>> = info.classes.iter().map(|class| find(&known, class)).collect();
    let by_name: Option<Vec<u32>> = matched.iter().copied().collect();
    let by_name = by_name.filter(|columns| {
        let mut sorted = columns.clone();
        sorted.sort_unstable();
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    });
    match (by_name, numbered) {
        (Some(columns), Ok(numbered)) if columns == numbered => Ok(Labels { space, columns, finding: None }),
        (Some(columns), _) => {
            let shown: Vec<String> = info
                .classes
                .iter()
                .zip(&columns)
                .map(|(class, &column)| format!("{} is output {column}", class.name))
                .collect();
            let finding = CLASSES_REORDERED.found().about(&shown).map(|finding| {
                finding.saying("classes were matched to the model's outputs by name, because their order differs")
            });
            Ok(Labels { space: LabelSpace::Names, columns, finding })
        }
        (None, Ok(columns)) => {
            let contradicts =
                matched.iter().zip(&columns).any(|(name, column)| name.is_some_and(|name| name != *column));
            let missing: Vec<&str> =
                info.classes.iter().zip(&matched).filter(|(_, m)| m.is_none()).map(|(c, _)| c.name.as_str()).collect();
            if contradicts && space == LabelSpace::Dataset {
                return Err(error(format!(
                    "its classes have other names or another order: {} not among {}; rename the class folders, or the \
                     classes in the model's description",
                    missing.join(", "),
                    names.iter().take(10).cloned().collect::<Vec<_>>().join(", ")
                )));
            }
            // The names of ImageNet's classes differ from list to list; only a contradiction is suspicious.
            let is_suspicious = contradicts || (space == LabelSpace::Dataset && !missing.is_empty());
            let finding = is_suspicious.then(|| CLASSES_UNMATCHED.about(&missing)).flatten().map(|finding| {
                let of_model = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                finding.of(info.classes.len()).saying(format!(
                    "classes of the dataset that the model does not name; it names {of_model}{}",
                    if names.len() > 3 { ", .." } else { "" }
                ))
            });
            Ok(Labels { space, columns, finding })
        }
        (None, Err(reason)) => {
            let missing = info.classes.iter().zip(&matched).filter(|(_, m)| m.is_none()).map(|(c, _)| c.name.as_str());
            let missing: Vec<&str> = missing.take(5).collect();
            Err(error(format!("{reason}; its class names lack {}", missing.join(", "))))
        }
    }
}

/// Returns whether the classes are numbers that are not in the order of numbers.
fn has_numbers_as_texts(info: &DatasetInfo) -> bool {
    let numbers: Option<Vec<u64>> = info.classes.iter().map(|class| class.name.parse().ok()).collect();
    numbers.is_some_and(|numbers| !numbers.is_sorted())
}

/// Returns the outputs by name. A name such as "tench, Tinca tinca" counts as a whole and by its parts. What stands for two
/// outputs stands for none.
fn index(names: &[String]) -> HashMap<String, Option<u32>> {
    let mut known: HashMap<String, Option<u32>> = HashMap::new();
    for (column, name) in (0..).zip(names) {
        let mut keys: Vec<String> = std::iter::once(name.as_str()).chain(name.split(',')).map(normal).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            known.entry(key).and_modify(|known| *known = None).or_insert(Some(column));
        }
    }
    known
}

/// Finds the output of a class of the dataset, by its name, the parts of its name, or its WordNet id.
fn find(known: &HashMap<String, Option<u32>>, class: &Class) -> Option<u32> {
    let names = std::iter::once(class.name.as_str()).chain(class.wnid.as_deref()).chain(class.name.split(','));
    names.map(normal).find_map(|name| known.get(&name).copied().flatten())
}

/// Returns a name in lower case with single blanks between words: "Dog_Sled" and "dog-sled" are "dog sled".
fn normal(name: &str) -> String {
    let spaced = name.to_lowercase().replace(['_', '-'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{LabelSpace, Labels, match_labels};
    use hard_imagenet_datasets::{Class, DatasetInfo};

    fn info(imagenet: &[Option<u32>]) -> DatasetInfo {
        let class = |&imagenet: &Option<u32>| Class { name: format!("{imagenet:?}"), wnid: None, imagenet };
        DatasetInfo { name: "toy".into(), classes: imagenet.iter().map(class).collect() }
    }

    #[test]
    fn a_head_with_as_many_classes_as_the_dataset_uses_its_labels() {
        let found = match_labels(&info(&[Some(7), None]), "m", 2, None).unwrap();
        assert_eq!(found, Labels { space: LabelSpace::Dataset, columns: vec![0, 1], finding: None });
    }

    #[test]
    fn a_head_of_1000_classes_uses_the_labels_of_imagenet() {
        let found = match_labels(&info(&[Some(7), Some(999)]), "m", 1000, None).unwrap();
        assert_eq!(found, Labels { space: LabelSpace::Imagenet, columns: vec![7, 999], finding: None });
    }

    #[test]
    fn a_class_outside_imagenet_is_named() {
        let message = match_labels(&info(&[Some(7), None]), "m", 1000, None).unwrap_err().to_string();
        assert!(message.contains("\"None\" is not one of them"), "{message}");
    }

    #[test]
    fn another_head_is_refused() {
        let message = match_labels(&info(&[Some(7), None]), "m", 10, None).unwrap_err().to_string();
        assert!(message.contains("has 10 classes, but needs 2"), "{message}");
    }

    /// Matches the classes "dog sled", "cat" and "n01440764" with names; returns the columns and the kind of the finding, or
    /// the error.
    fn named(names: &[&str]) -> Result<(LabelSpace, Vec<u32>, Option<String>), String> {
        let class =
            |name: &str, wnid: Option<&str>| Class { name: name.into(), wnid: wnid.map(str::to_owned), imagenet: None };
        let classes = vec![class("dog sled", None), class("cat", None), class("tench", Some("n01440764"))];
        let info = DatasetInfo { name: "toy".into(), classes };
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let labels = match_labels(&info, "m", names.len(), Some(&names)).map_err(|error| error.to_string())?;
        Ok((labels.space, labels.columns, labels.finding.map(|finding| finding.kind)))
    }

    #[test]
    fn numbers_in_the_order_of_texts_are_suspicious() {
        let finding = |names: &[&str]| {
            let class = |name: &&str| Class { name: (*name).to_owned(), wnid: None, imagenet: None };
            let info = DatasetInfo { name: "toy".into(), classes: names.iter().map(class).collect() };
            match_labels(&info, "m", names.len(), None).unwrap().finding.map(|finding| finding.kind)
        };
        assert_eq!(finding(&["0", "1", "10", "2"]).as_deref(), Some("numeric-classes"));
        assert_eq!(finding(&["0", "1", "2"]), None);
        assert_eq!(finding(&["00", "01", "10"]), None);
        assert_eq!(finding(&["10", "9", "cat"]), None);
    }

    #[test]
    fn named_classes_are_matched_by_name() {
        let reordered = Some("classes-reordered".to_owned());
        assert_eq!(named(&["Dog_Sled", "cat", "tench, Tinca tinca"]), Ok((LabelSpace::Dataset, vec![0, 1, 2], None)));
        assert_eq!(named(&["n01440764", "dog-sled", "CAT"]), Ok((LabelSpace::Names, vec![1, 2, 0], reordered.clone())));
        // A head with more classes than the dataset.
        assert_eq!(named(&["x", "tench", "y", "cat", "dog sled"]), Ok((LabelSpace::Names, vec![4, 3, 1], reordered)));
    }

    #[test]
    fn names_that_do_not_match_are_reported_or_refused() {
        let unmatched = Some("classes-unmatched".to_owned());
        assert_eq!(named(&["a", "b", "c"]), Ok((LabelSpace::Dataset, vec![0, 1, 2], unmatched)));
        // The only name that matches says that the order differs, but not what the others are.
        let error = named(&["cat", "b", "c"]).unwrap_err();
        assert!(error.contains("dog sled, tench not among cat, b, c"), "{error}");
        // A name that stands for two outputs stands for none.
        let error = named(&["cat", "cat", "tench", "dog sled"]).unwrap_err();
        assert!(error.contains("class names lack cat"), "{error}");
    }
}

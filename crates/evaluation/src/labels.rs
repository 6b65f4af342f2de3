//! The labels that predictions are compared with.

use crate::{EvaluationError, Result};
use hard_imagenet_datasets::DatasetInfo;
use hard_imagenet_runs::LabelSpace;

/// Returns the head's class for each class of the dataset ([`DatasetInfo::columns`]), and whose numbering that is.
///
/// # Errors
/// Returns [`EvaluationError::Labels`] if the head has other classes than the dataset.
pub(crate) fn match_labels(info: &DatasetInfo, model: &str, head: usize) -> Result<(LabelSpace, Vec<u32>)> {
    let error = |reason| EvaluationError::Labels { model: model.to_owned(), dataset: info.name.clone(), reason };
    let space = if head == info.classes.len() { LabelSpace::Dataset } else { LabelSpace::Imagenet };
    Ok((space, info.columns(head).map_err(error)?))
}

#[cfg(test)]
mod tests {
    use super::{LabelSpace, match_labels};
    use hard_imagenet_datasets::{Class, DatasetInfo};

    fn info(imagenet: &[Option<u32>]) -> DatasetInfo {
        let class = |&imagenet: &Option<u32>| Class { name: format!("{imagenet:?}"), wnid: None, imagenet };
        DatasetInfo { name: "toy".into(), classes: imagenet.iter().map(class).collect() }
    }

    #[test]
    fn a_head_with_as_many_classes_as_the_dataset_uses_its_labels() {
        let found = match_labels(&info(&[Some(7), None]), "m", 2).unwrap();
        assert_eq!(found, (LabelSpace::Dataset, vec![0, 1]));
    }

    #[test]
    fn a_head_of_1000_classes_uses_the_labels_of_imagenet() {
        let found = match_labels(&info(&[Some(7), Some(999)]), "m", 1000).unwrap();
        assert_eq!(found, (LabelSpace::Imagenet, vec![7, 999]));
    }

    #[test]
    fn a_class_outside_imagenet_is_named() {
        let message = match_labels(&info(&[Some(7), None]), "m", 1000).unwrap_err().to_string();
        assert!(message.contains("\"None\" is not one of them"), "{message}");
    }

    #[test]
    fn another_head_is_refused() {
        let message = match_labels(&info(&[Some(7), None]), "m", 10).unwrap_err().to_string();
        assert!(message.contains("has 10 classes, but needs 2"), "{message}");
    }
}

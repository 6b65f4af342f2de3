//! Classes of images by their names.

use crate::files::is_wnid;
use crate::store::file_stem;
use std::collections::HashMap;

/// The WordNet ids of the validation images by their names without extension.
pub(super) type Labels = HashMap<String, String>;

/// Returns the class of an image: from its name ("n01440764_10026.JPEG", "ILSVRC2012_val_00000293_n01440764.JPEG"), or
/// from the labels.
pub(super) fn class_of(file: &str, labels: &Labels) -> Option<String> {
    let in_name = file_stem(file).split('_').find(|part| is_wnid(part)).map(str::to_owned);
    in_name.or_else(|| labels.get(file_stem(file)).cloned())
}

/// Returns the name of a validation image, counted from 1.
pub(super) fn stem(number: usize) -> String {
    format!("ILSVRC2012_val_{number:08}")
}

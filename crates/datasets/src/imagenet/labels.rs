use super::devkit;
use crate::DatasetError;
use crate::files::{Split, is_wnid};
use crate::store::file_stem;
use std::collections::HashMap;
use std::path::Path;

/// WordNet id of each validation picture by its name without extension.
pub(super) type Labels = HashMap<String, String>;

/// The class that a picture's name tells ("n01440764_10026.JPEG", "ILSVRC2012_val_00000293_n01440764.JPEG"), or the list.
pub(super) fn class_of(file: &str, labels: &Labels) -> Option<String> {
    let told = file_stem(file).split('_').find(|part| is_wnid(part)).map(str::to_owned);
    told.or_else(|| labels.get(file_stem(file)).cloned())
}

/// The labels of flat validation pictures from a list beside them or up to two folders above; empty if there is none.
pub(super) fn validation_labels(pictures: &Path, split: Split) -> Result<Labels, DatasetError> {
    if split != Split::Val {
        return Ok(Labels::new());
    }
    let inside = pictures.join(split.name());
    for folder in std::iter::once(&*inside).chain(pictures.ancestors().take(3)) {
        let list = folder.join("imagenet_2012_validation_synset_labels.txt");
        if list.is_file() {
            let row = |(i, wnid): (usize, &str)| Some((stem(i + 1), wnid.trim().to_owned()));
            return read(&list, |text| text.lines().enumerate().map(row).collect());
        }
        let table = folder.join("LOC_val_solution.csv");
        if table.is_file() {
            // ILSVRC2012_val_00048981,n03995372 85 1 499 272
            let row = |line: &str| {
                let (stem, boxes) = line.split_once(',')?;
                Some((stem.to_owned(), boxes.split_whitespace().next()?.to_owned()))
            };
            return read(&table, |text| text.lines().skip(1).map(row).collect());
        }
        if let Some(labels) = devkit::labels(folder)? {
            return Ok(labels);
        }
    }
    Ok(Labels::new())
}

/// Name of a validation picture, counted from 1.
pub(super) fn stem(number: usize) -> String {
    format!("ILSVRC2012_val_{number:08}")
}

fn read(path: &Path, parse: impl Fn(&str) -> Option<Labels>) -> Result<Labels, DatasetError> {
    let fail = |problem: String| DatasetError::Meta { path: path.into(), problem };
    let text = std::fs::read_to_string(path).map_err(|e| fail(format!("cannot be read ({e})")))?;
    let labels = parse(&text).filter(|labels| labels.values().all(|wnid| is_wnid(wnid)));
    labels.ok_or_else(|| fail("expected a WordNet id (n01440764) for each validation picture".into()))
}

//! The files from which the labels of flat validation images are read.

use super::devkit;
use super::labels::{Labels, stem};
use crate::DatasetError;
use crate::files::{Split, is_wnid};
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use std::path::Path;

/// Reads the labels of flat validation images from a list in their folder or up to two folders above. Without a list,
/// the labels are empty.
pub(super) fn validation_labels(images: &Path, split: Split) -> Result<Labels, DatasetError> {
    if split != Split::Val {
        return Ok(Labels::new());
    }
    let inside = images.join(split.name());
    for folder in std::iter::once(&*inside).chain(images.ancestors().take(3)) {
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

fn read(path: &Path, parse: impl Fn(&str) -> Option<Labels>) -> Result<Labels, DatasetError> {
    let fail = |problem: String| DatasetError::Meta { path: path.into(), problem };
    let text = std::fs::read_to_string(path).map_err(|e| fail(format!("cannot be read ({e})")))?;
    if is_lfs_pointer(text.as_bytes()) {
        return Err(fail(LFS_POINTER.into()));
    }
    let labels = parse(&text).filter(|labels| labels.values().all(|wnid| is_wnid(wnid)));
    labels.ok_or_else(|| fail("expected a WordNet id (n01440764) for each validation image".into()))
}

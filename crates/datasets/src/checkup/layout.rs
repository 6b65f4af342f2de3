//! Where pictures and masks lie, from names alone.

use crate::files::{is_picture, split_mask_name};
use crate::store::file_stem;
use crate::{Split, wnids};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Entries that are not hidden, sorted; none where there is no folder.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let hidden = |path: &PathBuf| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| !hidden(path)).collect();
    found.sort();
    found
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Does the folder hold files named as masks are?
pub(super) fn has_masks(folder: &Path) -> bool {
    let is_mask = |path: &PathBuf| {
        // "n03218198_12.JPEG" is a training picture; its mask has the class twice.
        let name = name(path);
        split_mask_name(&name).is_some_and(|(wnid, file)| file.starts_with(wnid) || file.starts_with("ILSVRC"))
    };
    list(folder).iter().any(is_mask)
}

/// How the pictures of a split are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pictures {
    /// In class folders.
    Classes,
    /// All in one folder.
    Flat,
    /// In archives.
    Packed,
    /// There are none.
    Absent,
}

/// The layout, and the folder that holds the class folders or the pictures.
pub(super) fn pictures(images: &Path, split: Split) -> (Pictures, PathBuf) {
    if images.is_file() {
        return (Pictures::Packed, images.into());
    }
    let folders = [images.join(split.name()), images.to_owned()];
    for folder in &folders {
        let entries = list(folder);
        if entries.iter().any(|path| wnids::of_folder(&name(path)).is_ok() && path.is_dir()) {
            return (Pictures::Classes, folder.clone());
        }
        if entries.iter().any(is_picture) {
            return (Pictures::Flat, folder.clone());
        }
        let packed =
            |path: &PathBuf| ["tar", "zip", "parquet"].iter().any(|e| path.extension().is_some_and(|x| x == *e));
        if entries.iter().any(packed) {
            return (Pictures::Packed, folder.clone());
        }
    }
    (Pictures::Absent, images.into())
}

/// The pictures by stem, with the class of their folder where there is one. Only folders of `classes` are read.
pub(super) fn by_stem(
    layout: Pictures,
    folder: &Path,
    classes: &[&str],
) -> BTreeMap<String, (Option<String>, PathBuf)> {
    let here = |folder: &Path, class: Option<&str>| -> Vec<_> {
        let files = list(folder).into_iter().filter(|path| is_picture(path));
        files.map(|path| (file_stem(&name(&path)).to_owned(), (class.map(str::to_owned), path))).collect()
    };
    let of_class = |folder: PathBuf| {
        let wnid = wnids::of_folder(&name(&folder)).ok().filter(|wnid| classes.contains(&wnid.as_str()))?;
        Some(here(&folder, Some(&wnid)))
    };
    match layout {
        Pictures::Classes => list(folder).into_iter().filter_map(of_class).flatten().collect(),
        Pictures::Flat => here(folder, None).into_iter().collect(),
        Pictures::Packed | Pictures::Absent => BTreeMap::new(),
    }
}

//! Where images and masks lie, judged by names alone.

use crate::files::{is_image, split_mask_name};
use crate::imagenet::KAGGLE;
use crate::store::file_stem;
use crate::{Split, wnids};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Lists the entries of a folder that are not hidden, sorted; nothing if there is no such folder.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_hidden = |path: &PathBuf| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| !is_hidden(path)).collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns whether the folder holds files that are named like masks.
pub(super) fn has_masks(folder: &Path) -> bool {
    let is_mask = |path: &PathBuf| {
        // "n03218198_12.JPEG" is a training image; the name of its mask holds the class twice.
        let name = name(path);
        split_mask_name(&name).is_some_and(|(wnid, file)| file.starts_with(wnid) || file.starts_with("ILSVRC"))
    };
    list(folder).iter().any(is_mask)
}

/// How the images of a split are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageLayout {
    /// A folder for each class.
    ClassFolders,
    /// One folder for all images.
    Flat,
    /// Archives.
    Archives,
    /// There are no images.
    Absent,
}

/// Finds the layout, and the folder that holds the class folders or the images.
pub(super) fn find_images(images: &Path, split: Split) -> (ImageLayout, PathBuf) {
    if images.is_file() {
        return (ImageLayout::Archives, images.into());
    }
    let in_kaggle = KAGGLE.map(|folder| images.join(folder).join(split.name()));
    // Hugging Face's shards lie in a folder of this name.
    let shards = images.join("data");
    let folders = [images.join(split.name()), images.to_owned()].into_iter().chain(in_kaggle).chain([shards]);
    let folders: Vec<PathBuf> = folders.collect();
    for folder in &folders {
        let entries = list(folder);
        if entries.iter().any(|path| wnids::find_by_folder(&name(path)).is_ok() && path.is_dir()) {
            return (ImageLayout::ClassFolders, folder.clone());
        }
        if entries.iter().any(is_image) {
            return (ImageLayout::Flat, folder.clone());
        }
        let is_archive =
            |path: &PathBuf| ["tar", "zip", "parquet"].iter().any(|e| path.extension().is_some_and(|x| x == *e));
        if entries.iter().any(is_archive) {
            return (ImageLayout::Archives, folder.clone());
        }
    }
    (ImageLayout::Absent, images.into())
}

/// Lists the images by file stem, with the class of their folder if there is one. Only folders of `classes` are read.
pub(super) fn images_by_stem(
    layout: ImageLayout,
    folder: &Path,
    classes: &[&str],
) -> BTreeMap<String, (Option<String>, PathBuf)> {
    let list_images = |folder: &Path, class: Option<&str>| -> Vec<_> {
        let files = list(folder).into_iter().filter(|path| is_image(path));
        files.map(|path| (file_stem(&name(&path)).to_owned(), (class.map(str::to_owned), path))).collect()
    };
    let list_class = |folder: PathBuf| {
        let wnid = wnids::find_by_folder(&name(&folder)).ok().filter(|wnid| classes.contains(&wnid.as_str()))?;
        Some(list_images(&folder, Some(&wnid)))
    };
    match layout {
        ImageLayout::ClassFolders => list(folder).into_iter().filter_map(list_class).flatten().collect(),
        ImageLayout::Flat => list_images(folder, None).into_iter().collect(),
        ImageLayout::Archives | ImageLayout::Absent => BTreeMap::new(),
    }
}

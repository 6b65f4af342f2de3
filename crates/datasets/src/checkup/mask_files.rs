//! Mask files that are named by their ImageNet file: names, pairs and numbers.

use super::folders::check_folders;
use super::layout;
use crate::files::{is_image, is_unread_mask, split_mask_name};
use crate::imagenet::Row;
use crate::store::{file_name, file_stem, join};
use crate::{DatasetError, ImageNet, SkippedEntry, Split, Store};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{
    CLASS_COUNT, COUNT, DUPLICATE, LAYOUT, NO_IMAGE, ODD_NAME, SKIPPED, TRAIN_COUNT, UNKNOWN_CLASS, UNKNOWN_FOLDER,
    UNMASKED, UNREAD_KIND, UNSEARCHABLE, WRONG_FOLDER,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;

/// The masks of one split, named `<wnid>_<ImageNet file name>`, and where they should lie.
pub(crate) struct MaskFiles<'a> {
    /// The folder or archive of the masks.
    pub(crate) masks: &'a Path,
    /// ImageNet.
    pub(crate) images: &'a Path,
    pub(crate) split: Split,
    /// The folders within `masks` that hold the files.
    pub(crate) folders: &'a [&'a str],
    /// What `masks` should hold, for people.
    pub(crate) expected: &'a str,
    pub(crate) classes: &'a [Row],
    /// Whether the file name decides about the split because the folders are not split as ImageNet is.
    pub(crate) split_by_name: bool,
    pub(crate) published: PublishedCounts,
}

/// How many masks were published.
pub(crate) struct PublishedCounts {
    /// Validation masks of each class.
    pub(crate) val_per_class: RangeInclusive<usize>,
    /// Training masks of all classes, and the number in words; `None` if unknown.
    pub(crate) train: Option<(RangeInclusive<usize>, &'static str)>,
}

/// The files by what is wrong with them, as paths for people.
#[derive(Default)]
struct SortedFiles<'a> {
    /// Not named like a mask.
    odd: Vec<String>,
    /// Images of kinds that are not read.
    unread: Vec<String>,
    /// Masks of a class that the dataset does not have.
    unknown: Vec<String>,
    /// Masks of an image that has one already.
    duplicates: Vec<String>,
    /// Masks without an image.
    without_image: Vec<String>,
    /// File stems of the images that have a mask.
    masked: BTreeSet<String>,
    /// Number of masks by WordNet id.
    counts: BTreeMap<&'a str, usize>,
}

impl<'a> MaskFiles<'a> {
    /// Checks everything that names reveal. The flag is false if the folders are so wrong that no file was looked for.
    pub(crate) fn check(&self) -> (Vec<Finding>, bool) {
        let found = check_folders(self.masks, self.images, self.split, self.folders, self.expected);
        if !found.is_empty() {
            return (found, false);
        }
        let found = self.check_pairs().unwrap_or_else(|error| vec![UNSEARCHABLE.found().saying(error.to_string())]);
        (found, true)
    }

    fn check_pairs(&self) -> Result<Vec<Finding>, DatasetError> {
        let (store, imagenet) = (Store::open(self.masks)?, ImageNet::open(self.images, self.split)?);
        let mut found = vec![LAYOUT.found().saying(format!("ImageNet: {}", imagenet.layout()))];
        let files = self.list(&store)?;
        if files.is_empty() {
            let what = format!("{} holds no masks in {}", self.masks.display(), self.folders.join(" or "));
            found.push(WRONG_FOLDER.found().saying(what).remedy("use the archive of masks as published"));
            return Ok(found);
        }
        let sorted = self.sort(&files, &store, &imagenet)?;
        found.extend(NO_IMAGE.about(&sorted.without_image));
        found.extend(UNMASKED.about(&self.images_without_mask(&sorted.masked)));
        found.extend(UNKNOWN_CLASS.about(&sorted.unknown));
        found.extend(DUPLICATE.about(&sorted.duplicates));
        found.extend(UNREAD_KIND.about(&sorted.unread));
        found.extend(ODD_NAME.about(&sorted.odd));
        found.extend(self.check_counts(&sorted.counts));
        found.extend(skipped(&imagenet, &store));
        Ok(found)
    }

    /// Lists the files in the folders of the masks.
    fn list(&self, store: &Store) -> Result<Vec<String>, DatasetError> {
        let mut files = Vec::new();
        for folder in self.folders {
            if let Some(top) = store.find_parent(folder) {
                files.extend(store.files(&join(&top, folder))?);
            }
        }
        Ok(files)
    }

    /// Sorts the files by what is wrong with them.
    fn sort(&self, files: &[String], store: &Store, imagenet: &ImageNet) -> Result<SortedFiles<'a>, DatasetError> {
        let mut sorted = SortedFiles::default();
        let mut seen = BTreeSet::new();
        for file in files {
            let shown = store.location(file).display().to_string();
            if is_unread_mask(file) {
                sorted.unread.push(shown);
                continue;
            }
            let Some((wnid, image)) = split_mask_name(file_name(file)).filter(|_| is_image(file)) else {
                sorted.odd.push(shown);
                continue;
            };
            if self.split_by_name && image.starts_with("ILSVRC2012_val") != (self.split == Split::Val) {
                continue;
            }
            let Some(wnid) = self.classes.iter().map(|row| row.1).find(|known| *known == wnid) else {
                sorted.unknown.push(shown);
                continue;
            };
            if !seen.insert((wnid, file_stem(image))) {
                sorted.duplicates.push(shown);
                continue;
            }
            sorted.masked.insert(file_stem(image).to_owned());
            *sorted.counts.entry(wnid).or_default() += 1;
            if imagenet.find(wnid, image)?.is_none() {
                sorted.without_image.push(shown);
            }
        }
        Ok(sorted)
    }

    fn images_without_mask(&self, masked: &BTreeSet<String>) -> Vec<String> {
        let wnids: Vec<&str> = self.classes.iter().map(|row| row.1).collect();
        let (layout, folder) = layout::find_images(self.images, self.split);
        let images = layout::images_by_stem(layout, &folder, &wnids);
        let is_bare = |stem: &str, class: &Option<String>| class.is_some() && !masked.contains(stem);
        let bare = images.into_iter().filter(|(stem, (class, _))| is_bare(stem, class));
        bare.map(|(_, (_, path))| path.display().to_string()).collect()
    }

    /// Compares the numbers of masks with the published ones.
    fn check_counts(&self, counts: &BTreeMap<&str, usize>) -> Vec<Finding> {
        let total: usize = counts.values().sum();
        let (split, all) = (self.split.name(), self.classes.len());
        let what = format!("{total} {split} masks of {} of the {all} classes", counts.len());
        let mut found = vec![COUNT.found().saying(what)];
        match (self.split, &self.published.train) {
            (Split::Val, _) => {
                let range = &self.published.val_per_class;
                let expected = match (range.start(), range.end()) {
                    (least, most) if least == most => least.to_string(),
                    (least, most) => format!("{least} to {most}"),
                };
                let of_class = |row: &Row| (row.2, counts.get(row.1).copied().unwrap_or(0));
                let off = self.classes.iter().map(of_class).filter(|(_, n)| !range.contains(n));
                let off: Vec<String> = off.map(|(name, n)| format!("{name}: {n}")).collect();
                let what =
                    format!("classes whose number of validation masks differs from the published one ({expected})");
                found.extend(CLASS_COUNT.found().saying(what).about(&off));
            }
            (Split::Train, Some((range, words))) if !range.contains(&total) => {
                let what = format!(
                    "{total} training masks, but {words} were published (the numbers of each class are not public)"
                );
                found.push(TRAIN_COUNT.found().saying(what));
            }
            (Split::Train, _) => {}
        }
        found
    }
}

/// Reports folders and archive entries that are ignored.
pub(crate) fn skipped(imagenet: &ImageNet, store: &Store) -> Vec<Finding> {
    let shown = |entries: &[SkippedEntry]| -> Vec<String> {
        entries.iter().map(|entry| format!("{}: {}", entry.name, entry.reason)).collect()
    };
    let folders = UNKNOWN_FOLDER.about(&shown(&imagenet.skipped_entries()));
    let entries = SKIPPED.about(&shown(store.skipped_entries()));
    folders.into_iter().chain(entries).collect()
}

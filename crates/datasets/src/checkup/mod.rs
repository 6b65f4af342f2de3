//! What is wrong with a user's folders, in plain words, and how to mend it.

mod contents;
mod finding;
mod layout;

pub use contents::inspect;
pub use finding::{Finding, Severity};

use crate::files::{is_picture, split_mask_name};
use crate::imagenet::{HARD_IMAGENET, RIVAL20, Row};
use crate::store::{file_name, file_stem, join};
use crate::{DatasetError, HardImageNet, ImageNet, SkippedEntry, Split, Store};
use layout::{Pictures, list};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Looks at the files of [`HardImageNet`] without decoding anything: layout, names, pairs, counts against the published
/// ones, pickles. Archives are looked into as folders are. [`inspect`] looks into the pictures.
pub fn checkup_hard_imagenet(masks: &Path, images: &Path, split: Split) -> Vec<Finding> {
    let parts = [split.name()];
    let mut found = folders(masks, images, split, &parts, "train/ and val/ with the mask files");
    if !found.is_empty() {
        return found;
    }
    found = pairs(masks, &parts, images, split, &HARD_IMAGENET).unwrap_or_else(|error| vec![unreadable(&error)]);
    let pickle = Store::open(masks).is_ok_and(|store| {
        let top = store.find_parent(split.name()).unwrap_or_default();
        store.has_file(&join(&top, "meta/hard_imagenet_idx.pkl"))
    });
    if !pickle {
        let what = "no meta/hard_imagenet_idx.pkl; the usual order of the 15 classes is taken";
        found.push(Finding::note("no-pickle", what, "nothing"));
    } else if let Err(error @ DatasetError::Meta { .. }) = HardImageNet::open(masks, images, split) {
        let remedy = "get the meta folder again, or move it away: then the usual order of the 15 classes is taken";
        found.push(Finding::error("pickle", error.to_string(), remedy));
    }
    found
}

/// The same for [`Rival20`](crate::Rival20).
pub fn checkup_rival20(masks: &Path, images: &Path, split: Split) -> Vec<Finding> {
    let parts = ["train/entire_object_masks", "test/entire_object_masks"];
    let expected = "train/entire_object_masks and test/entire_object_masks";
    let found = folders(masks, images, split, &parts, expected);
    if !found.is_empty() {
        return found;
    }
    pairs(masks, &parts, images, split, &RIVAL20).unwrap_or_else(|error| vec![unreadable(&error)])
}

/// An archive that cannot be opened, or a folder that cannot be listed.
fn unreadable(error: &DatasetError) -> Finding {
    Finding::error("unreadable", error.to_string(), "get the file again, or pass another path")
}

/// Pictures without a mask and masks without a picture of a [`MaskedFolder`](crate::MaskedFolder).
pub fn checkup_masked_folder(images: &[PathBuf], masks: &[PathBuf]) -> Vec<Finding> {
    let remedy = "a mask has its picture's name, with any extension; unmatched files are left out";
    let shown = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let picture = Finding::warning("no-mask", "pictures without a mask", remedy).about(&shown(images));
    let mask = Finding::warning("no-picture", "masks without a picture", remedy).about(&shown(masks));
    picture.into_iter().chain(mask).collect()
}

fn no_picture() -> Finding {
    let remedy =
        "get these pictures of ImageNet (ILSVRC2012), or pass as --images the folder that holds train/ and val/";
    Finding::error("no-picture", "masks whose picture is not there", remedy)
}

/// Folders that are missing, of the wrong level, or exchanged. Nothing, if masks and pictures can be looked for.
fn folders(masks: &Path, images: &Path, split: Split, parts: &[&str], expected: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let missing = |path: &Path, option: &str| {
        let remedy = format!("pass the right path as {option}");
        Finding::error("missing", format!("{} does not exist", path.display()), remedy)
    };
    if !masks.exists() {
        found.push(missing(masks, "--masks"));
    }
    if !images.exists() {
        found.push(missing(images, "--images"));
    }
    if !found.is_empty() || masks.is_file() {
        return found;
    }
    let (layout, folder) = layout::pictures(images, split);
    let has_masks = parts.iter().any(|part| layout::has_masks(&masks.join(part)));
    let masks_are_pictures = layout::pictures(masks, split).0 == Pictures::Classes;
    let pictures_are_masks = layout::has_masks(&images.join(split.name())) || layout::has_masks(images);
    if !has_masks && masks_are_pictures && pictures_are_masks {
        let what = format!("{} holds pictures in class folders, {} masks", masks.display(), images.display());
        return vec![Finding::error("exchanged", what, "exchange --masks and --images")];
    }
    if !has_masks {
        let right = |folder: &Path| parts.iter().any(|part| layout::has_masks(&folder.join(part)));
        found.push(misplaced("--masks", masks, expected, right));
    }
    if layout == Pictures::Absent {
        let expected = format!("{}/<wnid>/<file>", split.name());
        found.push(misplaced("--images", images, &expected, |folder| {
            let part = folder.join(split.name());
            part.is_dir() && !layout::has_masks(&part) && layout::pictures(folder, split).0 != Pictures::Absent
        }));
    } else if pictures_are_masks && layout == Pictures::Flat {
        let what = format!("{} holds masks, not pictures", folder.display());
        found.push(Finding::error("masks-as-pictures", what, "pass ImageNet's folder as --images"));
    }
    found
}

/// Nothing of what is expected in a folder, with the right one if it is near: its parents, or folders in it.
fn misplaced(option: &str, path: &Path, expected: &str, right: impl Fn(&Path) -> bool) -> Finding {
    let near = path.ancestors().skip(1).take(2).map(Path::to_owned).chain(list(path));
    let remedy = match near.into_iter().find(|folder| folder.is_dir() && right(folder)) {
        Some(folder) => format!("pass {option} {}", folder.display()),
        None => format!("pass as {option} the folder that holds {expected}"),
    };
    Finding::error("wrong-folder", format!("{} does not hold {expected}", path.display()), remedy)
}

/// Names, pairs and counts.
fn pairs(
    masks: &Path,
    parts: &[&str],
    images: &Path,
    split: Split,
    classes: &[Row],
) -> Result<Vec<Finding>, DatasetError> {
    let wnids: Vec<&str> = classes.iter().map(|row| row.1).collect();
    let (store, imagenet) = (Store::open(masks)?, ImageNet::open(images, split)?);
    let (pictures, folder) = layout::pictures(images, split);
    let mut found = vec![Finding::note("layout", format!("ImageNet: {}", imagenet.layout()), "")];
    let by_stem = layout::by_stem(pictures, &folder, &wnids);

    let mut files = Vec::new();
    for part in parts {
        if let Some(top) = store.find_parent(part) {
            files.extend(store.files(&join(&top, part))?);
        }
    }
    if files.is_empty() {
        let what = format!("{} holds no masks in {}", masks.display(), parts.join(" or "));
        found.push(Finding::error("wrong-folder", what, "pass the archive of masks as published"));
        return Ok(found);
    }
    let (mut odd, mut unknown, mut twice, mut alone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut seen, mut counts) = (BTreeSet::new(), BTreeMap::<&str, usize>::new());
    for file in files {
        let shown = store.location(&file).display().to_string();
        let Some((wnid, picture)) = split_mask_name(file_name(&file)).filter(|_| is_picture(&file)) else {
            odd.push(shown);
            continue;
        };
        let of_val = picture.starts_with("ILSVRC2012_val");
        if classes.len() == RIVAL20.len() && of_val != (split == Split::Val) {
            continue; // RIVAL's folders are split otherwise than ImageNet
        }
        let Some(&wnid) = wnids.iter().find(|known| **known == wnid) else {
            unknown.push(shown);
            continue;
        };
        if !seen.insert((wnid, file_stem(picture).to_owned())) {
            twice.push(shown);
            continue;
        }
        *counts.entry(wnid).or_default() += 1;
        if imagenet.find(wnid, picture)?.is_none() {
            alone.push(shown);
        }
    }
    let masked: BTreeSet<&str> = seen.iter().map(|(_, stem)| stem.as_str()).collect();
    let bare: Vec<String> = by_stem
        .iter()
        .filter(|(stem, (class, _))| class.is_some() && !masked.contains(stem.as_str()))
        .map(|(_, (_, path))| path.display().to_string())
        .collect();
    found.extend(no_picture().about(&alone));
    let remedy = "nothing: they are not part of the benchmark; if masks should be there, unpack the archive again";
    found.extend(Finding::note("no-mask", "pictures of the classes without a mask", remedy).about(&bare));
    let remedy = "move these files out of the mask folder";
    found.extend(
        Finding::error("unknown-class", "masks of a class that the dataset does not have", remedy).about(&unknown),
    );
    let remedy = "keep one mask of each picture (names that differ in their ending only are the same sample)";
    found.extend(Finding::error("duplicate", "masks of a picture that has one already", remedy).about(&twice));
    let what = "files that are not named <wnid>_<ImageNet file name>; they are left out";
    found.extend(Finding::note("odd-name", what, "nothing, if they are not masks").about(&odd));
    found.extend(self::counts(&counts, split, classes));
    let shown = |entries: &[SkippedEntry]| -> Vec<String> {
        entries.iter().map(|entry| format!("{}: {}", entry.name, entry.reason)).collect()
    };
    let remedy = "name them by their WordNet ids (n03218198), if they hold pictures of the dataset's classes";
    found.extend(
        Finding::warning("unknown-folder", "folders beside ImageNet's classes that are not read", remedy)
            .about(&shown(&imagenet.skipped_entries())),
    );
    let remedy = "nothing, if the archive is from a source that you trust; its other files are read";
    found.extend(
        Finding::warning("skipped", "entries of the archive of masks that are not taken", remedy)
            .about(&shown(store.skipped_entries())),
    );
    Ok(found)
}

/// Against the published numbers: 50 validation masks of each class (48 to 50 for RIVAL), about 19,000 for training.
fn counts(counts: &BTreeMap<&str, usize>, split: Split, classes: &[Row]) -> Vec<Finding> {
    let total: usize = counts.values().sum();
    let rival = classes.len() == RIVAL20.len();
    let what = format!("{total} {} masks of {} of the {} classes", split.name(), counts.len(), classes.len());
    let mut found = vec![Finding::note("count", what, "")];
    let remedy = "unpack the archive of masks again if it should be whole";
    match split {
        Split::Val => {
            let (least, expected) = if rival { (48, "48 to 50") } else { (50, "50") };
            let of = |row: &Row| (row.2, counts.get(row.1).copied().unwrap_or(0));
            let off: Vec<String> = classes
                .iter()
                .map(of)
                .filter(|(_, n)| !(least..=50).contains(n))
                .map(|(name, n)| format!("{name}: {n}"))
                .collect();
            let what = format!("classes whose number of validation masks is not the published one ({expected})");
            found.extend(Finding::warning("class-count", what, remedy).about(&off));
        }
        Split::Train if !rival && !(18_000..=20_000).contains(&total) => {
            let what = format!(
                "{total} training masks where about 19,000 are published (numbers of each class are not public)"
            );
            found.push(Finding::warning("train-count", what, remedy));
        }
        Split::Train => {}
    }
    found
}

//! Folders that are missing, one level off, or swapped.

use super::layout::{self, ImageLayout, list};
use crate::Split;
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{EXCHANGED, MASKS_AS_IMAGES, MISSING_PATH, WRONG_FOLDER};
use std::path::Path;

/// Reports folders that are missing, at the wrong level or swapped. Returns nothing if masks and images can be
/// searched.
///
/// The masks are expected in `mask_folders` within `masks`; `expected` describes that for people.
pub(super) fn check_folders(
    masks: &Path,
    images: &Path,
    split: Split,
    mask_folders: &[&str],
    expected: &str,
) -> Vec<Finding> {
    let missing: Vec<Finding> = [(masks, "masks"), (images, "images")]
        .into_iter()
        .filter(|(path, _)| !path.exists())
        .map(|(path, kind)| {
            let what = format!("{} does not exist", path.display());
            MISSING_PATH.found().saying(what).remedy(format!("correct the path of the {kind}"))
        })
        .collect();
    if !missing.is_empty() || masks.is_file() {
        return missing;
    }
    let (layout, folder) = layout::find_images(images, split);
    let holds_masks = |folder: &Path| mask_folders.iter().any(|name| layout::has_masks(&folder.join(name)));
    let masks_are_images = layout::find_images(masks, split).0 == ImageLayout::ClassFolders;
    let images_are_masks = layout::has_masks(&images.join(split.name())) || layout::has_masks(images);
    if !holds_masks(masks) && masks_are_images && images_are_masks {
        let what = format!("{} holds images in class folders, and {} holds masks", masks.display(), images.display());
        return vec![EXCHANGED.found().saying(what)];
    }
    let mut found = Vec::new();
    if !holds_masks(masks) {
        found.push(misplaced("masks", masks, expected, holds_masks));
    }
    if layout == ImageLayout::Absent {
        let expected = format!("{}/<wnid>/<file>", split.name());
        found.push(misplaced("images", images, &expected, |folder| {
            let part = folder.join(split.name());
            part.is_dir() && !layout::has_masks(&part) && layout::find_images(folder, split).0 != ImageLayout::Absent
        }));
    } else if images_are_masks && layout == ImageLayout::Flat {
        let what = format!("{} holds masks, not images", folder.display());
        found.push(MASKS_AS_IMAGES.found().saying(what));
    }
    found
}

/// Reports a folder that lacks what is expected. The remedy names the right folder if it is a parent or inside.
fn misplaced(kind: &str, path: &Path, expected: &str, is_right: impl Fn(&Path) -> bool) -> Finding {
    let near = path.ancestors().skip(1).take(2).map(Path::to_owned).chain(list(path));
    let remedy = match near.into_iter().find(|folder| folder.is_dir() && is_right(folder)) {
        Some(folder) => format!("use {} as the path of the {kind}", folder.display()),
        None => format!("use the folder that holds {expected} as the path of the {kind}"),
    };
    WRONG_FOLDER.found().saying(format!("{} does not hold {expected}", path.display())).remedy(remedy)
}

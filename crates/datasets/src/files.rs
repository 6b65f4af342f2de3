//! What the datasets on disk share: listing, names, reading pairs.

use crate::DatasetError;
use hard_imagenet_images::{Gray8, ImageError, Rgb8, read_image, read_mask};
use std::path::{Path, PathBuf};

/// Extensions of picture files, compared without case.
const EXTENSIONS: [&str; 6] = ["jpeg", "jpg", "png", "webp", "gif", "bmp"];

/// Which part of ImageNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// The training images.
    Train,
    /// The validation images.
    Val,
}

impl Split {
    /// Name of its folder: "train", "val".
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
        }
    }
}

/// Names of the folder's entries, sorted; hidden ones (".DS_Store", "._x.png") are left out.
pub(crate) fn entries(folder: &Path, expected: &str) -> Result<Vec<PathBuf>, DatasetError> {
    let fail = |problem: String| DatasetError::Folder { path: folder.into(), problem, expected: expected.into() };
    if !folder.is_dir() {
        return Err(fail("no such folder".into()));
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| fail(format!("cannot be listed ({e})")))? {
        let entry = entry.map_err(|e| fail(format!("cannot be listed ({e})")))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Does the name say that this is a picture?
pub(crate) fn is_picture(path: impl AsRef<Path>) -> bool {
    let extension = path.as_ref().extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// File name without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// "n03218198_ILSVRC2012_val_00000538.JPEG" to ("n03218198", "ILSVRC2012_val_00000538.JPEG").
pub(crate) fn split_mask_name(name: &str) -> Option<(&str, &str)> {
    let (wnid, file) = name.split_once('_')?;
    (is_wnid(wnid) && !file.is_empty()).then_some((wnid, file))
}

/// Is it a WordNet id of a noun, "n03218198"?
pub(crate) fn is_wnid(word: &str) -> bool {
    word.strip_prefix('n').is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Refuses a folder of ImageNet that is not there.
pub(crate) fn require_imagenet(root: &Path, split: Split) -> Result<(), DatasetError> {
    if root.is_dir() {
        return Ok(());
    }
    let expected = format!(
        "ImageNet's pictures as {0}/<wnid>/<file>; get them from image-net.org (ILSVRC2012) and sort the \
         validation images into class folders, or leave them flat in {0}",
        split.name()
    );
    Err(DatasetError::Folder { path: root.into(), problem: "no such folder".into(), expected })
}

/// The ImageNet picture of a mask. Under `root` it may lie as published (`val/n03218198/x.JPEG`), in class folders
/// right there (`n03218198/x.JPEG`), or flat as the original archive unpacks (`val/x.JPEG`, `x.JPEG`); its extension
/// may have been changed.
pub(crate) fn find_image(
    root: &Path,
    split: Split,
    wnid: &str,
    file: &str,
    mask: &Path,
) -> Result<PathBuf, DatasetError> {
    let published = root.join(split.name()).join(wnid).join(file);
    let folders = [root.join(split.name()).join(wnid), root.join(wnid), root.join(split.name()), root.to_owned()];
    for folder in folders {
        let exact = folder.join(file);
        if exact.is_file() {
            return Ok(exact);
        }
        for extension in ["JPEG", "jpeg", "jpg", "JPG", "png", "PNG", "webp"] {
            let other = exact.with_extension(extension);
            if other.is_file() {
                return Ok(other);
            }
        }
    }
    Err(DatasetError::NoImage { mask: mask.into(), image: published })
}

/// Decodes a picture and its mask.
pub(crate) fn read_pair(image: &Path, mask: &Path) -> Result<(Rgb8, Gray8), ImageError> {
    Ok((read_image(image)?, read_mask(mask)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_names() {
        let check = |name, expected| assert_eq!(split_mask_name(name), expected);
        check("n03218198_ILSVRC2012_val_00000538.JPEG", Some(("n03218198", "ILSVRC2012_val_00000538.JPEG")));
        check("n03218198_n03218198_12.JPEG", Some(("n03218198", "n03218198_12.JPEG")));
        check("n0321819_x.JPEG", None);
        check("m03218198_x.JPEG", None);
        check("n03218198_", None);
        check("n03218198.JPEG", None);
        check("", None);
    }
}

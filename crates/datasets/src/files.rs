//! Splits and file names that the datasets on disk share.

use std::path::Path;

/// The extensions of image files, compared without case.
const EXTENSIONS: [&str; 10] = ["jpeg", "jpg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff"];

/// A part of ImageNet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Split {
    /// The training images.
    Train,
    /// The validation images.
    #[default]
    Val,
}

impl Split {
    /// Returns the name of its folder: "train" or "val".
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
        }
    }
}

/// Returns whether the name has the extension of an image.
pub(crate) fn is_image(path: impl AsRef<Path>) -> bool {
    let extension = path.as_ref().extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// Splits "n03218198_ILSVRC2012_val_00000538.JPEG" into ("n03218198", "ILSVRC2012_val_00000538.JPEG").
pub(crate) fn split_mask_name(name: &str) -> Option<(&str, &str)> {
    let (wnid, file) = name.split_once('_')?;
    (is_wnid(wnid) && !file.is_empty()).then_some((wnid, file))
}

/// Returns whether the word is the WordNet id of a noun: "n03218198".
pub(crate) fn is_wnid(word: &str) -> bool {
    word.strip_prefix('n').is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()))
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

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

/// Returns the extensions of images that are read, in lower case.
pub(crate) fn image_extensions() -> &'static [&'static str] {
    &EXTENSIONS
}

/// Returns the extensions of images that are read, for people: "JPEG, JPG, PNG".
pub(crate) fn image_kinds() -> String {
    EXTENSIONS.map(str::to_uppercase).join(", ")
}

/// The extensions of images of other kinds, compared without case. Those that are in [`EXTENSIONS`] are read.
const UNREAD_EXTENSIONS: &str = "heic heif hif avif avifs jxl jp2 j2k j2c jpc jpf jpx jpm jxr wdp hdp svg svgz psd psb tga icb \
    vda vst exr hdr dds ico cur icns pcx ppm pgm pbm pnm pfm pam qoi ras sun sgi xbm xpm xcf kra eps dng cr2 cr3 crw nef nrw \
    arw srf sr2 orf rw2 raf pef srw x3f raw 3fr dcr kdc mrw erf mef mos iiq tif tiff jfif jif jfi jpe pjpeg pjp apng mng dcm \
    dicom nii nrrd mha wmf emf fits fit flif bpg";

/// The extensions of files that may hold masks as arrays.
const ARRAYS: &str = "npy npz mat h5 hdf5";

/// The extensions of files that are neither images nor masks.
const OTHER_EXTENSIONS: &str = "txt json jsonl csv tsv xml yaml yml toml md rst html htm pdf db ini cfg pkl pickle zip tar gz tgz \
    bz2 xz 7z rar parquet py ipynb sh bat log doc docx xls xlsx lnk url mp4 avi mov wav mp3 pt pth onnx safetensors";

fn has_extension_of(name: &str, extensions: &str) -> bool {
    let extension = Path::new(name).extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|wanted| extensions.split_whitespace().any(|known| known == wanted))
}

/// Returns whether the name has the extension of an image that is not read.
pub(crate) fn is_unread_image(name: &str) -> bool {
    !is_image(name) && has_extension_of(name, UNREAD_EXTENSIONS)
}

/// Returns whether the name has the extension of a mask that is not read.
pub(crate) fn is_unread_mask(name: &str) -> bool {
    is_unread_image(name) || has_extension_of(name, ARRAYS)
}

/// Returns whether the name has the extension of an archive that is read.
pub(crate) fn is_archive(name: &str) -> bool {
    has_extension_of(name, "zip tar tgz") || name.to_lowercase().ends_with(".tar.gz")
}

/// Returns whether the name says nothing about the kind of the file.
pub(crate) fn is_unknown_kind(name: &str) -> bool {
    !is_image(name) && !is_unread_mask(name) && !has_extension_of(name, OTHER_EXTENSIONS)
}

/// Returns whether a file begins like an image that is read.
pub(crate) fn begins_like_image(start: &[u8]) -> bool {
    let magics: [&[u8]; 6] = [b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"];
    magics.iter().any(|magic| start.starts_with(magic))
        || (start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP"))
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

//! What every dataset states about itself in the list of datasets, and the options it is opened with.

use crate::files::Split;
use crate::{Dataset, DatasetError};
use hard_imagenet_findings::Finding;
use hard_imagenet_images::{MaskReading, Orientation};
use std::path::{Path, PathBuf};

/// One line of the list of datasets: what a word opens.
pub struct DatasetEntry {
    /// The word that names the dataset on a command line: "coco".
    pub word: &'static str,
    /// What the dataset is, a sentence without its full stop.
    pub summary: &'static str,
    /// What the path of the masks must hold.
    pub masks: PathUse,
    /// What the path of the images must hold.
    pub images: PathUse,
    /// Whether the dataset has a training and a validation part of its own.
    pub has_splits: bool,
    /// Whether the published training part comes with a ranking of its images by spurious cues.
    pub is_ranked: bool,
    /// Opens the dataset, all of it.
    pub(crate) open: fn(&DatasetOptions) -> Result<Box<dyn Dataset>, DatasetError>,
    /// Checks file names and folders without decoding anything.
    pub(crate) check: fn(&DatasetOptions) -> Result<Vec<Finding>, DatasetError>,
}

impl DatasetEntry {
    /// An entry without paths, parts and checks, to be completed with `..`.
    pub(crate) const fn new(
        word: &'static str,
        summary: &'static str,
        open: fn(&DatasetOptions) -> Result<Box<dyn Dataset>, DatasetError>,
    ) -> Self {
        let check = |_: &DatasetOptions| Ok(Vec::new());
        let (masks, images) = (PathUse::Unused, PathUse::Unused);
        Self { word, summary, masks, images, has_splits: false, is_ranked: false, open, check }
    }
}

/// Whether a dataset needs a path, and what lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathUse {
    /// The dataset cannot be opened without it.
    Required(&'static str),
    /// By default, the path of the masks is used.
    Optional(&'static str),
    /// The dataset ignores it.
    Unused,
}

impl PathUse {
    /// Returns what lies there: "ImageNet"; `None` if the dataset does not use the path.
    pub fn contents(self) -> Option<&'static str> {
        match self {
            Self::Required(contents) | Self::Optional(contents) => Some(contents),
            Self::Unused => None,
        }
    }
}

/// One of the two paths of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// The path of the images in [`DatasetOptions`].
    Images,
    /// The path of the masks in [`DatasetOptions`].
    Masks,
}

impl std::fmt::Display for PathKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Images => "images",
            Self::Masks => "masks",
        })
    }
}

/// How a dataset is opened by [`open`](crate::open): where it lies and which samples are wanted.
///
/// ```
/// use hard_imagenet_datasets::{DatasetOptions, open};
///
/// let options = DatasetOptions { limit: Some(10), ..DatasetOptions::default() };
/// let data = open("planted-hard", &options)?;
/// assert_eq!(data.len(), 10);
/// # Ok::<(), hard_imagenet_datasets::DatasetError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatasetOptions {
    /// The images: a folder or an archive.
    pub images: Option<PathBuf>,
    /// The masks: a folder, an archive, or the file that holds them.
    pub masks: Option<PathBuf>,
    /// Which part, if the dataset has parts.
    pub split: Split,
    /// For RIVAL10: only images that show this [`Attribute`](crate::Attribute), with its masks.
    pub attribute: Option<String>,
    /// Only these classes, by name or WordNet id; empty for all.
    pub classes: Vec<String>,
    /// Only the first and the last so many ranked images of each class.
    pub balanced: Option<usize>,
    /// A file with a ranking of the images; by default the one that was published with the masks.
    pub ranks: Option<PathBuf>,
    /// At most this many samples, spread over the classes. A generated dataset has exactly as many.
    pub limit: Option<usize>,
    /// Which pixels of a mask file are object. Datasets whose masks are no image files ignore it.
    pub mask_reading: MaskReading,
    /// Whether the EXIF orientation of images and masks is applied.
    pub orientation: Orientation,
}

/// How the files of a dataset are decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReading {
    /// Which pixels of a mask file are object.
    pub mask: MaskReading,
    /// Whether the EXIF orientation of images and masks is applied.
    pub orientation: Orientation,
}

impl FileReading {
    /// Reads masks as their brightness unless something else was chosen, for datasets whose masks are known to be soft.
    pub(crate) fn soft(self) -> Self {
        match self.mask {
            MaskReading::Auto => Self { mask: MaskReading::Brightness, ..self },
            _ => self,
        }
    }
}

impl DatasetOptions {
    /// Returns how files are decoded.
    pub fn reading(&self) -> FileReading {
        FileReading { mask: self.mask_reading.clone(), orientation: self.orientation }
    }

    /// Returns what was chosen about how files are decoded, as names and values; nothing if nothing was chosen.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let masks = (self.mask_reading != MaskReading::Auto).then(|| ("masks", self.mask_reading.to_string()));
        let orientation =
            (self.orientation != Orientation::AsStored).then(|| ("orientation", self.orientation.to_string()));
        masks.into_iter().chain(orientation).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Returns the path of the images, which the dataset called `word` requires.
    pub(crate) fn images(&self, word: &str) -> Result<&Path, DatasetError> {
        required(&self.images, word, PathKind::Images)
    }

    /// Returns the path of the masks, which the dataset called `word` requires.
    pub(crate) fn masks(&self, word: &str) -> Result<&Path, DatasetError> {
        required(&self.masks, word, PathKind::Masks)
    }

    /// Returns the path of the images, or that of the masks if there is none.
    pub(crate) fn images_or_masks(&self, word: &str) -> Result<&Path, DatasetError> {
        self.images.as_deref().map_or_else(|| self.masks(word), Ok)
    }
}

fn required<'a>(path: &'a Option<PathBuf>, word: &str, kind: PathKind) -> Result<&'a Path, DatasetError> {
    path.as_deref().ok_or_else(|| DatasetError::MissingPath { dataset: word.into(), kind })
}

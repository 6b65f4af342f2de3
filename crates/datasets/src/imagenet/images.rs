use super::layout::Place;
use super::shards::Shards;
use super::validation::validation_labels;
use crate::files::{Split, image_extensions};
use crate::store::{file_stem, join, missing};
use crate::{DatasetError, SkippedEntry, Store};
use hard_imagenet_images::{ImageError, ImageFacts, Orientation, Rgb8, decode_image_with};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The usual extensions that an image may have instead of the one in its name. All others that are read are tried later.
const EXTENSIONS: [&str; 7] = ["JPEG", "jpeg", "jpg", "JPG", "png", "PNG", "webp"];

/// The images of one split of ImageNet (ILSVRC2012), in any common layout.
///
/// | below the path, or the path itself | contents |
/// |---|---|
/// | `val/<wnid>/<file>`, `<wnid>/<file>` | folders of all classes or some; also in Kaggle's `ILSVRC/Data/CLS-LOC` |
/// | `val/dog sled/<file>`, `dog_sled/<file>` | the same, named by words: WordNet's first word or the name in the benchmark, in upper or lower case |
/// | `val/<file>`, `<file>` | all images in one folder, as unpacked from `ILSVRC2012_img_val.tar` |
/// | `ILSVRC2012_img_val.tar`, `ILSVRC2012_img_train.tar` | the original archives, read in place |
/// | `train/<wnid>.tar` | the training archive after it was unpacked once |
/// | `{train,validation}-*.parquet`, also in `data/` | Hugging Face's imagenet-1k: all shards, or one |
///
/// Shards may be compressed by snappy or lz4 and, with the feature `zstd` of this crate, by zstd. All layouts except
/// shards may lie in a folder, a zip or a tar (see [`Store`]). If several layouts exist, all are searched. An image is
/// identified by its WordNet id and its ImageNet file name; its extension may have been changed.
pub struct ImageNet {
    path: PathBuf,
    split: Split,
    places: Vec<Place>,
    shards: Shards,
    orientation: Orientation,
}

/// Where an image was found.
enum Found<'a> {
    /// In a file of a store.
    File(Arc<Store>, String),
    /// In a row of the shards.
    Row(&'a Shards, &'a str),
}

impl Found<'_> {
    fn stamp(&self) -> String {
        match self {
            Self::File(store, name) => store.stamp(name),
            Self::Row(shards, stem) => shards.stamp(stem),
        }
    }

    fn place(&self) -> PathBuf {
        match self {
            Self::File(store, name) => store.location(name),
            Self::Row(shards, stem) => shards.place(stem),
        }
    }

    fn read(&self) -> Result<Vec<u8>, DatasetError> {
        match self {
            Self::File(store, name) => store.read(name),
            Self::Row(shards, stem) => shards.read(stem),
        }
    }
}

impl ImageNet {
    /// Finds the layouts in which the split exists.
    ///
    /// Tars are indexed by their headers. Of the training archive, only the outer headers are read; a class follows
    /// when it is first needed.
    ///
    /// # Errors
    /// Returns [`DatasetError::Folder`] if there is nothing at `path`, and [`DatasetError::Archive`] if an archive or
    /// shard is damaged.
    pub fn open(path: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let path = path.as_ref().to_owned();
        if path.as_os_str().is_empty() {
            Store::open(&path)?;
        }
        if let Err(error) = std::fs::metadata(&path) {
            let problem = missing(&path, &error);
            let expected = format!(
                "the images of ImageNet as {0}/<wnid>/<file>, flat in {0}, or as ILSVRC2012_img_{0}.tar; get them from \
                 image-net.org (ILSVRC2012)",
                split.name()
            );
            return Err(DatasetError::Folder { path, problem, expected });
        }
        let shards = Shards::open(&path, split)?;
        let places = if path.extension().is_some_and(|e| e == "parquet") {
            Vec::new()
        } else {
            Place::find_all(Store::open(&path)?, split)?
        };
        Ok(Self { path, split, places, shards, orientation: Orientation::default() })
    }

    /// Sets whether the EXIF orientation of images is applied.
    #[must_use]
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Returns the split.
    pub fn split(&self) -> Split {
        self.split
    }

    /// Describes the layouts that were found for people: "class folders in ILSVRC2012/val".
    pub fn layout(&self) -> String {
        let found: Vec<String> = self.places.iter().map(Place::describe).chain(self.shards.describe()).collect();
        if found.is_empty() {
            return format!("no images of the {} split in {}", self.split.name(), self.path.display());
        }
        found.join(", ")
    }

    /// Returns folders that are not read although folders next to them are named by the words of classes.
    ///
    /// No class has their name ("sledge"), or several classes have it ("crane").
    pub fn skipped_entries(&self) -> Vec<SkippedEntry> {
        self.places.iter().flat_map(Place::skipped_entries).cloned().collect()
    }

    /// Returns where an image lies, or `None` if it is missing.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if the archive of its class is damaged.
    pub fn find(&self, wnid: &str, file: &str) -> Result<Option<PathBuf>, DatasetError> {
        Ok(self.locate(wnid, file)?.map(|found| found.place()))
    }

    /// Returns a text that changes when the file of an image changes, or `None` if the image is missing. Nothing is read.
    pub fn stamp(&self, wnid: &str, file: &str) -> Option<String> {
        Some(self.locate(wnid, file).ok()??.stamp())
    }

    /// Reads the bytes of an image file.
    ///
    /// # Errors
    /// Returns [`DatasetError::NoImage`] if it is missing and [`DatasetError::Archive`] if it cannot be read.
    pub fn read(&self, wnid: &str, file: &str) -> Result<Vec<u8>, DatasetError> {
        self.must_locate(wnid, file)?.read()
    }

    /// Reads and decodes an image.
    ///
    /// # Errors
    /// As [`read`](Self::read); returns [`DatasetError::Image`] if the image is damaged. The error names the file.
    pub fn read_image(&self, wnid: &str, file: &str) -> Result<Rgb8, DatasetError> {
        self.read_image_with_facts(wnid, file).map(|(image, _)| image)
    }

    /// Reads and decodes an image like [`read_image`](Self::read_image), and also returns what was noticed.
    ///
    /// # Errors
    /// As [`read_image`](Self::read_image).
    pub fn read_image_with_facts(&self, wnid: &str, file: &str) -> Result<(Rgb8, ImageFacts), DatasetError> {
        let found = self.must_locate(wnid, file)?;
        let damaged = |source| ImageError::File { path: found.place(), source: Box::new(source) };
        Ok(decode_image_with(&found.read()?, self.orientation).map_err(damaged)?)
    }

    /// Lists all images whose class is known, as (WordNet id, file name), sorted. Names from shards have no extension.
    ///
    /// The class follows from class folders and from the names of training images and of images in shards. For flat
    /// validation images, it is read from `imagenet_2012_validation_synset_labels.txt` (one WordNet id per line, in the
    /// order of the images), from Kaggle's `LOC_val_solution.csv`, or from the development kit (the folder
    /// `ILSVRC2012_devkit_t12`, its tar.gz, or the two files in its folder `data`). These files lie in the folder of
    /// the images or up to two folders above it.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if a folder or an archive cannot be listed and [`DatasetError::Meta`] if a
    /// list of labels is invalid.
    pub fn images(&self) -> Result<Vec<(String, String)>, DatasetError> {
        let labels = validation_labels(&self.path, self.split)?;
        let mut images = BTreeSet::new();
        for place in &self.places {
            images.extend(place.images(&labels)?);
        }
        images.extend(self.shards.images(&labels));
        Ok(images.into_iter().collect())
    }

    fn must_locate<'a>(&'a self, wnid: &str, file: &'a str) -> Result<Found<'a>, DatasetError> {
        let missing = || DatasetError::NoImage { wnid: wnid.into(), file: file.into(), searched: self.layout() };
        self.locate(wnid, file)?.ok_or_else(missing)
    }

    fn locate<'a>(&'a self, wnid: &str, file: &'a str) -> Result<Option<Found<'a>>, DatasetError> {
        for place in &self.places {
            for (store, folder) in place.class_folders(wnid)? {
                let exact = join(&folder, file);
                let stem = exact.rsplit_once('.').map_or(exact.as_str(), |(stem, _)| stem);
                let known = EXTENSIONS.iter().map(|extension| format!("{stem}.{extension}"));
                let lower = image_extensions().iter().map(|extension| format!("{stem}.{extension}"));
                let upper = image_extensions().iter().map(|extension| format!("{stem}.{}", extension.to_uppercase()));
                let others = known.chain(lower).chain(upper);
                if let Some(name) = std::iter::once(exact.clone()).chain(others).find(|name| store.has_file(name)) {
                    return Ok(Some(Found::File(store, name)));
                }
            }
        }
        let stem = file_stem(file);
        Ok(self.shards.has(stem).then_some(Found::Row(&self.shards, stem)))
    }
}

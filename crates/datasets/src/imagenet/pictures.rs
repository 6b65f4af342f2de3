use super::labels::validation_labels;
use super::layout::Place;
use super::shards::Shards;
use crate::files::Split;
use crate::store::{file_stem, join};
use crate::{DatasetError, SkippedEntry, Store};
use hard_imagenet_images::{ImageError, Rgb8, decode_image};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Extensions that a picture may have got, besides the one in its name.
const EXTENSIONS: [&str; 7] = ["JPEG", "jpeg", "jpg", "JPG", "png", "PNG", "webp"];

/// The pictures of one split of ImageNet (ILSVRC2012), in whichever form one has them.
///
/// | under the path, or itself | what |
/// |---|---|
/// | `val/<wnid>/<file>`, `<wnid>/<file>` | class folders, all thousand or some; also in Kaggle's `ILSVRC/Data/CLS-LOC` |
/// | `val/dog sled/<file>`, `dog_sled/<file>` | the same, named by words: the first of WordNet or the benchmark's, in any case |
/// | `val/<file>`, `<file>` | all pictures in one folder, as `ILSVRC2012_img_val.tar` unpacks |
/// | `ILSVRC2012_img_val.tar`, `ILSVRC2012_img_train.tar` | the original archives, read in place |
/// | `train/<wnid>.tar` | the training archive, unpacked once |
/// | `{train,validation}-*.parquet`, also in `data/` | Hugging Face's imagenet-1k: shards, or one of them |
///
/// Shards may be compressed by snappy or lz4, and, with the feature `zstd` of this crate, by zstd.
/// All but the last may lie in a folder, a zip or a tar (see [`Store`]). Several forms side by side are searched in turn.
/// A picture goes by its WordNet id and its ImageNet file name; its extension may have been changed.
pub struct ImageNet {
    path: PathBuf,
    split: Split,
    places: Vec<Place>,
    shards: Shards,
}

/// A picture that is there.
enum Found<'a> {
    /// A file in a store.
    File(Arc<Store>, String),
    /// A row of the shards.
    Row(&'a Shards, &'a str),
}

impl Found<'_> {
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
    /// Looks which forms of the split there are. Tars are indexed by their headers alone, of the training archive only
    /// the outer ones; a class follows when it is first asked for.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] if there is nothing at `path`; [`DatasetError::Archive`] for an archive or shard that is
    /// damaged.
    pub fn open(path: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let path = path.as_ref().to_owned();
        if !path.exists() {
            let expected = format!(
                "ImageNet's pictures as {0}/<wnid>/<file>, flat in {0}, or as ILSVRC2012_img_{0}.tar; get them from \
                 image-net.org (ILSVRC2012)",
                split.name()
            );
            return Err(DatasetError::Folder { path, problem: "no such folder or file".into(), expected });
        }
        let shards = Shards::open(&path, split)?;
        let places = if path.extension().is_some_and(|e| e == "parquet") {
            Vec::new()
        } else {
            Place::all(Store::open(&path)?, split)?
        };
        Ok(Self { path, split, places, shards })
    }

    /// Which split.
    pub fn split(&self) -> Split {
        self.split
    }

    /// The forms that were found, in a person's words: "class folders in ILSVRC2012/val".
    pub fn layout(&self) -> String {
        let words: Vec<String> = self.places.iter().map(Place::words).chain(self.shards.words()).collect();
        if words.is_empty() {
            return format!("no pictures of the {} split in {}", self.split.name(), self.path.display());
        }
        words.join(", ")
    }

    /// Folders that are not looked into, though beside them are class folders that are named by words: no class has
    /// their name ("sledge"), or several ("crane").
    pub fn skipped_entries(&self) -> Vec<SkippedEntry> {
        self.places.iter().flat_map(Place::skipped_entries).cloned().collect()
    }

    /// Where a picture lies, if it is there.
    ///
    /// # Errors
    /// [`DatasetError::Archive`] for the damaged archive of a class.
    pub fn find(&self, wnid: &str, file: &str) -> Result<Option<PathBuf>, DatasetError> {
        Ok(self.locate(wnid, file)?.map(|found| found.place()))
    }

    /// The bytes of a picture's file.
    ///
    /// # Errors
    /// [`DatasetError::NoImage`] if it is not there, [`DatasetError::Archive`] if it cannot be read.
    pub fn read(&self, wnid: &str, file: &str) -> Result<Vec<u8>, DatasetError> {
        self.must_locate(wnid, file)?.read()
    }

    /// Decodes a picture, of any size.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`DatasetError::Image`] if it is damaged; the error names its place.
    pub fn read_image(&self, wnid: &str, file: &str) -> Result<Rgb8, DatasetError> {
        let found = self.must_locate(wnid, file)?;
        let damaged = |source| ImageError::File { path: found.place(), source: Box::new(source) };
        Ok(decode_image(&found.read()?).map_err(damaged)?)
    }

    /// All pictures whose class is known, as (WordNet id, file name), sorted; those of shards have no extension.
    ///
    /// Class folders tell it, and so do the names of training pictures and of shards' pictures. For flat validation
    /// pictures it is taken from `imagenet_2012_validation_synset_labels.txt` (one WordNet id a line, in the order of
    /// the pictures), `LOC_val_solution.csv` (Kaggle's), or the development kit (`ILSVRC2012_devkit_t12`, the folder or
    /// its tar.gz, or the two files of its `data`), in the folder of the pictures or up to two above it.
    ///
    /// # Errors
    /// [`DatasetError::Archive`] if a folder or an archive cannot be listed, [`DatasetError::Meta`] for a list of labels
    /// that makes no sense.
    pub fn images(&self) -> Result<Vec<(String, String)>, DatasetError> {
        let labels = validation_labels(&self.path, self.split)?;
        let mut pictures = BTreeSet::new();
        for place in &self.places {
            pictures.extend(place.pictures(&labels)?);
        }
        pictures.extend(self.shards.pictures(&labels));
        Ok(pictures.into_iter().collect())
    }

    fn must_locate<'a>(&'a self, wnid: &str, file: &'a str) -> Result<Found<'a>, DatasetError> {
        let missing = || DatasetError::NoImage { wnid: wnid.into(), file: file.into(), searched: self.layout() };
        self.locate(wnid, file)?.ok_or_else(missing)
    }

    fn locate<'a>(&'a self, wnid: &str, file: &'a str) -> Result<Option<Found<'a>>, DatasetError> {
        for place in &self.places {
            for (store, folder) in place.of_class(wnid)? {
                let exact = join(&folder, file);
                let stem = exact.rsplit_once('.').map_or(exact.as_str(), |(stem, _)| stem);
                let others = EXTENSIONS.iter().map(|extension| format!("{stem}.{extension}"));
                if let Some(name) = std::iter::once(exact.clone()).chain(others).find(|name| store.has_file(name)) {
                    return Ok(Some(Found::File(store, name)));
                }
            }
        }
        let stem = file_stem(file);
        Ok(self.shards.has(stem).then_some(Found::Row(&self.shards, stem)))
    }
}

use crate::dataset::listed;
use crate::entry::{DatasetEntry, PathUse};
use crate::files::is_image;
use crate::store::{file_name, file_stem, join};
use crate::{Class, Dataset, DatasetError, DatasetInfo, FileReading, Sample, SampleFacts, Store, wnids};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{IMAGE_ALONE, MASK_ALONE};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

pub(crate) const ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("a folder or an archive of masks"),
    images: PathUse::Required("a folder or an archive of images with matching names; subfolders are classes"),
    check: |options| {
        let data = MaskedFolder::open(options.images("masked-folder")?, options.masks("masked-folder")?);
        // Why a folder cannot be opened is reported when the dataset itself is opened.
        Ok(data.map_or_else(|_| Vec::new(), |data| data.check()))
    },
    ..DatasetEntry::new("masked-folder", "Any folder of images and masks with matching names", |options| {
        let (images, masks) = (options.images("masked-folder")?, options.masks("masked-folder")?);
        Ok(Box::new(MaskedFolder::open(images, masks)?.with_reading(&options.reading())))
    })
};

/// Any folder of images with a folder of masks: your own data.
///
/// Images lie in one folder for each class, or all in one folder, which is then the only class. A mask has the name of
/// its image, with any extension. It lies in the folder of the same class (`masks/cat/7.png`) or at the top
/// (`masks/7.png`, or `masks/cat_7.png`, as Hard ImageNet names masks). Classes whose folders are named by WordNet ids
/// of ImageNet have an ImageNet index, so ImageNet models can be evaluated on them. Each of the two folders may also be
/// a zip or tar, which is read in place.
pub struct MaskedFolder {
    info: DatasetInfo,
    images: Store,
    masks: Store,
    samples: Vec<Entry>,
    images_alone: Vec<PathBuf>,
    masks_alone: Vec<PathBuf>,
}

struct Entry {
    id: String,
    class: usize,
    image: String,
    mask: String,
}

impl MaskedFolder {
    /// Pairs the images in `images` with the masks in `masks`.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if a folder is missing or an archive is damaged; [`DatasetError::Folder`] if a
    /// folder contains no images, mixes images with class folders, or if no image has a mask;
    /// [`DatasetError::Duplicate`] if two files would be the same sample, or if two images share a mask.
    pub fn open(images: impl AsRef<Path>, masks: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let (images, masks) = (Store::open(images)?, Store::open(masks)?);
        let mut mask_of = by_key(&masks, scan(&masks, None)?)?;
        let found = scan(&images, Some(masks.path()))?;
        let fail = |problem: &str, expected: &str| {
            let path = images.path().into();
            Err(DatasetError::Folder { path, problem: problem.into(), expected: expected.into() })
        };
        let folders: BTreeSet<String> = found.iter().map(|f| f.folder.clone()).collect();
        if folders.len() > 1 && folders.contains("") {
            let expected = "either images or class folders, not both";
            return fail("images lie next to class folders", expected);
        }
        if found.is_empty() {
            return fail("no images", "images (JPEG, PNG, WebP, GIF, BMP, TIFF), or a folder of them for each class");
        }

        let (mut samples, mut images_alone) = (Vec::new(), Vec::new());
        let mut taken: HashMap<String, String> = HashMap::new();
        let position: HashMap<&str, usize> = folders.iter().enumerate().map(|(i, f)| (f.as_str(), i)).collect();
        let mut found: Vec<(String, Found)> = by_key(&images, found)?.into_iter().collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for (id, image) in found {
            let name = file_stem(&image.name);
            let keys = [id.clone(), name.to_owned(), format!("{}_{name}", image.folder)];
            let Some(mask) = keys.iter().find_map(|key| mask_of.get(key)).map(|m| m.name.clone()) else {
                images_alone.push(images.location(&image.name));
                continue;
            };
            if let Some(first) = taken.insert(mask.clone(), image.name.clone()) {
                let [first, second] = [&first, &image.name].map(|name| images.location(name));
                return Err(DatasetError::Duplicate { id: name.into(), first, second });
            }
            samples.push(Entry { id, class: position[image.folder.as_str()], image: image.name, mask });
        }
        if samples.is_empty() {
            let expected = format!("masks named like the images in {}", masks.path().display());
            return fail("no image here has a mask", &expected);
        }
        mask_of.retain(|_, mask| !taken.contains_key(&mask.name));
        let mut masks_alone: Vec<PathBuf> = mask_of.into_values().map(|m| masks.location(&m.name)).collect();
        masks_alone.sort_unstable();

        let whole = || images.path().file_name().map_or("all".into(), |n| n.to_string_lossy().into_owned());
        let class = |folder: String| {
            let name = || if folder.is_empty() { whole() } else { folder.clone() };
            wnids::class(&folder).unwrap_or_else(|| Class { name: name(), wnid: None, imagenet: None })
        };
        let classes = folders.iter().cloned().map(class).collect();
        let info = DatasetInfo { name: "masked-folder".into(), classes };
        Ok(Self { info, images, masks, samples, images_alone, masks_alone })
    }

    /// Sets how images and masks are decoded.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.images = self.images.with_reading(reading.clone());
        self.masks = self.masks.with_reading(reading.clone());
        self
    }

    /// Returns the images without a mask. They are not part of the dataset.
    pub fn unmatched_images(&self) -> &[PathBuf] {
        &self.images_alone
    }

    /// Returns the masks without an image.
    pub fn unmatched_masks(&self) -> &[PathBuf] {
        &self.masks_alone
    }

    /// Reports the images without a mask and the masks without an image.
    pub fn check(&self) -> Vec<Finding> {
        let shown = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        let images = IMAGE_ALONE.about(&shown(&self.images_alone));
        let masks = MASK_ALONE.about(&shown(&self.masks_alone));
        images.into_iter().chain(masks).collect()
    }
}

/// A file, and the name of the folder it lies in, "" for the top.
struct Found {
    folder: String,
    name: String,
}

/// Lists image files at the top and one folder below, except those in the folder `except`.
fn scan(store: &Store, except: Option<&Path>) -> Result<Vec<Found>, DatasetError> {
    let except = except.and_then(|path| path.canonicalize().ok());
    let mut folders = store.folders("")?;
    folders.retain(|folder| except.is_none() || store.location(folder).canonicalize().ok() != except);
    folders.push(String::new());
    let mut found = Vec::new();
    for folder in folders {
        let files = store.files(&folder)?.into_iter().filter(|name| is_image(name));
        found.extend(files.map(|name| Found { folder: file_name(&folder).to_owned(), name }));
    }
    Ok(found)
}

/// Indexes files by "folder/stem", or "stem" at the top.
fn by_key(store: &Store, files: Vec<Found>) -> Result<HashMap<String, Found>, DatasetError> {
    let mut map: HashMap<String, Found> = HashMap::new();
    for file in files {
        let id = join(&file.folder, file_stem(&file.name));
        let second = store.location(&file.name);
        if let Some(first) = map.insert(id.clone(), file) {
            return Err(DatasetError::Duplicate { id, first: store.location(&first.name), second });
        }
    }
    Ok(map)
}

impl Dataset for MaskedFolder {
    listed!();

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, image, mask } = &self.samples[i];
        let (image, image_facts) = self.images.read_image_with_facts(image)?;
        let (mask, mask_facts) = self.masks.read_mask_with_facts(mask)?;
        let facts = SampleFacts { image: image_facts, mask: mask_facts };
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}

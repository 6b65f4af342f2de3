mod attribute;
mod masks;
mod with_attribute;

pub use attribute::Attribute;
pub use with_attribute::Rival10Attribute;

use crate::checkup::skipped;
use crate::dataset::listed;
use crate::entry::{DatasetEntry, PathUse};
use crate::files::{Split, is_image, is_unread_mask, split_mask_name};
use crate::imagenet::RIVAL20;
use crate::store::{file_name, file_stem, join, readable};
use crate::{Class, Dataset, DatasetError, DatasetInfo, FileReading, ImageNet, Sample, SampleFacts, Store, npy};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{MASK_MISSING, NO_IMAGE, UNREAD_KIND};
use hard_imagenet_images::Gray8;
use serde::Deserialize;
use std::path::Path;

const EXPECTED: &str = "the folder RIVAL10 as in its archive: train and test with entire_object_masks/ and ordinary/, and \
                        meta/";

/// RIVAL10's list of the images in its two parts.
const LIST: &str = "meta/train_test_split_by_url.json";

/// The folder of the masks in each part.
const MASKS: &str = "entire_object_masks";

/// The classes: two ImageNet classes each, in the order of [`RIVAL20`].
const TEN: [&str; 10] = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"];

/// Returns RIVAL10's ten classes.
pub(crate) fn classes() -> Vec<Class> {
    TEN.map(|name| Class { name: name.into(), wnid: None, imagenet: None }).into()
}

pub(crate) const ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("the folder or an archive of RIVAL10"),
    images: PathUse::Optional("ImageNet, unless RIVAL10 holds all images"),
    has_splits: true,
    ..DatasetEntry::new("rival10", "RIVAL10's ten classes and its own split, whose test part is val", |options| {
        let rival = Rival10::open(options.masks("rival10")?, options.images_or_masks("rival10")?, options.split)?;
        let rival = rival.with_reading(&options.reading());
        Ok(match &options.attribute {
            Some(word) => Box::new(rival.with_attribute(find_attribute(word)?)?),
            None => Box::new(rival),
        })
    })
};

fn find_attribute(word: &str) -> Result<Attribute, DatasetError> {
    let known = Attribute::ALL.into_iter().find(|attribute| attribute.name() == word);
    known.ok_or_else(|| {
        let all = Attribute::ALL.map(Attribute::name).join(", ");
        let problem = format!("has no attribute {word:?}; its attributes are {all}");
        DatasetError::Choice { dataset: "rival10".into(), problem }
    })
}

/// RIVAL10 (Moayeri, Pope, Balaji, Feizi 2022) as published: ten classes, its own split, 18 attributes with masks.
///
/// | file | contents |
/// |---|---|
/// | `RIVAL10/{train,test}/entire_object_masks/<wnid>_<ImageNet file>` | masks of whole objects |
/// | `RIVAL10/{train,test}/ordinary/<wnid>_<ImageNet file>` | the images |
/// | `RIVAL10/{train,test}/ordinary/.._attr_labels.npy` | the attributes that an image shows, 2 × 18; only the first row counts |
/// | `RIVAL10/{train,test}/ordinary/.._attr_dict.pkl` | attribute masks: a dictionary from names to image files in base64 |
/// | `RIVAL10/meta/train_test_split_by_url.json` | optional: the images of both parts; without it, all images with a mask |
/// | `IMAGES` | ImageNet, in any layout that [`ImageNet`](crate::ImageNet) accepts, for images that are not in `ordinary` |
///
/// RIVAL10 may also be a zip or tar, which is read in place.
///
/// [`Split::Val`] is the part called `test`. The split differs from ImageNet's: both parts contain training and
/// validation images of ImageNet. [`Rival20::into_ten_classes`](crate::Rival20::into_ten_classes) splits as ImageNet
/// does, like the authors of Hard ImageNet.
///
/// Masks have soft edges, which are kept (Q19).
pub struct Rival10 {
    info: DatasetInfo,
    samples: Vec<Entry>,
    rival: Store,
    /// The folder of the part.
    folder: String,
    images: Images,
}

struct Entry {
    id: String,
    class: usize,
    wnid: String,
    file: String,
}

impl Entry {
    /// Returns the name of its mask.
    fn mask(&self) -> String {
        format!("{}_{}", self.wnid, self.file)
    }
}

/// ImageNet. Both parts of RIVAL10 contain images of both of its splits.
struct Images {
    train: ImageNet,
    val: ImageNet,
}

#[derive(Deserialize)]
struct Parts {
    train: Vec<String>,
    test: Vec<String>,
}

impl Rival10 {
    /// Lists one part of RIVAL10. `images` is ImageNet, or the same folder again if all images are in `ordinary`.
    ///
    /// # Errors
    /// Returns [`DatasetError::Folder`] if the part or the images are missing or if there is no mask,
    /// [`DatasetError::UnknownClass`], [`DatasetError::Duplicate`], or [`DatasetError::Meta`] if the list exists but
    /// cannot be understood.
    pub fn open(rival: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let rival = Store::open(rival)?;
        let part = match split {
            Split::Train => "train",
            Split::Val => "test",
        };
        let missing = |problem: &str| DatasetError::Folder {
            path: rival.location(&join(part, MASKS)),
            problem: problem.into(),
            expected: EXPECTED.into(),
        };
        let top = rival.find_parent(part).ok_or_else(|| missing("no such folder"))?;
        let folder = join(&top, part);
        let (list, masks) = (join(&top, LIST), join(&folder, MASKS));
        // The (WordNet id, file name) of each image, and the file or folder that lists them.
        let (listed, source) = if rival.has_file(&list) {
            let fail = |problem| DatasetError::Meta { path: rival.location(&list), problem };
            (parse_list(&rival.read(&list)?, split).map_err(fail)?, &list)
        } else if rival.has_folder(&masks) {
            (images_of_masks(rival.files(&masks)?), &masks)
        } else {
            return Err(missing("no such folder"));
        };
        let images =
            Images { train: ImageNet::open(&images, Split::Train)?, val: ImageNet::open(&images, Split::Val)? };
        let mut samples = Vec::new();
        for (wnid, file) in listed {
            let Some(row) = RIVAL20.iter().position(|row| row.1 == wnid) else {
                return Err(DatasetError::UnknownClass { path: rival.location(source), wnid, dataset: "RIVAL10" });
            };
            let id = format!("{part}/{wnid}/{}", readable(file_stem(&file)));
            samples.push(Entry { id, class: row / 2, wnid, file });
        }
        samples.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(pair) = samples.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let [first, second] = [&pair[0], &pair[1]].map(|entry| rival.location(&join(&masks, &entry.mask())));
            return Err(DatasetError::Duplicate { id: pair[0].id.clone(), first, second });
        }
        if samples.is_empty() {
            return Err(missing("there is no mask of an object in this folder"));
        }
        let classes = classes();
        let rival = rival.with_reading(FileReading::default().soft());
        Ok(Self { info: DatasetInfo { name: "rival10".into(), classes }, samples, rival, folder, images })
    }

    /// Sets how images and masks are decoded. By default, masks are read as their brightness.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        let Images { train, val } = self.images;
        let orientation = reading.orientation;
        self.images = Images { train: train.with_orientation(orientation), val: val.with_orientation(orientation) };
        self.rival = self.rival.with_reading(reading.clone().soft());
        self
    }

    /// Returns which attributes sample `i` shows, in the order of [`Attribute::ALL`].
    ///
    /// # Errors
    /// Returns [`DatasetError::Meta`] or [`DatasetError::Archive`] if the table of labels is damaged or missing.
    pub fn attributes(&self, i: usize) -> Result<[bool; 18], DatasetError> {
        let name = self.attribute_file(i, "_attr_labels.npy");
        let fail = |problem: String| DatasetError::Meta { path: self.rival.location(&name), problem };
        let rows = npy::nonzero(&self.rival.read(&name)?).map_err(fail)?;
        let labels = rows.into_iter().next().unwrap_or_default();
        labels.try_into().map_err(|labels: Vec<_>| fail(format!("expected 18 attributes, got {}", labels.len())))
    }

    /// Returns the mask of an attribute in sample `i` as stored, 0 to 255; `None` if there is no such mask.
    ///
    /// # Errors
    /// Returns [`DatasetError::Meta`] if the dictionary or the mask in it is damaged.
    pub fn attribute_mask(&self, i: usize, attribute: Attribute) -> Result<Option<Gray8>, DatasetError> {
        let name = self.attribute_file(i, "_attr_dict.pkl");
        if !self.rival.has_file(&name) {
            return Ok(None);
        }
        let fail = |problem| DatasetError::Meta { path: self.rival.location(&name), problem };
        masks::read(&self.rival.read(&name)?, attribute.name(), self.rival.reading()).map_err(fail)
    }

    /// Returns the name of the file with this ending that belongs to an image in `ordinary`.
    fn attribute_file(&self, i: usize, ending: &str) -> String {
        let Entry { wnid, file, .. } = &self.samples[i];
        let name = format!("{}{ending}", file_stem(file));
        self.find_ordinary(wnid, &name).unwrap_or_else(|| format!("{}/ordinary/{wnid}_{name}", self.folder))
    }

    /// Returns the name of the mask of a sample.
    fn mask_of(&self, entry: &Entry) -> String {
        format!("{}/{MASKS}/{}", self.folder, entry.mask())
    }

    /// Returns ImageNet's part in which an image lies.
    fn imagenet_of(&self, file: &str) -> &ImageNet {
        if file.contains("ILSVRC2012_val") { &self.images.val } else { &self.images.train }
    }

    /// Finds a file in `ordinary`, which is named like its mask or like its image.
    fn find_ordinary(&self, wnid: &str, file: &str) -> Option<String> {
        let named = [format!("{}/ordinary/{wnid}_{file}", self.folder), format!("{}/ordinary/{file}", self.folder)];
        named.into_iter().find(|name| self.rival.has_file(name))
    }
}

/// Parses RIVAL10's list of the images of a part. Its entries end in `<wnid>/<file>`.
fn parse_list(bytes: &[u8], split: Split) -> Result<Vec<(String, String)>, String> {
    let parts: Parts = serde_json::from_slice(bytes).map_err(|error| {
        format!(
            "expected {{\"train\": [urls], \"test\": [urls]}} ({error}); move it away to use all images with a mask"
        )
    })?;
    let urls = if split == Split::Train { parts.train } else { parts.test };
    let image = |url: String| {
        let mut parts = url.rsplit('/');
        let (file, wnid) = (parts.next()?, parts.next()?);
        is_image(file).then(|| (wnid.to_owned(), file.to_owned()))
    };
    urls.into_iter().map(|url| image(url.clone()).ok_or(format!("\"{url}\" does not end in <wnid>/<image>"))).collect()
}

/// Returns the images to which masks belong.
fn images_of_masks(masks: Vec<String>) -> Vec<(String, String)> {
    let names = masks.iter().map(|name| file_name(name)).filter(|name| is_image(name));
    names.filter_map(split_mask_name).map(|(wnid, file)| (wnid.to_owned(), file.to_owned())).collect()
}

impl Dataset for Rival10 {
    listed!();

    fn findings(&self) -> Vec<Finding> {
        let (mut without_image, mut without_mask) = (Vec::new(), Vec::new());
        for entry in &self.samples {
            let mask = self.mask_of(entry);
            let shown = self.rival.location(&mask).display().to_string();
            if !self.rival.has_file(&mask) {
                without_mask.push(shown);
            } else if self.find_ordinary(&entry.wnid, &entry.file).is_none()
                && matches!(self.imagenet_of(&entry.file).find(&entry.wnid, &entry.file), Ok(None))
            {
                without_image.push(shown);
            }
        }
        let files = self.rival.files(&join(&self.folder, MASKS)).unwrap_or_default();
        let unread = files.iter().filter(|name| is_unread_mask(name));
        let unread: Vec<String> = unread.map(|name| self.rival.location(name).display().to_string()).collect();
        let found = [
            NO_IMAGE.about(&without_image).map(|finding| finding.of(self.len())),
            MASK_MISSING.about(&without_mask).map(|finding| finding.of(self.len())),
            UNREAD_KIND.about(&unread),
        ];
        found.into_iter().flatten().chain(skipped(&self.images.val, &self.rival)).collect()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        let entry = &self.samples[i];
        let Entry { wnid, file, .. } = entry;
        let image = match self.find_ordinary(wnid, file) {
            Some(name) => Some(self.rival.stamp(&name)),
            None => self.imagenet_of(file).stamp(wnid, file),
        };
        let image = image.unwrap_or_else(|| format!("{file} missing"));
        Some(format!("{image}\n{}", self.rival.stamp(&self.mask_of(entry))))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let entry = &self.samples[i];
        let Entry { id, class, wnid, file } = entry;
        let (mask, mask_facts) = self.rival.read_mask_with_facts(&self.mask_of(entry))?;
        let (image, image_facts) = match self.find_ordinary(wnid, file) {
            Some(name) => self.rival.read_image_with_facts(&name)?,
            None => self.imagenet_of(file).read_image_with_facts(wnid, file)?,
        };
        let facts = SampleFacts { image: image_facts, mask: mask_facts };
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}

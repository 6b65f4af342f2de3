use crate::checkup::{MaskFiles, PublishedCounts};
use crate::entry::{DatasetEntry, PathUse};
use crate::files::{Split, is_image};
use crate::imagenet::{self, HARD_IMAGENET};
use crate::mask_list::MaskList;
use crate::store::join;
use crate::{Class, Dataset, DatasetError, DatasetInfo, FileReading, Sample, Store};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{NO_PICKLE, PICKLE};
use hard_imagenet_pickle::{Pickle, Value};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

const EXPECTED: &str = "mask files <wnid>_<ImageNet file name>, as in the Hard ImageNet archive (a folder with train, val \
                        and meta; the project page of Moayeri, Singla, Feizi 2022 links to it)";

pub(crate) const ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("the folder or zip of masks as published"),
    images: PathUse::Required("ImageNet"),
    has_splits: true,
    is_ranked: true,
    check: |options| {
        let (masks, images) = (options.masks("hard-imagenet")?, options.images("hard-imagenet")?);
        Ok(HardImageNet::check(masks, images, options.split))
    },
    ..DatasetEntry::new("hard-imagenet", "The 15 classes of the paper, with masks as published", |options| {
        let (masks, images) = (options.masks("hard-imagenet")?, options.images("hard-imagenet")?);
        Ok(Box::new(HardImageNet::open(masks, images, options.split)?.with_reading(&options.reading())))
    })
};

/// Hard ImageNet (Moayeri, Singla, Feizi 2022): 15 ImageNet classes whose objects are small, off center and rarely seen
/// without their usual surroundings.
///
/// It has about 19,000 training and 750 validation images with masks.
///
/// | file | contents |
/// |---|---|
/// | `MASKS/{train,val}/<wnid>_<ImageNet file name>` | the masks |
/// | `MASKS/meta/hard_imagenet_idx.pkl` | optional: the order of the classes |
///
/// MASKS is a folder, the zip as published, or a tar; archives are read in place. The images are those of ImageNet, in
/// any layout that [`ImageNet`](crate::ImageNet) accepts.
///
/// Samples are sorted by id. (The published code lists them in the order of the file system, which differs between
/// machines: Q20.) A mask whose image is missing is an error of [`get`](Dataset::get), not of `open`.
pub struct HardImageNet {
    info: DatasetInfo,
    list: MaskList,
}

impl HardImageNet {
    /// Lists the masks of one split in `masks`. `images` is ImageNet.
    ///
    /// # Errors
    /// Returns [`DatasetError::Folder`] if a folder is missing or contains no mask, [`DatasetError::UnknownClass`],
    /// [`DatasetError::Duplicate`], or [`DatasetError::Meta`] if a pickle exists but cannot be understood.
    pub fn open(masks: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let masks = Store::open(masks)?;
        let missing = |problem: &str| {
            let path = masks.location(split.name());
            Err(DatasetError::Folder { path, problem: problem.into(), expected: EXPECTED.into() })
        };
        let Some(top) = masks.find_parent(split.name()) else { return missing("no such folder") };
        let classes = classes(&masks, &top)?;
        let files = masks.files(&join(&top, split.name()))?;
        if !files.iter().any(is_image) {
            return missing("there is no mask file in this folder");
        }
        let list = MaskList::new(masks, files, images.as_ref(), split, &classes, "Hard ImageNet")?;
        Ok(Self { info: DatasetInfo { name: "hard-imagenet".into(), classes }, list })
    }

    /// Sets how images and masks are decoded.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.list = self.list.with_reading(reading);
        self
    }

    /// Checks the files of one split without decoding anything: folders, names, pairs of mask and image, numbers
    /// against the published ones, pickles. Archives are searched like folders.
    ///
    /// [`inspect`](crate::inspect) looks into the files.
    pub fn check(masks: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Vec<Finding> {
        let (masks, images) = (masks.as_ref(), images.as_ref());
        let files = MaskFiles {
            masks,
            images,
            split,
            folders: &[split.name()],
            expected: "train/ and val/ with the mask files",
            classes: &HARD_IMAGENET,
            split_by_name: false,
            published: PublishedCounts { val_per_class: 50..=50, train: Some((18_000..=20_000, "about 19,000")) },
        };
        let (mut found, is_complete) = files.check();
        if is_complete {
            found.extend(check_pickle(masks, images, split));
        }
        found
    }
}

impl Dataset for HardImageNet {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.list.len()
    }

    fn id(&self, i: usize) -> &str {
        self.list.id(i)
    }

    fn class(&self, i: usize) -> usize {
        self.list.class(i)
    }

    fn findings(&self) -> Vec<Finding> {
        self.list.findings()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        Some(self.list.stamp(i))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        self.list.get(i)
    }
}

/// Checks the pickled order of the classes.
fn check_pickle(masks: &Path, images: &Path, split: Split) -> Option<Finding> {
    let has_pickle = Store::open(masks).is_ok_and(|store| {
        let top = store.find_parent(split.name()).unwrap_or_default();
        store.has_file(&join(&top, "meta/hard_imagenet_idx.pkl"))
    });
    if !has_pickle {
        return Some(NO_PICKLE.found());
    }
    match HardImageNet::open(masks, images, split) {
        Err(error @ DatasetError::Meta { .. }) => Some(PICKLE.found().saying(error.to_string())),
        _ => None,
    }
}

/// Returns the classes in the order of the pickled list if it exists, otherwise in the usual order.
fn classes(masks: &Store, top: &str) -> Result<Vec<Class>, DatasetError> {
    let list = join(top, "meta/hard_imagenet_idx.pkl");
    let Some(order) = read_pickle(masks, &list, "a list of ImageNet indices", indices)? else {
        return Ok(HARD_IMAGENET.iter().map(imagenet::class).collect());
    };
    let bad = |name: &str, problem: String| Err(DatasetError::Meta { path: masks.location(name), problem });
    if order.len() != order.iter().collect::<HashSet<_>>().len() || order.is_empty() {
        return bad(&list, format!("expected distinct ImageNet indices, got {order:?}"));
    }
    let wnids_name = join(top, "meta/idx_to_wnid.pkl");
    let wnids = read_pickle(masks, &wnids_name, "a dictionary from index to WordNet id", wnids_by_index)?;
    let mut classes = Vec::new();
    for index in order {
        let listed = wnids.as_ref().and_then(|w| w.get(&index));
        let known = HARD_IMAGENET.iter().find(|row| row.0 == index);
        classes.push(match (known, listed) {
            (Some(row), Some(wnid)) if row.1 != wnid => {
                return bad(&wnids_name, format!("states {wnid} for index {index}, but ImageNet has {} there", row.1));
            }
            (Some(row), _) => imagenet::class(row),
            (None, Some(wnid)) => Class { name: wnid.clone(), wnid: Some(wnid.clone()), imagenet: Some(index) },
            (None, None) => {
                let problem =
                    format!("index {index} is not a Hard ImageNet class, and idx_to_wnid.pkl does not name it");
                return bad(&list, problem);
            }
        });
    }
    Ok(classes)
}

fn index(item: Value<'_>) -> Option<u32> {
    u32::try_from(item.as_int()?).ok()
}

fn indices(list: Value<'_>) -> Option<Vec<u32>> {
    list.items()?.map(index).collect()
}

fn wnids_by_index(dictionary: Value<'_>) -> Option<BTreeMap<u32, String>> {
    dictionary.entries()?.map(|(key, value)| Some((index(key)?, value.as_text()?.to_owned()))).collect()
}

/// Reads a pickle as plain data; nothing in it is ever run. Returns `None` if there is no such file.
fn read_pickle<T>(
    masks: &Store,
    name: &str,
    expected: &str,
    convert: impl Fn(Value<'_>) -> Option<T>,
) -> Result<Option<T>, DatasetError> {
    if !masks.has_file(name) {
        return Ok(None);
    }
    let fail = |problem: String| {
        let problem = format!(
            "cannot be read as {expected} ({problem}); get the file again, or move it away: without it, the usual order of \
             the 15 classes is used"
        );
        DatasetError::Meta { path: masks.location(name), problem }
    };
    let pickle = Pickle::parse(&masks.read(name)?).map_err(|error| fail(error.to_string()))?;
    convert(pickle.root()).map(Some).ok_or_else(|| fail(format!("it contains {:?}", pickle.root())))
}

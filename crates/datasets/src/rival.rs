use crate::checkup::{MaskFiles, PublishedCounts};
use crate::entry::{DatasetEntry, PathUse};
use crate::files::Split;
use crate::imagenet::{self, RIVAL20};
use crate::mask_list::MaskList;
use crate::store::{file_name, join};
use crate::{Dataset, DatasetError, DatasetInfo, FileReading, Sample, Store, rival10};
use hard_imagenet_findings::Finding;
use std::path::Path;

const EXPECTED: &str = "train/entire_object_masks and test/entire_object_masks with mask files <wnid>_<ImageNet file name>, \
                        as in the RIVAL10 archive";

pub(crate) const RIVAL20_ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("the folder or an archive of RIVAL10"),
    images: PathUse::Required("ImageNet"),
    has_splits: true,
    check: |options| {
        let (masks, images) = (options.masks("rival20")?, options.images("rival20")?);
        Ok(Rival20::check(masks, images, options.split))
    },
    ..DatasetEntry::new("rival20", "RIVAL10's images with 20 ImageNet classes, as the paper uses them", |options| {
        let (masks, images) = (options.masks("rival20")?, options.images("rival20")?);
        Ok(Box::new(Rival20::open(masks, images, options.split)?.with_reading(&options.reading())))
    })
};

pub(crate) const RIVAL10_POOLED_ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("the folder or an archive of RIVAL10"),
    images: PathUse::Required("ImageNet"),
    has_splits: true,
    ..DatasetEntry::new("rival10-pooled", "The samples of rival20 with the ten labels of RIVAL10", |options| {
        let (masks, images) = (options.masks("rival10-pooled")?, options.images("rival10-pooled")?);
        Ok(Box::new(Rival20::open(masks, images, options.split)?.with_reading(&options.reading()).into_ten_classes()))
    })
};

/// RIVAL20: RIVAL10 as the authors of Hard ImageNet use it for comparison, with 20 ImageNet classes whose objects are
/// large and central.
///
/// The masks of entire objects in both folders of RIVAL10 are pooled and split again as ImageNet splits its images:
/// names with `ILSVRC2012_val` are validation images, all others are training images. Labels are the 20 ImageNet
/// classes instead of the ten pairs, in the order of RIVAL10's classes. The published order is not documented, so a
/// finetuned head with 20 classes may have been trained with another one; an ImageNet head does not depend on it.
pub struct Rival20 {
    info: DatasetInfo,
    list: MaskList,
    /// How many of the 20 classes form one class.
    merged: usize,
}

impl Rival20 {
    /// Lists the masks in `rival`, the folder RIVAL10 or a zip or tar of it.
    ///
    /// `images` is ImageNet in any layout that [`ImageNet`](crate::ImageNet) accepts. One of the two mask folders may
    /// be missing.
    ///
    /// # Errors
    /// Returns [`DatasetError::Folder`] if both mask folders are missing or contain no mask of the split,
    /// [`DatasetError::UnknownClass`], or [`DatasetError::Duplicate`].
    pub fn open(rival: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let rival = rival.as_ref();
        let masks = Store::open(rival)?;
        let mut files = Vec::new();
        for part in ["train", "test"].map(|part| format!("{part}/entire_object_masks")) {
            if let Some(top) = masks.find_parent(&part) {
                files.extend(masks.files(&join(&top, &part))?);
            }
        }
        files.retain(|file| file_name(file).contains("ILSVRC2012_val") == (split == Split::Val));
        let classes: Vec<_> = RIVAL20.iter().map(imagenet::class).collect();
        let list = MaskList::new(masks, files, images.as_ref(), split, &classes, "RIVAL20")?;
        if list.len() == 0 {
            let problem = format!("there is no mask of a {} image in this folder", split.name());
            return Err(DatasetError::Folder { path: rival.into(), problem, expected: EXPECTED.into() });
        }
        Ok(Self { info: DatasetInfo { name: "rival20".into(), classes }, list, merged: 1 })
    }

    /// Sets how images and masks are decoded.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.list = self.list.with_reading(reading);
        self
    }

    /// Checks the files of one split without decoding anything, like
    /// [`HardImageNet::check`](crate::HardImageNet::check).
    pub fn check(rival: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Vec<Finding> {
        let files = MaskFiles {
            masks: rival.as_ref(),
            images: images.as_ref(),
            split,
            folders: &["train/entire_object_masks", "test/entire_object_masks"],
            expected: "train/entire_object_masks and test/entire_object_masks",
            classes: &RIVAL20,
            split_by_name: true,
            published: PublishedCounts { val_per_class: 48..=50, train: None },
        };
        files.check().0
    }

    /// Replaces the labels by those of RIVAL10: ten classes of two ImageNet classes each.
    ///
    /// These classes have no ImageNet index, so only models with ten classes can be evaluated.
    /// [`Rival10`](crate::Rival10) has the same classes with a split of its own.
    pub fn into_ten_classes(self) -> Self {
        let info = DatasetInfo { name: "rival10-pooled".into(), classes: rival10::classes() };
        Self { info, list: self.list, merged: 2 }
    }
}

impl Dataset for Rival20 {
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
        self.list.class(i) / self.merged
    }

    fn findings(&self) -> Vec<Finding> {
        self.list.findings()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        Some(self.list.stamp(i))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let sample = self.list.get(i)?;
        Ok(Sample { class: self.class(i), ..sample })
    }
}

//! Mask files that are named by the ImageNet file they belong to.

use crate::checkup::skipped;
use crate::files::{Split, is_image, is_unread_mask, split_mask_name};
use crate::store::{file_name, file_stem, is_text, readable};
use crate::{Class, DatasetError, FileReading, ImageNet, Sample, SampleFacts, Store};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{NO_IMAGE, NOT_UTF8, ODD_NAME, UNREAD_KIND};
use std::collections::HashMap;
use std::path::Path;

/// A mask and the image it belongs to.
struct Entry {
    id: String,
    class: usize,
    mask: String,
    wnid: String,
    file: String,
}

/// The samples of Hard ImageNet or RIVAL20: masks sorted by id, and the images.
pub(crate) struct MaskList {
    entries: Vec<Entry>,
    masks: Store,
    images: ImageNet,
    /// Images among the files that are not named like masks.
    odd: Vec<String>,
    /// Images of kinds that are not read.
    unread: Vec<String>,
}

impl MaskList {
    /// Lists the masks among `files`, which are named `<wnid>_<ImageNet file>`. Other files are ignored; images among
    /// them are reported.
    pub(crate) fn new(
        masks: Store,
        files: Vec<String>,
        images: &Path,
        split: Split,
        classes: &[Class],
        dataset: &'static str,
    ) -> Result<Self, DatasetError> {
        let images = ImageNet::open(images, split)?;
        let position: HashMap<&str, usize> =
            classes.iter().enumerate().filter_map(|(i, c)| Some((c.wnid.as_deref()?, i))).collect();
        let (mut entries, mut odd, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for mask in files {
            if !is_image(&mask) {
                unread.extend(Some(mask).filter(|name| is_unread_mask(name)));
                continue;
            }
            let Some((wnid, file)) = split_mask_name(file_name(&mask)) else {
                odd.push(mask);
                continue;
            };
            let Some(&class) = position.get(wnid) else {
                return Err(DatasetError::UnknownClass { path: masks.location(&mask), wnid: wnid.into(), dataset });
            };
            let id = format!("{}/{wnid}/{}", split.name(), readable(file_stem(file)));
            let (wnid, file) = (wnid.to_owned(), file.to_owned());
            entries.push(Entry { id, class, mask, wnid, file });
        }
        entries.sort_by(|a, b| (&a.id, &a.mask).cmp(&(&b.id, &b.mask)));
        for pair in entries.windows(2) {
            if pair[0].id == pair[1].id {
                let [first, second] = [&pair[0], &pair[1]].map(|e| masks.location(&e.mask));
                return Err(DatasetError::Duplicate { id: pair[0].id.clone(), first, second });
            }
        }
        Ok(Self { entries, masks, images, odd, unread })
    }

    /// Sets how images and masks are decoded.
    pub(crate) fn with_reading(mut self, reading: &FileReading) -> Self {
        self.images = self.images.with_orientation(reading.orientation);
        self.masks = self.masks.with_reading(reading.clone());
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn id(&self, i: usize) -> &str {
        &self.entries[i].id
    }

    pub(crate) fn class(&self, i: usize) -> usize {
        self.entries[i].class
    }

    /// Reports files that are left out: masks without an image, files with other names, entries that are not read.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let shown = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            names.map(|name| self.masks.location(name).display().to_string()).collect()
        };
        // An archive that cannot be read is the error of its samples.
        let lacks_image = |entry: &&Entry| matches!(self.images.find(&entry.wnid, &entry.file), Ok(None));
        let found = [
            NO_IMAGE
                .about(&shown(&mut self.entries.iter().filter(lacks_image).map(|entry| &entry.mask)))
                .map(|finding| finding.of(self.entries.len())),
            UNREAD_KIND.about(&shown(&mut self.unread.iter())),
            ODD_NAME.about(&shown(&mut self.odd.iter())),
            NOT_UTF8.about(&shown(&mut self.entries.iter().map(|entry| &entry.mask).filter(|name| !is_text(name)))),
        ];
        found.into_iter().flatten().chain(skipped(&self.images, &self.masks)).collect()
    }

    /// Returns a text that changes when the mask or the image of a sample changes.
    pub(crate) fn stamp(&self, i: usize) -> String {
        let Entry { mask, wnid, file, .. } = &self.entries[i];
        let image = self.images.stamp(wnid, file).unwrap_or_else(|| format!("{file} missing"));
        format!("{image}\n{}", self.masks.stamp(mask))
    }

    pub(crate) fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, mask, wnid, file } = &self.entries[i];
        let (image, image_facts) = self.images.read_image_with_facts(wnid, file)?;
        let (mask, mask_facts) = self.masks.read_mask_with_facts(mask)?;
        let facts = SampleFacts { image: image_facts, mask: mask_facts };
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}

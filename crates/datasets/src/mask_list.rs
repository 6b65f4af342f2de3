//! Mask files that are named by the ImageNet file they belong to.

use crate::files::{Split, is_image, split_mask_name};
use crate::store::{file_name, file_stem};
use crate::{Class, DatasetError, FileReading, ImageNet, Sample, SampleFacts, Store};
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
}

impl MaskList {
    /// Lists the masks among `files`, which are named `<wnid>_<ImageNet file>`. Other files are ignored.
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
        let mut entries = Vec::new();
        for mask in files.into_iter().filter(|file| is_image(file)) {
            let Some((wnid, file)) = split_mask_name(file_name(&mask)) else { continue };
            let Some(&class) = position.get(wnid) else {
                return Err(DatasetError::UnknownClass { path: masks.location(&mask), wnid: wnid.into(), dataset });
            };
            let id = format!("{}/{wnid}/{}", split.name(), file_stem(file));
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
        Ok(Self { entries, masks, images })
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

    pub(crate) fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, mask, wnid, file } = &self.entries[i];
        let (image, image_facts) = self.images.read_image_with_facts(wnid, file)?;
        let (mask, mask_facts) = self.masks.read_mask_with_facts(mask)?;
        let facts = SampleFacts { image: image_facts, mask: mask_facts };
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}

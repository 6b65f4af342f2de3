//! Mask files whose names carry the ImageNet file they belong to.

use crate::files::{Split, find_image, is_picture, read_pair, require_imagenet, split_mask_name, stem};
use crate::{Class, DatasetError, Sample};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One mask and where its picture is looked for.
struct Entry {
    id: String,
    class: usize,
    mask: PathBuf,
    wnid: String,
    file: String,
}

/// The samples of Hard ImageNet or RIVAL: a list of masks, sorted by id, and the folder of the pictures.
pub(crate) struct MaskList {
    entries: Vec<Entry>,
    images: PathBuf,
    split: Split,
}

impl MaskList {
    /// Takes those of `files` that are named `<wnid>_<ImageNet file>`. What else lies there (notes, thumbnails) is
    /// no mask and is left out.
    pub(crate) fn new(
        files: Vec<PathBuf>,
        images: &Path,
        split: Split,
        classes: &[Class],
        dataset: &'static str,
    ) -> Result<Self, DatasetError> {
        require_imagenet(images, split)?;
        let position: HashMap<&str, usize> =
            classes.iter().enumerate().filter_map(|(i, c)| Some((c.wnid.as_deref()?, i))).collect();
        let mut entries = Vec::new();
        for mask in files.into_iter().filter(|f| is_picture(f)) {
            let name = mask.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some((wnid, file)) = split_mask_name(&name) else { continue };
            let Some(&class) = position.get(wnid) else {
                return Err(DatasetError::UnknownClass { path: mask, wnid: wnid.into(), dataset });
            };
            let id = format!("{}/{wnid}/{}", split.name(), stem(Path::new(file)));
            let (wnid, file) = (wnid.to_owned(), file.to_owned());
            entries.push(Entry { id, class, mask, wnid, file });
        }
        entries.sort_by(|a, b| (&a.id, &a.mask).cmp(&(&b.id, &b.mask)));
        for pair in entries.windows(2) {
            if pair[0].id == pair[1].id {
                let [first, second] = [&pair[0], &pair[1]].map(|e| e.mask.clone());
                return Err(DatasetError::Duplicate { id: pair[0].id.clone(), first, second });
            }
        }
        Ok(Self { entries, images: images.into(), split })
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
        let image = find_image(&self.images, self.split, wnid, file, mask)?;
        let (image, mask) = read_pair(&image, mask)?;
        Ok(Sample { id: id.clone(), image, mask, class: *class })
    }
}

use crate::checkup::skipped;
use crate::dataset::listed;
use crate::entry::{DatasetEntry, PathUse};
use crate::files::{Split, is_image, is_unread_mask};
use crate::store::{file_name, file_stem, join, readable};
use crate::{Class, Dataset, DatasetError, DatasetInfo, FileReading, ImageNet, Sample, SampleFacts, Store, wnids};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{NO_IMAGE, UNREAD_KIND};
use hard_imagenet_images::{Gray8, ImageFacts, Rgb8};
use std::path::Path;

/// The id of pixels that the annotators did not assign.
const IGNORED: usize = 1000;

const EXPECTED: &str = "a folder for each class (its WordNet id) with label maps <image>.png, as in the archives of ImageNet-S: \
                        ImageNetS50, ImageNetS300 or ImageNetS919";

pub(crate) const ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("the folder or an archive of ImageNetS50, ImageNetS300 or ImageNetS919"),
    images: PathUse::Optional("ImageNet, unless the images were copied to the folder of the masks"),
    has_splits: true,
    ..DatasetEntry::new("imagenet-s", "ImageNet-S: label maps of 50, 300 or 919 ImageNet classes", |options| {
        let (root, images) = (options.masks("imagenet-s")?, options.images_or_masks("imagenet-s")?);
        Ok(Box::new(ImageNetS::open(root, images, options.split)?.with_reading(&options.reading())))
    })
};

/// ImageNet-S (Gao et al. 2022): label maps for images of 50, 300 or 919 ImageNet classes.
///
/// | folder | contents |
/// |---|---|
/// | `ROOT/validation-segmentation/<wnid>/<image>.png` | label maps of validation images |
/// | `ROOT/train-semi-segmentation/<wnid>/<image>.png` | label maps of ten training images per class |
/// | `ROOT/{validation,train-semi}/<wnid>/<image>.JPEG` | the images, if the dataset's scripts copied them |
/// | `IMAGES` | otherwise ImageNet, in any layout that [`ImageNet`](crate::ImageNet) accepts |
///
/// ROOT may also be a zip or tar, which is read in place.
///
/// A label map is an RGB image of the same size as its image. Red + 256 · green is the id of the class: classes count
/// from 1 in the order of their WordNet ids, 0 is anything else, and 1000 was not assigned by the annotators. The mask
/// consists of the pixels of the sample's own class. The ids follow from the order of the class folders, so all of them
/// must exist.
///
/// ImageNet-S 919 merges five pairs of similar classes (sunglasses, n04356056, are part of n04355933, sunglass). The
/// class of a sample is that of its folder, also when a model with an ImageNet head is evaluated.
pub struct ImageNetS {
    info: DatasetInfo,
    samples: Vec<Entry>,
    root: Store,
    /// The folder of the copied images.
    copied: String,
    images: ImageNet,
    /// Label maps of kinds that are not read.
    unread: Vec<String>,
}

struct Entry {
    id: String,
    class: usize,
    map: String,
}

impl ImageNetS {
    /// Lists the label maps of one split in `root`, such as `ImageNetS919`. `images` is ImageNet, or `root` again if
    /// the images were copied there.
    ///
    /// # Errors
    /// Returns [`DatasetError::Folder`] if the folder of the images or of the label maps is missing, if there is no
    /// label map, or if a class folder is not named by a WordNet id of ImageNet.
    pub fn open(root: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let root = Store::open(root)?;
        let maps = format!("{}-segmentation", split_name(split));
        let fail = |name: &str, problem: &str| {
            Err(DatasetError::Folder { path: root.location(name), problem: problem.into(), expected: EXPECTED.into() })
        };
        let Some(top) = root.find_parent(&maps) else { return fail(&maps, "no such folder") };
        let maps = join(&top, &maps);
        let (mut classes, mut samples, mut unread) = (Vec::<Class>::new(), Vec::new(), Vec::new());
        for folder in root.folders(&maps)? {
            let wnid = file_name(&folder);
            let Some(class) = wnids::class(wnid) else {
                return fail(&folder, "this is not a WordNet id of ImageNet");
            };
            for map in root.files(&folder)? {
                if !is_image(&map) {
                    unread.extend(Some(map).filter(|name| is_unread_mask(name)));
                    continue;
                }
                let id = format!("{}/{wnid}/{}", split.name(), readable(file_stem(&map)));
                samples.push(Entry { id, class: classes.len(), map });
            }
            classes.push(class);
        }
        if samples.is_empty() {
            return fail(&maps, "there is no label map in this folder");
        }
        let info = DatasetInfo { name: format!("imagenet-s-{}", classes.len()), classes };
        let images = ImageNet::open(images, split)?;
        Ok(Self { info, samples, copied: join(&top, split_name(split)), root, images, unread })
    }

    /// Returns the name of the image of a label map in ImageNet, and where it would have been copied to.
    fn image_of(&self, map: &str, wnid: &str) -> (String, String) {
        let file = format!("{}.JPEG", file_stem(map));
        let copied = format!("{}/{wnid}/{file}", self.copied);
        (file, copied)
    }

    /// Returns the WordNet id of a sample.
    fn wnid(&self, entry: &Entry) -> &str {
        self.info.classes[entry.class].wnid.as_deref().unwrap_or_default()
    }

    /// Sets how images and masks are decoded. The values of label maps are those of the dataset in any case.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.images = self.images.with_orientation(reading.orientation);
        self.root = self.root.with_reading(reading.clone());
        self
    }

    /// Reads the image of a label map: the copied one if it exists, otherwise the one in ImageNet.
    fn read_image(&self, map: &str, wnid: &str) -> Result<(Rgb8, ImageFacts), DatasetError> {
        let (file, copied) = self.image_of(map, wnid);
        if self.root.has_file(&copied) {
            self.root.read_image_with_facts(&copied)
        } else {
            self.images.read_image_with_facts(wnid, &file)
        }
    }

    /// Reads a label map as a mask: pixels of one class become 255, all others 0.
    fn mask(&self, map: &str, class: usize, image: &Rgb8) -> Result<Gray8, DatasetError> {
        let fail = |problem| Err(DatasetError::Meta { path: self.root.location(map), problem });
        let Rgb8 { height, width, data } = self.root.read_image(map)?;
        if (height, width) != (image.height, image.width) {
            let (tall, wide) = (image.height, image.width);
            return fail(format!("this label map is {height} × {width}, but its image is {tall} × {wide}"));
        }
        let last = self.info.classes.len();
        let mut mask = Vec::with_capacity(height * width);
        for pixel in data.chunks_exact(3) {
            let id = usize::from(pixel[0]) + 256 * usize::from(pixel[1]);
            if id > last && id != IGNORED {
                return fail(format!(
                    "contains the id {id}, but there are only {last} class folders; ids follow from the order of the \
                     folders, so all classes of ImageNet-S 50, 300 or 919 must exist (a folder may be empty)"
                ));
            }
            mask.push(if id == class + 1 { 255 } else { 0 });
        }
        Ok(Gray8 { height, width, data: mask })
    }
}

/// Returns the name that ImageNet-S uses for a split.
fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train-semi",
        Split::Val => "validation",
    }
}

impl Dataset for ImageNetS {
    listed!();

    fn findings(&self) -> Vec<Finding> {
        let lacks_image = |entry: &&Entry| {
            let wnid = self.wnid(entry);
            let (file, copied) = self.image_of(&entry.map, wnid);
            !self.root.has_file(&copied) && matches!(self.images.find(wnid, &file), Ok(None))
        };
        let shown = |name: &String| self.root.location(name).display().to_string();
        let alone: Vec<String> = self.samples.iter().filter(lacks_image).map(|entry| shown(&entry.map)).collect();
        let unread: Vec<String> = self.unread.iter().map(shown).collect();
        let found = [NO_IMAGE.about(&alone).map(|finding| finding.of(self.len())), UNREAD_KIND.about(&unread)];
        found.into_iter().flatten().chain(skipped(&self.images, &self.root)).collect()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        let entry = &self.samples[i];
        let wnid = self.wnid(entry);
        let (file, copied) = self.image_of(&entry.map, wnid);
        let image =
            if self.root.has_file(&copied) { Some(self.root.stamp(&copied)) } else { self.images.stamp(wnid, &file) };
        let image = image.unwrap_or_else(|| format!("{file} missing"));
        // The id of the class depends on the other folders.
        Some(format!("{image}\n{} id {}", self.root.stamp(&entry.map), entry.class + 1))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, map } = &self.samples[i];
        let wnid = self.wnid(&self.samples[i]);
        let (image, facts) = self.read_image(map, wnid)?;
        let facts = SampleFacts { image: facts, ..SampleFacts::default() };
        let mask = self.mask(map, *class, &image)?;
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}

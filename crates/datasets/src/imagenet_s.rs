use crate::dataset::listed;
use crate::entry::{DatasetEntry, PathUse};
use crate::files::{Split, is_image};
use crate::store::{file_name, file_stem, join};
use crate::{Class, Dataset, DatasetError, DatasetInfo, ImageNet, Sample, Store, wnids};
use hard_imagenet_images::{Gray8, Rgb8};
use std::path::Path;

/// The id of pixels that the annotators left open.
const IGNORED: usize = 1000;

const GET_IT: &str = "a folder for each class (its WordNet id) with label maps <picture>.png, as the archives of \
                      ImageNet-S unpack: ImageNetS50, ImageNetS300 or ImageNetS919";

pub(crate) const ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("the folder or an archive of ImageNetS50, ImageNetS300 or ImageNetS919"),
    images: PathUse::Optional("ImageNet, unless the images were copied to the folder of the masks"),
    has_splits: true,
    ..DatasetEntry::new("imagenet-s", "ImageNet-S: label maps of 50, 300 or 919 ImageNet classes", |options| {
        let (root, images) = (options.masks("imagenet-s")?, options.images_or_masks("imagenet-s")?);
        Ok(Box::new(ImageNetS::open(root, images, options.split)?))
    })
};

/// ImageNet-S (Gao et al. 2022): label maps for pictures of 50, 300 or 919 ImageNet classes.
///
/// | folder | what |
/// |---|---|
/// | `ROOT/validation-segmentation/<wnid>/<picture>.png` | label maps of validation pictures |
/// | `ROOT/train-semi-segmentation/<wnid>/<picture>.png` | label maps of ten training pictures a class |
/// | `ROOT/{validation,train-semi}/<wnid>/<picture>.JPEG` | the pictures, where the dataset's scripts have copied them |
/// | `IMAGES` | else ImageNet, in any of the layouts of [`ImageNet`](crate::ImageNet) |
///
/// ROOT may be a zip or tar instead, which is read in place.
///
/// A label map is an RGB picture of its picture's size; red + 256 · green is the id of the class: classes count from 1
/// in the order of their WordNet ids, 0 is anything else, 1000 was left open by the annotators. The mask is the pixels
/// of the sample's own class. The order of the ids follows from the class folders, so all of them must be there.
///
/// ImageNet-S 919 merges five pairs of classes that look alike (sunglasses, n04356056, lie in n04355933, sunglass). A
/// sample's class is that of its folder, also when an ImageNet head is judged.
pub struct ImageNetS {
    info: DatasetInfo,
    samples: Vec<Entry>,
    root: Store,
    /// The folder of the pictures that were copied.
    copied: String,
    images: ImageNet,
}

struct Entry {
    id: String,
    class: usize,
    map: String,
}

impl ImageNetS {
    /// Lists the label maps of one split under `root`, such as `ImageNetS919`. `images` is ImageNet, or `root` again if
    /// the pictures were copied there.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] if the folder of the pictures or of the label maps is missing or holds none, or if a class folder is not
    /// named by a WordNet id of ImageNet.
    pub fn open(root: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let root = Store::open(root)?;
        let maps = format!("{}-segmentation", part(split));
        let fail = |name: &str, problem: &str| {
            Err(DatasetError::Folder { path: root.location(name), problem: problem.into(), expected: GET_IT.into() })
        };
        let Some(top) = root.find_parent(&maps) else { return fail(&maps, "no such folder") };
        let maps = join(&top, &maps);
        let (mut classes, mut samples) = (Vec::<Class>::new(), Vec::new());
        for folder in root.folders(&maps)? {
            let wnid = file_name(&folder);
            let Some(class) = wnids::class(wnid) else {
                return fail(&folder, "this is no WordNet id of ImageNet");
            };
            for map in root.files(&folder)?.into_iter().filter(|name| is_image(name)) {
                let id = format!("{}/{wnid}/{}", split.name(), file_stem(&map));
                samples.push(Entry { id, class: classes.len(), map });
            }
            classes.push(class);
        }
        if samples.is_empty() {
            return fail(&maps, "no label map in this folder");
        }
        let info = DatasetInfo { name: format!("imagenet-s-{}", classes.len()), classes };
        let images = ImageNet::open(images, split)?;
        Ok(Self { info, samples, copied: join(&top, part(split)), root, images })
    }

    /// The picture of a label map: beside it if it was copied there, else in ImageNet.
    fn read_image(&self, map: &str, wnid: &str) -> Result<Rgb8, DatasetError> {
        let file = format!("{}.JPEG", file_stem(map));
        let copied = format!("{}/{wnid}/{file}", self.copied);
        if self.root.has_file(&copied) { self.root.read_image(&copied) } else { self.images.read_image(wnid, &file) }
    }

    /// The pixels of one class, 255, all others 0.
    fn mask(&self, map: &str, class: usize, image: &Rgb8) -> Result<Gray8, DatasetError> {
        let fail = |problem| Err(DatasetError::Meta { path: self.root.location(map), problem });
        let Rgb8 { height, width, data } = self.root.read_image(map)?;
        if (height, width) != (image.height, image.width) {
            let (tall, wide) = (image.height, image.width);
            return fail(format!("this label map is {height} × {width}, its picture {tall} × {wide}"));
        }
        let last = self.info.classes.len();
        let mut mask = Vec::with_capacity(height * width);
        for pixel in data.chunks_exact(3) {
            let id = usize::from(pixel[0]) + 256 * usize::from(pixel[1]);
            if id > last && id != IGNORED {
                return fail(format!(
                    "holds the id {id}, but there are {last} class folders beside it; ids follow from the order of \
                     the folders, so all classes of ImageNet-S 50, 300 or 919 must be there (a folder may be empty)"
                ));
            }
            mask.push(if id == class + 1 { 255 } else { 0 });
        }
        Ok(Gray8 { height, width, data: mask })
    }
}

/// What ImageNet-S calls a split.
fn part(split: Split) -> &'static str {
    match split {
        Split::Train => "train-semi",
        Split::Val => "validation",
    }
}

impl Dataset for ImageNetS {
    listed!();

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, map } = &self.samples[i];
        let wnid = self.info.classes[*class].wnid.as_deref().unwrap_or_default();
        let image = self.read_image(map, wnid)?;
        let mask = self.mask(map, *class, &image)?;
        Ok(Sample { id: id.clone(), image, mask, class: *class })
    }
}

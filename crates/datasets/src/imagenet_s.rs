use crate::files::{Split, entries, find_image, is_picture, require_imagenet, stem};
use crate::{Class, Dataset, DatasetError, DatasetInfo, Sample, wnids};
use hard_imagenet_images::{Gray8, Rgb8, read_image};
use std::path::{Path, PathBuf};

/// The id of pixels that the annotators left open.
const IGNORED: usize = 1000;

const GET_IT: &str = "a folder for each class (its WordNet id) with label maps <picture>.png, as the archives of \
                      ImageNet-S unpack: ImageNetS50, ImageNetS300 or ImageNetS919";

/// ImageNet-S (Gao et al. 2022): label maps for pictures of 50, 300 or 919 ImageNet classes.
///
/// | folder | what |
/// |---|---|
/// | `ROOT/validation-segmentation/<wnid>/<picture>.png` | label maps of validation pictures |
/// | `ROOT/train-semi-segmentation/<wnid>/<picture>.png` | label maps of ten training pictures a class |
/// | `ROOT/{validation,train-semi}/<wnid>/<picture>.JPEG` | the pictures, where the dataset's scripts have copied them |
/// | `IMAGES/{val,train}/<wnid>/<picture>.JPEG` | else ImageNet, in any of the layouts of [`HardImageNet`](crate::HardImageNet) |
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
    split: Split,
    root: PathBuf,
    images: PathBuf,
}

struct Entry {
    id: String,
    class: usize,
    map: PathBuf,
}

impl ImageNetS {
    /// Lists the label maps of one split under `root`, such as `ImageNetS919`. `images` is ImageNet, or `root` again if
    /// the pictures were copied there.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] if the folder of the pictures or of the label maps is missing or holds none, or if a class folder is not
    /// named by a WordNet id of ImageNet.
    pub fn open(root: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let (root, images) = (root.as_ref(), images.as_ref());
        let maps = root.join(format!("{}-segmentation", part(split)));
        let fail = |path: &Path, problem: &str| {
            Err(DatasetError::Folder { path: path.into(), problem: problem.into(), expected: GET_IT.into() })
        };
        let (mut classes, mut samples) = (Vec::<Class>::new(), Vec::new());
        for folder in entries(&maps, GET_IT)?.into_iter().filter(|path| path.is_dir()) {
            let wnid = folder.file_name().unwrap_or_default().to_string_lossy();
            let Some(class) = wnids::class(&wnid) else {
                return fail(&folder, "this is no WordNet id of ImageNet");
            };
            for map in entries(&folder, GET_IT)?.into_iter().filter(|path| is_picture(path)) {
                let id = format!("{}/{wnid}/{}", split.name(), stem(&map));
                samples.push(Entry { id, class: classes.len(), map });
            }
            classes.push(class);
        }
        require_imagenet(images, split)?;
        if samples.is_empty() {
            return fail(&maps, "no label map in this folder");
        }
        let name = format!("imagenet-s-{}", classes.len());
        Ok(Self { info: DatasetInfo { name, classes }, samples, split, root: root.into(), images: images.into() })
    }

    /// The picture of a label map: beside it if it was copied there, else in ImageNet.
    fn picture(&self, map: &Path, wnid: &str) -> Result<PathBuf, DatasetError> {
        let file = format!("{}.JPEG", stem(map));
        let copied = self.root.join(part(self.split)).join(wnid).join(&file);
        if copied.is_file() {
            return Ok(copied);
        }
        find_image(&self.images, self.split, wnid, &file, map)
    }

    /// The pixels of one class, 255, all others 0.
    fn mask(&self, map: &Path, class: usize, image: &Rgb8) -> Result<Gray8, DatasetError> {
        let fail = |problem| Err(DatasetError::Meta { path: map.into(), problem });
        let Rgb8 { height, width, data } = read_image(map)?;
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
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.samples.len()
    }

    fn id(&self, i: usize) -> &str {
        &self.samples[i].id
    }

    fn class(&self, i: usize) -> usize {
        self.samples[i].class
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, map } = &self.samples[i];
        let wnid = self.info.classes[*class].wnid.as_deref().unwrap_or_default();
        let image = read_image(&self.picture(map, wnid)?)?;
        let mask = self.mask(map, *class, &image)?;
        Ok(Sample { id: id.clone(), image, mask, class: *class })
    }
}

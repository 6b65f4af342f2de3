mod file;
mod json;
mod locate;
mod segmentation;

use crate::dataset::listed;
use crate::entry::{DatasetEntry, DatasetOptions, PathUse};
use crate::store::stamp;
use crate::{Class, Dataset, DatasetError, DatasetInfo, FileReading, Sample, SampleFacts, Store, wnids};
use file::{Instances, Object};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{ANNOTATIONS, NO_IMAGE, NO_OBJECT, SKIPPED_OBJECT};
use hard_imagenet_images::{Gray8, Rgb8};
use hard_imagenet_masks::{Mask, Rect};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub(crate) const OBJECTS_ENTRY: DatasetEntry =
    entry("coco", "Each object of a COCO instance file, in a square around it", |options| {
        open("coco", options, CocoMode::OBJECTS)
    });

pub(crate) const IMAGES_ENTRY: DatasetEntry =
    entry("coco-images", "The images of a COCO instance file, each with the class of its largest object", |options| {
        open("coco-images", options, CocoMode::Images)
    });

const fn entry(
    word: &'static str,
    summary: &'static str,
    open: fn(&DatasetOptions) -> Result<Box<dyn Dataset>, DatasetError>,
) -> DatasetEntry {
    DatasetEntry {
        masks: PathUse::Required("the JSON file"),
        images: PathUse::Required("the folder or an archive of its images"),
        ..DatasetEntry::new(word, summary, open)
    }
}

fn open(word: &str, options: &DatasetOptions, mode: CocoMode) -> Result<Box<dyn Dataset>, DatasetError> {
    Ok(Box::new(Coco::open(options.masks(word)?, options.images(word)?, mode)?.with_reading(&options.reading())))
}

/// What a sample of a COCO file is, whose images show many objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CocoMode {
    /// Each object: a square around its center, with the mask of that object only. Crowds are skipped.
    Objects {
        /// Objects whose box has a shorter side are skipped, in pixels.
        min_side: f64,
        /// How far the square extends beyond the box on each side, in units of the box's longer side. A square that
        /// reaches beyond the image is moved inside, and cut if the image is smaller.
        margin: f64,
    },
    /// Whole images. The class is that of the largest object, and the mask contains all objects of that class,
    /// including crowds. The image may show objects of other classes; a classifier that predicts one of them is counted
    /// as wrong.
    Images,
}

impl CocoMode {
    /// Objects of at least 32 pixels per side, in squares that are half as large again.
    pub const OBJECTS: Self = Self::Objects { min_side: 32.0, margin: 0.25 };
}

/// The objects of any COCO instance file: COCO itself, LVIS, or the export of an annotation tool.
///
/// The file has the keys `images` (`id`, `file_name`), `annotations` (`id`, `image_id`, `category_id`, `segmentation`,
/// `bbox`, `area`, `iscrowd`) and `categories` (`id`, `name`). An image lies at its `file_name` in the folder of the
/// images; LVIS has no `file_name`, so the last part of `coco_url` is used instead. Segmentations are polygons or run
/// lengths, compressed or not, and become masks as in pycocotools.
///
/// Files are read as annotation tools write them: ids and numbers as text or floats, flags as booleans, `NaN`, sizes of -1,
/// a byte order mark. Without `bbox` or `area`, these follow from the segmentation. An annotation that cannot be used is
/// left out and named in the [`findings`](Dataset::findings), and so are images that are missing.
///
/// Classes are the categories in the order of their ids. Only categories that are named by a WordNet id have an
/// ImageNet index. Samples are sorted by image and then by annotation. Their ids are `coco/<image>/<annotation>` or
/// `coco/<image>`. An invalid segmentation and a missing image are errors of [`get`](Dataset::get).
pub struct Coco {
    info: DatasetInfo,
    file: PathBuf,
    images: Store,
    mode: CocoMode,
    samples: Vec<Entry>,
    findings: Vec<Finding>,
    /// The state of the file when it was read.
    stamp: String,
}

struct Entry {
    id: String,
    class: usize,
    image: file::Image,
    objects: Vec<Object>,
}

impl Coco {
    /// Reads a file such as `instances_val2017.json`. `images` is the folder, zip or tar of its images.
    ///
    /// # Errors
    /// Returns [`DatasetError::Meta`] if the file is not a COCO instance file, uses an id twice, or contains no object that
    /// can be used; [`DatasetError::Folder`] if none of its images exists; and [`DatasetError::Archive`] if the images
    /// cannot be opened.
    pub fn open(file: impl AsRef<Path>, images: impl AsRef<Path>, mode: CocoMode) -> Result<Self, DatasetError> {
        let (file, images) = (file.as_ref(), Store::open(images)?);
        let stamp = stamp(file);
        let Instances { categories, images: listed, unusable, annotations } = Instances::read(file)?;
        let (mut samples, mut skipped, mut without_object) = (Vec::new(), Vec::new(), Vec::new());
        for (image, objects) in listed {
            let before = samples.len();
            let file = image.file.clone();
            match mode {
                CocoMode::Objects { min_side, .. } => {
                    let wanted = |o: &Object| !o.crowd && o.size[0].min(o.size[1]) >= min_side;
                    let (wanted, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(wanted);
                    skipped.extend(others.iter().map(|object| format!("annotation {} of {file}", object.id)));
                    samples.extend(wanted.into_iter().map(|object| Entry {
                        id: format!("coco/{}/{}", image.name, object.id),
                        class: object.class,
                        image: image.clone(),
                        objects: vec![object],
                    }));
                }
                CocoMode::Images => {
                    let largest = objects.iter().filter(|o| !o.crowd).max_by(|a, b| a.area.total_cmp(&b.area));
                    if let Some(class) = largest.map(|object| object.class) {
                        let objects = objects.into_iter().filter(|o| o.class == class).collect();
                        samples.push(Entry { id: format!("coco/{}", image.name), class, image, objects });
                    }
                }
            }
            if samples.len() == before {
                without_object.push(file);
            }
        }
        if samples.is_empty() {
            let many = match skipped.len() {
                0 => String::new(),
                n => format!("; {n} are crowds or too small"),
            };
            let problem = format!("this file contains no object of sufficient size{many}");
            return Err(DatasetError::Meta { path: file.into(), problem });
        }
        let missing = locate_images(&images, &mut samples, file)?;
        let mut findings = Vec::new();
        findings.extend(ANNOTATIONS.about(&unusable).map(|finding| finding.of(annotations)));
        findings.extend(missing);
        findings.extend(SKIPPED_OBJECT.about(&skipped).map(|finding| finding.of(annotations)));
        findings.extend(NO_OBJECT.about(&without_object));
        let class = |name: String| wnids::class(&name).unwrap_or(Class { name, wnid: None, imagenet: None });
        let classes = categories.into_iter().map(class).collect();
        let name = if mode == CocoMode::Images { "coco-images" } else { "coco" };
        let info = DatasetInfo { name: name.into(), classes };
        Ok(Self { info, file: file.into(), images, mode, samples, findings, stamp })
    }

    /// Sets how images are decoded.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.images = self.images.with_reading(reading.clone());
        self
    }
}

/// Finds the files of all samples. Reports those that are missing.
fn locate_images(images: &Store, samples: &mut [Entry], file: &Path) -> Result<Option<Finding>, DatasetError> {
    // The samples of one image follow each other.
    let mut listed: Vec<file::Image> = samples.iter().map(|sample| sample.image.clone()).collect();
    listed.dedup_by(|a, b| a.file == b.file);
    let stated: Vec<String> = listed.iter().map(|image| image.file.clone()).collect();
    let missing = locate::locate(images, &mut listed.iter_mut().collect::<Vec<_>>());
    if missing.len() == listed.len() {
        let first = missing.first().cloned().unwrap_or_default();
        return Err(DatasetError::Folder {
            path: images.path().into(),
            problem: format!(
                "none of the {} images that {} names is here, such as {first}",
                listed.len(),
                file.display()
            ),
            expected: "the folder or archive in which the names of the file lie".into(),
        });
    }
    let found: HashMap<String, String> = stated.into_iter().zip(listed.into_iter().map(|image| image.file)).collect();
    for sample in samples {
        if let Some(file) = found.get(&sample.image.file) {
            sample.image.file.clone_from(file);
        }
    }
    let missing: Vec<String> = missing.iter().map(|name| images.location(name).display().to_string()).collect();
    let finding = NO_IMAGE.found().saying(format!("images that {} names and that are missing", file.display()));
    let remedy = "get these images, or use the folder in which the names of the file lie as the path of the images";
    Ok(finding.remedy(remedy).about(&missing))
}

impl Dataset for Coco {
    listed!();

    fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        Some(format!("{}\n{}", self.images.stamp(&self.samples[i].image.file), self.stamp))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, image: listed, objects } = &self.samples[i];
        let fail = |problem| DatasetError::Meta { path: self.file.clone(), problem };
        let (image, facts) = self.images.read_image_with_facts(&listed.file)?;
        let facts = SampleFacts { image: facts, ..SampleFacts::default() };
        let (height, width) = (image.height, image.width);
        if let Some((tall, wide)) = listed.size
            && (tall, wide) != (height, width)
        {
            let file = &listed.file;
            return Err(fail(format!("states that {file} has {tall} × {wide} pixels, but it has {height} × {width}")));
        }
        let mut mask = objects[0].rle(height, width).map_err(fail)?;
        for object in &objects[1..] {
            mask = mask.union(&object.rle(height, width).map_err(fail)?);
        }
        let (id, class) = (id.clone(), *class);
        let CocoMode::Objects { margin, .. } = self.mode else {
            return Ok(Sample { id, image, mask: gray(&mask.to_mask()), class, facts });
        };
        let Some(bounds) = mask.bounding_box() else {
            return Err(fail(format!("the segmentation of annotation {} has no pixels", objects[0].id)));
        };
        let square = square(bounds, margin, height, width);
        let image = Rgb8 { height: square.height(), width: square.width(), data: cut(&image.data, 3, width, square) };
        let mask = gray(&mask.to_mask());
        let mask = Gray8 { height: square.height(), width: square.width(), data: cut(&mask.data, 1, width, square) };
        Ok(Sample { id, image, mask, class, facts })
    }
}

/// Returns a square around a box within an image. The square extends beyond the box by `margin` times its longer side.
fn square(bounds: Rect, margin: f64, height: usize, width: usize) -> Rect {
    let longer = bounds.height().max(bounds.width());
    let side = ((longer as f64 * (1.0 + 2.0 * margin)).round() as usize).max(longer);
    let along = |from: usize, to: usize, length: usize| {
        let side = side.min(length);
        let start = ((from + to).saturating_sub(side) / 2).min(length - side);
        (start, start + side)
    };
    let (top, bottom) = along(bounds.top, bounds.bottom, height);
    let (left, right) = along(bounds.left, bounds.right, width);
    Rect { top, left, bottom, right }
}

/// Cuts a part out of an image with `channels` values per pixel.
fn cut(data: &[u8], channels: usize, width: usize, part: Rect) -> Vec<u8> {
    let rows = data.chunks_exact(width * channels).take(part.bottom).skip(part.top);
    rows.flat_map(|row| &row[part.left * channels..part.right * channels]).copied().collect()
}

/// Converts object pixels to 255.
fn gray(mask: &Mask) -> Gray8 {
    Gray8 {
        height: mask.height(),
        width: mask.width(),
        data: mask.as_slice().iter().map(|&object| object * 255).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_stay_inside_the_image() {
        // Boxes and squares are (top, left, bottom, right) in an image of 20 × 30.
        let check = |(top, left, bottom, right), margin, expected| {
            let found = square(Rect { top, left, bottom, right }, margin, 20, 30);
            assert_eq!((found.top, found.left, found.bottom, found.right), expected);
        };
        check((8, 10, 12, 14), 0.0, (8, 10, 12, 14));
        check((8, 10, 12, 14), 0.25, (7, 9, 13, 15));
        check((8, 10, 10, 14), 0.0, (7, 10, 11, 14)); // a wide box: square around its middle
        check((0, 0, 4, 4), 0.5, (0, 0, 8, 8)); // moved in
        check((16, 26, 20, 30), 0.5, (12, 22, 20, 30));
        check((0, 0, 20, 30), 0.5, (0, 0, 20, 30)); // larger than the image
        check((0, 5, 2, 27), 0.0, (0, 5, 20, 27));
        check((8, 10, 12, 14), f64::NAN, (8, 10, 12, 14));
        check((8, 10, 12, 14), f64::INFINITY, (0, 0, 20, 30));
        check((8, 10, 12, 14), -3.0, (8, 10, 12, 14));
    }
}

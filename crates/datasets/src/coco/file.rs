//! The JSON of COCO instance files.
//!
//! Such files have hundreds of megabytes, so unused keys are skipped while reading, and segmentations stay text until
//! they are needed.

use crate::DatasetError;
use hard_imagenet_masks::{CocoRle, Rle};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A file whose references are checked.
pub(super) struct Instances {
    /// The names of the categories, in the order of their ids.
    pub(super) categories: Vec<String>,
    /// The images in the order of their names, each with its objects in the order of their ids.
    pub(super) images: Vec<(Image, Vec<Object>)>,
}

#[derive(Clone)]
pub(super) struct Image {
    /// The name within the store of the images.
    pub(super) file: String,
    /// The same name without its extension.
    pub(super) name: String,
    /// The (height, width), if the file states it.
    pub(super) size: Option<(usize, usize)>,
}

pub(super) struct Object {
    pub(super) id: u64,
    pub(super) class: usize,
    /// The width and height of the box, in pixels.
    pub(super) size: [f64; 2],
    pub(super) area: f64,
    pub(super) crowd: bool,
    segmentation: Box<RawValue>,
}

#[derive(Deserialize)]
struct Json {
    images: Vec<JsonImage>,
    annotations: Vec<JsonAnnotation>,
    categories: Vec<JsonCategory>,
}

#[derive(Deserialize)]
struct JsonImage {
    id: u64,
    file_name: Option<String>,
    coco_url: Option<String>,
    height: Option<usize>,
    width: Option<usize>,
}

#[derive(Deserialize)]
struct JsonCategory {
    id: u64,
    name: String,
}

/// Any key may be missing, so that the error can name the annotation.
#[derive(Deserialize)]
struct JsonAnnotation {
    id: Option<u64>,
    image_id: Option<u64>,
    category_id: Option<u64>,
    segmentation: Option<Box<RawValue>>,
    bbox: Option<[f64; 4]>,
    area: Option<f64>,
    #[serde(default)]
    iscrowd: u8,
}

impl Instances {
    pub(super) fn read(path: &Path) -> Result<Self, DatasetError> {
        let fail = |problem| DatasetError::Meta { path: path.into(), problem };
        let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        let json =
            serde_json::from_slice(&bytes).map_err(|error| fail(format!("is not a COCO instance file ({error})")))?;
        Self::from_json(json).map_err(fail)
    }

    fn from_json(json: Json) -> Result<Self, String> {
        let mut categories = BTreeMap::new();
        for JsonCategory { id, name } in json.categories {
            if categories.insert(id, name).is_some() {
                return Err(format!("has the category {id} twice"));
            }
        }
        let class: HashMap<u64, usize> = categories.keys().enumerate().map(|(class, &id)| (id, class)).collect();

        let mut images = HashMap::new();
        let mut names = HashMap::new();
        for image in json.images {
            let (id, image) = (image.id, image.into_image()?);
            if let Some(other) = names.insert(image.name.clone(), id) {
                return Err(format!("images {other} and {id} are the same file {}", image.name));
            }
            if images.insert(id, (image, BTreeMap::new())).is_some() {
                return Err(format!("has the image {id} twice"));
            }
        }
        for (number, annotation) in json.annotations.into_iter().enumerate() {
            let id = annotation.id.ok_or_else(|| format!("annotation number {number} (from 0) has no \"id\""))?;
            let missing = |key: &str| format!("annotation {id} has no \"{key}\"");
            let image = annotation.image_id.ok_or_else(|| missing("image_id"))?;
            let category = annotation.category_id.ok_or_else(|| missing("category_id"))?;
            let [_, _, width, height] = annotation.bbox.ok_or_else(|| missing("bbox"))?;
            let object = Object {
                id,
                class: *class
                    .get(&category)
                    .ok_or_else(|| format!("annotation {id} refers to the unknown category {category}"))?,
                size: [width, height],
                area: annotation.area.ok_or_else(|| missing("area"))?,
                crowd: annotation.iscrowd != 0,
                segmentation: annotation.segmentation.ok_or_else(|| missing("segmentation"))?,
            };
            let (_, objects) =
                images.get_mut(&image).ok_or_else(|| format!("annotation {id} refers to the unknown image {image}"))?;
            if objects.insert(id, object).is_some() {
                return Err(format!("has the annotation {id} twice"));
            }
        }
        let mut images: Vec<(Image, Vec<Object>)> =
            images.into_values().map(|(image, objects)| (image, objects.into_values().collect())).collect();
        images.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        Ok(Self { categories: categories.into_values().collect(), images })
    }
}

impl JsonImage {
    fn into_image(self) -> Result<Image, String> {
        let from_url = || Some(self.coco_url.as_deref()?.rsplit('/').next()?.to_owned());
        let stated = self.file_name.clone().or_else(from_url).unwrap_or_default();
        let parts: Vec<&str> = stated.split('/').filter(|&part| part != ".").collect();
        if parts.iter().any(|&part| part.is_empty() || part == ".." || part.contains(['\\', ':'])) || parts.is_empty() {
            return Err(format!("image {}: \"file_name\" must be a path within the folder, got \"{stated}\"", self.id));
        }
        let file = parts.join("/");
        let folder = file.len() - parts[parts.len() - 1].len();
        let dot = file[folder..].rfind('.').map_or(file.len(), |dot| folder + dot);
        let name = file[..dot].to_owned();
        Ok(Image { file, name, size: self.height.zip(self.width) })
    }
}

impl Object {
    /// Returns the mask of the object in an image of `height × width`.
    ///
    /// # Errors
    /// Returns what is wrong with the annotation.
    pub(super) fn rle(&self, height: usize, width: usize) -> Result<Rle, String> {
        let fail = |problem: &dyn std::fmt::Display| format!("annotation {}, segmentation: {problem}", self.id);
        let text = self.segmentation.get();
        if !text.starts_with('{') {
            let polygons: Vec<Vec<f64>> = serde_json::from_str(text)
                .map_err(|error| fail(&format!("expected polygons [[x, y, ..], ..] or run lengths ({error})")))?;
            if polygons.is_empty() {
                return Err(fail(&"it has no polygon"));
            }
            let corners: Vec<&[[f64; 2]]> = polygons.iter().map(|flat| flat.as_chunks().0).collect();
            if polygons.iter().any(|flat| flat.len() % 2 == 1) {
                return Err(fail(&"a polygon has an odd number of coordinates"));
            }
            return Rle::from_polygons(height, width, &corners).map_err(|error| fail(&error));
        }
        let runs: CocoRle = serde_json::from_str(text).map_err(|error| {
            fail(&format!("expected run lengths {{\"size\": [height, width], \"counts\": ..}} ({error})"))
        })?;
        if runs.size != [height, width] {
            let [tall, wide] = runs.size;
            return Err(fail(&format!("its size is {tall} × {wide}, but the image has {height} × {width} pixels")));
        }
        Rle::try_from(runs).map_err(|error| fail(&error))
    }
}

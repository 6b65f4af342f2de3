//! The JSON of COCO instance files. What is of no use here is skipped while reading, and segmentations stay text until
//! they are asked for: such files have hundreds of megabytes.

use crate::DatasetError;
use hard_imagenet_masks::Rle;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A file, checked and put in order.
pub(super) struct Instances {
    /// Names of the categories, by id.
    pub(super) categories: Vec<String>,
    /// Pictures by name, with their objects by id.
    pub(super) pictures: Vec<(Picture, Vec<Object>)>,
}

#[derive(Clone)]
pub(super) struct Picture {
    /// Name within the store of the pictures.
    pub(super) file: String,
    /// The same without extension.
    pub(super) name: String,
    /// (height, width), where told.
    pub(super) size: Option<(usize, usize)>,
}

pub(super) struct Object {
    pub(super) id: u64,
    pub(super) class: usize,
    /// Width and height of its box, in pixels.
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

/// All keys may be missing, so that an error can name the annotation.
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
            serde_json::from_slice(&bytes).map_err(|error| fail(format!("is no COCO instance file ({error})")))?;
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

        let mut pictures = HashMap::new();
        let mut names = HashMap::new();
        for image in json.images {
            let (id, picture) = (image.id, image.into_image()?);
            if let Some(other) = names.insert(picture.name.clone(), id) {
                return Err(format!("images {other} and {id} are the same picture {}", picture.name));
            }
            if pictures.insert(id, (picture, BTreeMap::new())).is_some() {
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
                    .ok_or_else(|| format!("annotation {id} is of no category ({category})"))?,
                size: [width, height],
                area: annotation.area.ok_or_else(|| missing("area"))?,
                crowd: annotation.iscrowd != 0,
                segmentation: annotation.segmentation.ok_or_else(|| missing("segmentation"))?,
            };
            let (_, objects) =
                pictures.get_mut(&image).ok_or_else(|| format!("annotation {id} is of no image ({image})"))?;
            if objects.insert(id, object).is_some() {
                return Err(format!("has the annotation {id} twice"));
            }
        }
        let mut pictures: Vec<(Picture, Vec<Object>)> =
            pictures.into_values().map(|(picture, objects)| (picture, objects.into_values().collect())).collect();
        pictures.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        Ok(Self { categories: categories.into_values().collect(), pictures })
    }
}

impl JsonImage {
    fn into_image(self) -> Result<Picture, String> {
        let from_url = || Some(self.coco_url.as_deref()?.rsplit('/').next()?.to_owned());
        let told = self.file_name.clone().or_else(from_url).unwrap_or_default();
        let parts: Vec<&str> = told.split('/').filter(|&part| part != ".").collect();
        if parts.iter().any(|&part| part.is_empty() || part == ".." || part.contains(['\\', ':'])) || parts.is_empty() {
            return Err(format!("image {}: \"file_name\" must be a path within the folder, got \"{told}\"", self.id));
        }
        let file = parts.join("/");
        let folder = file.len() - parts[parts.len() - 1].len();
        let dot = file[folder..].rfind('.').map_or(file.len(), |dot| folder + dot);
        let name = file[..dot].to_owned();
        Ok(Picture { file, name, size: self.height.zip(self.width) })
    }
}

#[derive(Deserialize)]
struct Runs {
    /// Height, width.
    size: [usize; 2],
    counts: Counts,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Compressed(String),
    Lengths(Vec<u32>),
}

impl Object {
    /// Its mask in a picture of `height × width`.
    ///
    /// # Errors
    /// What is wrong with the annotation, in words.
    pub(super) fn rle(&self, height: usize, width: usize) -> Result<Rle, String> {
        let fail = |problem: &dyn std::fmt::Display| format!("annotation {}, segmentation: {problem}", self.id);
        let text = self.segmentation.get();
        if !text.starts_with('{') {
            let polygons: Vec<Vec<f64>> = serde_json::from_str(text)
                .map_err(|error| fail(&format!("neither polygons [[x, y, ..], ..] nor run lengths ({error})")))?;
            if polygons.is_empty() {
                return Err(fail(&"holds no polygon"));
            }
            let corners: Vec<&[[f64; 2]]> = polygons.iter().map(|flat| flat.as_chunks().0).collect();
            if polygons.iter().any(|flat| flat.len() % 2 == 1) {
                return Err(fail(&"a polygon of an odd number of coordinates"));
            }
            return Rle::from_polygons(height, width, &corners).map_err(|error| fail(&error));
        }
        let Runs { size, counts } = serde_json::from_str(text).map_err(|error| {
            fail(&format!("run lengths are {{\"size\": [height, width], \"counts\": ..}} ({error})"))
        })?;
        if size != [height, width] {
            return Err(fail(&format!("is {} × {}, its picture {height} × {width}", size[0], size[1])));
        }
        match counts {
            Counts::Compressed(text) => Rle::from_compressed(height, width, &text),
            Counts::Lengths(lengths) => Rle::from_counts(height, width, &lengths),
        }
        .map_err(|error| fail(&error))
    }
}

//! The JSON of COCO instance files.
//!
//! Such files have hundreds of megabytes, so unused keys are skipped while reading, and segmentations stay text until
//! they are needed. Fields are read as leniently as pycocotools does, which does not look at their types.

use super::json::{self, Id};
use super::segmentation::Segmentation;
use crate::DatasetError;
use crate::store::{has_drive, missing, normal};
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use hard_imagenet_masks::Rle;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A file whose references are checked.
pub(super) struct Instances {
    /// The names of the categories, in the order of their ids.
    pub(super) categories: Vec<String>,
    /// The images in the order of their names, each with its objects in the order of their ids.
    pub(super) images: Vec<(Image, Vec<Object>)>,
    /// Why annotations are left out, one text for each.
    pub(super) unusable: Vec<String>,
    /// The number of annotations in the file.
    pub(super) annotations: usize,
}

#[derive(Clone)]
pub(super) struct Image {
    /// The name within the store of the images.
    pub(super) file: String,
    /// The name as stated, without its extension, in one normal form.
    pub(super) name: String,
    /// The (height, width), if the file states it.
    pub(super) size: Option<(usize, usize)>,
}

pub(super) struct Object {
    pub(super) id: Id,
    pub(super) class: usize,
    /// The width and height of the box, in pixels.
    pub(super) size: [f64; 2],
    pub(super) area: f64,
    pub(super) crowd: bool,
    segmentation: Box<RawValue>,
}

/// A value whose type is checked later, so that the error can name its place; `None` if it is missing or null.
type Field<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow)]
    images: Field<'a>,
    #[serde(borrow)]
    annotations: Field<'a>,
    #[serde(borrow)]
    categories: Field<'a>,
}

#[derive(Deserialize)]
struct JsonImage<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    file_name: Field<'a>,
    #[serde(borrow)]
    coco_url: Field<'a>,
    #[serde(borrow)]
    height: Field<'a>,
    #[serde(borrow)]
    width: Field<'a>,
}

#[derive(Deserialize)]
struct JsonCategory<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    name: Field<'a>,
}

#[derive(Deserialize)]
struct JsonAnnotation<'a> {
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    image_id: Field<'a>,
    #[serde(borrow)]
    category_id: Field<'a>,
    #[serde(borrow)]
    segmentation: Field<'a>,
    #[serde(borrow)]
    bbox: Field<'a>,
    #[serde(borrow)]
    area: Field<'a>,
    #[serde(borrow)]
    iscrowd: Field<'a>,
}

/// The images by their ids, each with its objects by their ids.
type ObjectsByImage = HashMap<Id, (Image, BTreeMap<Id, Object>)>;

impl Instances {
    pub(super) fn read(path: &Path) -> Result<Self, DatasetError> {
        let fail = |problem| DatasetError::Meta { path: path.into(), problem };
        let text = read_text(path).map_err(fail)?;
        Self::parse(&text).map_err(fail)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let json = parse_top(text)?;
        let categories = parse_categories(list(json.categories, "categories")?)?;
        let class: HashMap<&Id, usize> = categories.keys().enumerate().map(|(class, id)| (id, class)).collect();
        let mut images = parse_images(list(json.images, "images")?)?;
        let listed = list(json.annotations, "annotations")?;
        let annotations = listed.len();
        let mut unusable = Vec::new();
        for (number, raw) in listed.into_iter().enumerate() {
            let (image, object) = match parse_annotation(number, raw, &class) {
                Ok(found) => found,
                Err(reason) => {
                    unusable.push(reason);
                    continue;
                }
            };
            let Some((_, objects)) = images.get_mut(&image) else {
                unusable.push(format!("annotation {} refers to the unknown image {image}", object.id));
                continue;
            };
            let id = object.id.clone();
            if objects.insert(id.clone(), object).is_some() {
                return Err(format!("has the annotation {id} twice"));
            }
        }
        if let Some(first) = unusable.first().filter(|_| unusable.len() == annotations) {
            return Err(format!("none of its {annotations} annotations can be used: {first}"));
        }
        let mut images: Vec<(Image, Vec<Object>)> =
            images.into_values().map(|(image, objects)| (image, objects.into_values().collect())).collect();
        images.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        Ok(Self { categories: categories.into_values().collect(), images, unusable, annotations })
    }
}

/// Reads the text of the file.
fn read_text(path: &Path) -> Result<String, String> {
    if path.as_os_str().is_empty() {
        return Err("the path of the JSON file is empty".into());
    }
    let metadata = std::fs::metadata(path).map_err(|error| missing(path, &error))?;
    if metadata.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let inside = entries.filter(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))).min();
        let hint = inside.map(|file| format!(", such as {}", file.display())).unwrap_or_default();
        return Err(format!("is a folder; expected the JSON file of the annotations{hint}"));
    }
    if !metadata.is_file() {
        return Err("is not a file; expected the JSON file of the annotations".into());
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({error})"))?;
    let archive = [b"PK\x03\x04".as_slice(), b"\x1f\x8b"].iter().any(|magic| bytes.starts_with(magic));
    match () {
        () if is_lfs_pointer(&bytes) => Err(LFS_POINTER.into()),
        () if bytes.is_empty() => Err("is an empty file; get it again".into()),
        () if archive => Err("is an archive; unpack it and use the JSON file in it".into()),
        () => json::decode(bytes),
    }
}

fn parse_top(text: &str) -> Result<Json<'_>, String> {
    if text.trim_start().starts_with('[') {
        return Err("is not a COCO instance file: it is a list, as of results; expected an object with \"images\", \
                    \"annotations\" and \"categories\""
            .into());
    }
    serde_json::from_str(text).map_err(|error| {
        let hint = if error.is_eof() { "; it ends too early, get it again" } else { "" };
        format!("is not a COCO instance file: not a JSON object ({error}){hint}")
    })
}

/// Returns the values of a list of the file.
fn list<'a>(field: Field<'a>, key: &str) -> Result<Vec<&'a RawValue>, String> {
    let raw = field.ok_or_else(|| {
        format!(
            "is not a COCO instance file: it has no \"{key}\"; expected an object with \"images\", \"annotations\" and \
             \"categories\""
        )
    })?;
    serde_json::from_str(raw.get())
        .map_err(|_| format!("is not a COCO instance file: its \"{key}\" is {}, expected a list", json::shown(raw)))
}

/// Parses an object of a list; `what` is "image" or "annotation".
fn object<'a, T: Deserialize<'a>>(what: &str, number: usize, raw: &'a RawValue) -> Result<T, String> {
    let place = format!("{what} number {number} (from 0)");
    if !raw.get().starts_with('{') {
        return Err(format!("{place} is {}, expected an object", json::shown(raw)));
    }
    serde_json::from_str(raw.get()).map_err(|error| format!("{place} cannot be read ({error})"))
}

/// Reads a field that must be there; `who` is "annotation 7".
fn field<T>(
    who: &str,
    key: &str,
    raw: Field<'_>,
    read: fn(&RawValue) -> Option<T>,
    expected: &str,
) -> Result<T, String> {
    let raw = raw.ok_or_else(|| format!("{who} has no \"{key}\""))?;
    read(raw).ok_or_else(|| wrong(who, key, raw, expected))
}

fn wrong(who: &str, key: &str, raw: &RawValue, expected: &str) -> String {
    format!("{who}: its field \"{key}\" is {}, expected {expected}", json::shown(raw))
}

const ID: &str = "a whole number or a text";

fn parse_categories(list: Vec<&RawValue>) -> Result<BTreeMap<Id, String>, String> {
    let mut categories = BTreeMap::new();
    for (number, raw) in list.into_iter().enumerate() {
        let category: JsonCategory<'_> = object("category", number, raw)?;
        let id = field(&format!("category number {number} (from 0)"), "id", category.id, json::id, ID)?;
        let name = field(&format!("category {id}"), "name", category.name, json::text, "a text")?;
        if categories.insert(id.clone(), name).is_some() {
            return Err(format!("has the category {id} twice"));
        }
    }
    Ok(categories)
}

fn parse_images(list: Vec<&RawValue>) -> Result<ObjectsByImage, String> {
    let (mut images, mut names) = (HashMap::new(), HashMap::new());
    for (number, raw) in list.into_iter().enumerate() {
        let image: JsonImage<'_> = object("image", number, raw)?;
        let id = field(&format!("image number {number} (from 0)"), "id", image.id, json::id, ID)?;
        let image = image.into_image(&id)?;
        if let Some(other) = names.insert(image.name.clone(), id.clone()) {
            return Err(match other == id {
                true => format!("has the image {id} twice"),
                false => format!("images {other} and {id} are the same file {}", image.name),
            });
        }
        if images.insert(id.clone(), (image, BTreeMap::new())).is_some() {
            return Err(format!("has the image {id} twice"));
        }
    }
    Ok(images)
}

/// Reads an annotation. Returns the id of its image, or why it cannot be used.
fn parse_annotation(number: usize, raw: &RawValue, classes: &HashMap<&Id, usize>) -> Result<(Id, Object), String> {
    let json: JsonAnnotation<'_> = object("annotation", number, raw)?;
    let id = field(&format!("annotation number {number} (from 0)"), "id", json.id, json::id, ID)?;
    let who = format!("annotation {id}");
    let image = field(&who, "image_id", json.image_id, json::id, ID)?;
    let category = field(&who, "category_id", json.category_id, json::id, ID)?;
    let class = *classes.get(&category).ok_or_else(|| format!("{who} refers to the unknown category {category}"))?;
    let crowd = match json.iscrowd {
        Some(raw) => json::flag(raw).ok_or_else(|| wrong(&who, "iscrowd", raw, "0 or 1"))?,
        None => false,
    };
    let segmentation = json.segmentation.ok_or_else(|| format!("{who} has no \"segmentation\""))?;
    if Segmentation::is_empty(segmentation.get()) {
        return Err(format!("{who}: its \"segmentation\" is empty"));
    }
    let (stated_size, stated_area) = (json.bbox.and_then(box_size), json.area.and_then(positive));
    let (size, area) = match (stated_size, stated_area) {
        (Some(size), Some(area)) => (size, area),
        _ => {
            let measured = Segmentation::parse(segmentation.get());
            let measured = measured.and_then(|outline| outline.measure().ok_or_else(|| "it has no pixels".into()));
            match (stated_size, measured) {
                (Some(size), Ok((_, area))) => (size, area),
                // What is wrong with the segmentation is the error of the sample.
                (Some(size), Err(_)) => (size, size[0] * size[1]),
                (None, Ok((size, area))) => (size, stated_area.unwrap_or(area)),
                (None, Err(problem)) => return Err(format!("{who}, segmentation: {problem}")),
            }
        }
    };
    Ok((image, Object { id, class, size, area, crowd, segmentation: segmentation.to_owned() }))
}

/// Returns width and height of a box [x, y, width, height]; `None` if it is not one.
fn box_size(raw: &RawValue) -> Option<[f64; 2]> {
    let values: Vec<Value> = serde_json::from_str(raw.get()).ok()?;
    let numbers: Vec<f64> = values.iter().map(json::number).collect::<Option<_>>()?;
    match numbers.as_slice() {
        &[_, _, width, height] if width > 0.0 && height > 0.0 => Some([width, height]),
        _ => None,
    }
}

fn positive(raw: &RawValue) -> Option<f64> {
    json::number(&json::scalar(raw)?).filter(|number| *number > 0.0)
}

impl JsonImage<'_> {
    fn into_image(self, id: &Id) -> Result<Image, String> {
        let from_url = || Some(json::text(self.coco_url?)?.rsplit('/').next()?.to_owned());
        let stated = self.file_name.and_then(json::text).or_else(from_url);
        let stated = stated.ok_or_else(|| format!("image {id} has no \"file_name\""))?;
        // Tools on Windows write backslashes.
        let slashed = stated.replace('\\', "/");
        let parts: Vec<&str> = slashed.split('/').filter(|&part| part != ".").collect();
        let is_inside = |part: &&str| !matches!(*part, "" | "..") && !has_drive(part) && !part.contains('\0');
        if parts.is_empty() || !parts.iter().all(is_inside) || (cfg!(windows) && slashed.contains(':')) {
            return Err(format!("image {id}: \"file_name\" must be a path within the folder, got \"{stated}\""));
        }
        let file = parts.join("/");
        let folder = file.len() - parts[parts.len() - 1].len();
        let dot = file[folder..].rfind('.').map_or(file.len(), |dot| folder + dot);
        let name = normal(&file[..dot]).into_owned();
        // Some tools write -1 for a size that they do not know.
        let side = |raw: Field<'_>| json::size(&json::scalar(raw?)?).filter(|side| *side > 0);
        Ok(Image { size: side(self.height).zip(side(self.width)), file, name })
    }
}

impl Object {
    /// Returns the mask of the object in an image of `height × width`.
    ///
    /// # Errors
    /// Returns what is wrong with the annotation.
    pub(super) fn rle(&self, height: usize, width: usize) -> Result<Rle, String> {
        let outline = Segmentation::parse(self.segmentation.get());
        outline
            .and_then(|outline| outline.to_rle(height, width))
            .map_err(|problem| format!("annotation {}, segmentation: {problem}", self.id))
    }
}

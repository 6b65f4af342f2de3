//! Descriptions of models next to their weights: timm's `config.json`, transformers' `config.json` and
//! `preprocessor_config.json`, or a file with some of their fields.

use super::class_names;
use super::file_names::HUB_FILE_NAMES;
use crate::model_name::without_tag;
use crate::preprocessing_options::LARGEST_SIDE;
use crate::{ModelError, ModelSpec, PreprocessingOptions};
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use hard_imagenet_images::{CropMode, Filter, Preprocessing, Resize};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The fields that are understood. Those of the first line are timm's, which has some of them in `pretrained_cfg`; those of the
/// others are transformers'.
const FIELDS: [&str; 32] = [
    "architecture",
    "num_classes",
    "pretrained_cfg",
    "default_cfg",
    "input_size",
    "img_size",
    "mean",
    "std",
    "interpolation",
    "crop_pct",
    "crop_mode",
    "label_names",
    "class_names",
    "architectures",
    "model_type",
    "id2label",
    "label2id",
    "image_size",
    "image_mean",
    "image_std",
    "size",
    "crop_size",
    "resample",
    "do_resize",
    "do_center_crop",
    "do_normalize",
    "do_rescale",
    "rescale_factor",
    "image_processor_type",
    "feature_extractor_type",
    "include_top",
    "rescale_offset",
];

/// The fields with names of classes; the first that is there counts.
const NAMES: [&str; 4] = ["label_names", "class_names", "id2label", "label2id"];

/// The statements of such files about a model.
pub(crate) struct Config {
    /// The files, most important first.
    files: Vec<(PathBuf, Map<String, Value>)>,
}

/// What a description states about the preprocessing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statement {
    pub(super) options: PreprocessingOptions,
    /// The resize, where transformers states it apart from the size of the input.
    resize: Option<Resize>,
}

impl Statement {
    /// Completes the statement by `known`.
    fn apply(&self, known: Preprocessing) -> Result<Preprocessing, (&'static str, String)> {
        let changed = self.options.changed(known)?;
        Ok(Preprocessing { resize: self.resize.unwrap_or(changed.resize), ..changed })
    }
}

impl Config {
    /// Reads the `config.json` next to a weights file that has one of the hub's names. Returns `None` for other names, and if
    /// there is no such file.
    pub(crate) fn beside(weights: &Path) -> Result<Option<Self>, ModelError> {
        let has_hub_name = weights.file_name().is_some_and(|name| HUB_FILE_NAMES.iter().any(|known| name == *known));
        if has_hub_name { Self::read(&[weights.with_file_name("config.json")]) } else { Ok(None) }
    }

    /// Reads the description of an ONNX file: the file of its name with the extension `json`, or the files of a repository of
    /// transformers or timm in its folder. Returns `None` if there is none of them.
    pub(crate) fn beside_onnx(path: &Path) -> Result<Option<Self>, ModelError> {
        let own = Self::read(&[path.with_extension("json")])?;
        if own.is_some() {
            return Ok(own);
        }
        Self::read(&["config.json", "preprocessor_config.json"].map(|name| path.with_file_name(name)))
    }

    /// Reads those of the files that exist.
    fn read(paths: &[PathBuf]) -> Result<Option<Self>, ModelError> {
        let mut files = Vec::new();
        for path in paths.iter().filter(|path| path.is_file()) {
            let text = std::fs::read(path).map_err(|source| ModelError::Read { path: path.clone(), source })?;
            let fail = |message: String| ModelError::Config { path: path.clone(), message };
            if is_lfs_pointer(&text) {
                return Err(fail(format!("it {LFS_POINTER}")));
            }
            let values: Map<String, Value> = serde_json::from_slice(&text).map_err(|error| fail(error.to_string()))?;
            for group in ["pretrained_cfg", "default_cfg"] {
                if let Some(other) = values.get(group).filter(|inner| !inner.is_object() && !inner.is_null()) {
                    return Err(fail(format!("its field {group:?} is {other} instead of an object")));
                }
            }
            if !FIELDS.iter().any(|field| values.get(*field).is_some_and(|value| !value.is_null())) {
                return Err(fail(format!("it has none of the fields that are understood, {}", FIELDS.join(", "))));
            }
            files.push((path.clone(), values));
        }
        Ok(Some(Self { files }).filter(|config| !config.files.is_empty()))
    }

    /// Changes a description of the zoo to what the file states.
    ///
    /// # Errors
    /// Returns [`ModelError::Config`] with the field's name for another architecture or head, and for an impossible
    /// value.
    pub(crate) fn apply(&self, spec: &mut ModelSpec) -> Result<(), ModelError> {
        let architecture: Option<String> = self.field("architecture")?;
        if let Some(architecture) = architecture.filter(|name| without_tag(name) != without_tag(&spec.name)) {
            return Err(self.wrong("architecture", format!("is {architecture:?}; load that model instead")));
        }
        self.check_classes(spec.classes, "the head in the weights file has")?;
        spec.preprocess = self.preprocess(&self.statement()?, spec.preprocess)?;
        spec.class_names = self.class_names(spec.classes)?;
        Ok(())
    }

    /// Checks the number of classes. `has` is the subject of the sentence that names the right number.
    pub(super) fn check_classes(&self, classes: usize, has: &str) -> Result<(), ModelError> {
        match self.field::<usize>("num_classes")? {
            Some(stated) if stated != classes => {
                let rows = if has.starts_with("the head") { "rows" } else { "logits" };
                Err(self.wrong("num_classes", format!("is {stated}, but {has} {classes} {rows}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns the names of the classes in the order of the logits, if the file states them.
    ///
    /// # Errors
    /// Returns [`ModelError::Config`] with the field's name if there are more or fewer names than classes.
    pub(super) fn class_names(&self, classes: usize) -> Result<Option<Vec<String>>, ModelError> {
        for field in NAMES {
            let Some((_, value)) = self.value(field) else { continue };
            // Classes of the same name have only one number in this table.
            if field == "label2id" && self.value("id2label").is_some() {
                continue;
            }
            match class_names::from_json(value).map_err(|message| self.wrong(field, message))? {
                Some(names) if names.len() != classes => {
                    let message = format!("has {} names, but the model has {classes} classes", names.len());
                    return Err(self.wrong(field, message));
                }
                Some(names) => return Ok(Some(names)),
                None => {}
            }
        }
        Ok(None)
    }

    /// Returns the preprocessing of a statement, completed by `known`.
    pub(super) fn preprocess(&self, statement: &Statement, known: Preprocessing) -> Result<Preprocessing, ModelError> {
        statement.apply(known).map_err(|(field, message)| {
            let stated = match field {
                "img_size" => self.size_field(),
                "mean" if self.value("mean").is_none() => "image_mean",
                "std" if self.value("std").is_none() => "image_std",
                field => field,
            };
            self.wrong(stated, message)
        })
    }

    /// Returns the name of the field that states the size of the input.
    pub(super) fn size_field(&self) -> &'static str {
        let fields = ["input_size", "img_size", "crop_size", "size", "image_size"];
        fields.into_iter().find(|field| self.value(field).is_some()).unwrap_or("input_size")
    }

    /// Returns the size of the images as the network's own description states it, apart from the preprocessing.
    pub(super) fn image_size(&self) -> Result<Option<(usize, usize)>, ModelError> {
        self.value("image_size").map(|(_, value)| self.sides("image_size", value)).transpose()
    }

    /// Returns what the files state about the preprocessing.
    ///
    /// # Errors
    /// Returns [`ModelError::Config`] with the field's name for an invalid value.
    pub(super) fn statement(&self) -> Result<Statement, ModelError> {
        let mut statement = self.transformers()?;
        let options = &mut statement.options;
        let size = match (self.value("input_size"), self.value("img_size")) {
            (Some((_, value)), _) => Some(self.sides("input_size", value)?),
            (None, Some((_, value))) => Some(self.sides("img_size", value)?),
            (None, None) => None,
        };
        if size.is_some() {
            options.img_size = size;
        }
        options.mean = self.field("mean")?.or(options.mean);
        options.std = self.field("std")?.or(options.std);
        let filter: Option<String> = self.field("interpolation")?;
        let unsupported = |text: String| self.wrong("interpolation", format!("is {text:?}, which is not supported"));
        let parse = |text: String| text.parse::<Filter>().map_err(|_| unsupported(text));
        options.interpolation = filter.map(parse).transpose()?.or(options.interpolation);
        options.crop_pct = self.field("crop_pct")?.or(options.crop_pct);
        options.crop_mode = self.field::<CropMode>("crop_mode")?.or(options.crop_mode);
        Ok(statement)
    }

    /// Returns what the fields of transformers' image processors state.
    fn transformers(&self) -> Result<Statement, ModelError> {
        let mut options = PreprocessingOptions::default();
        (options.mean, options.std) = (self.channels("image_mean")?, self.channels("image_std")?);
        if self.field::<bool>("include_top")? == Some(true) {
            // EfficientNet's processor divides by the standard deviation twice.
            options.std = options.std.map(|std| std.map(|v| v * v));
        }
        if self.field::<bool>("do_normalize")? == Some(false) {
            (options.mean, options.std) = (Some([0.0; 3]), Some([1.0; 3]));
        }
        let factor: Option<f32> = self.field("rescale_factor")?;
        let keeps_bytes = self.field::<bool>("do_rescale")? == Some(false);
        let factor = if keeps_bytes { Some(1.0) } else { factor };
        if let Some(factor) = factor.map(|factor| factor * 255.0).filter(|factor| (factor - 1.0).abs() > 1e-3) {
            if !(factor.is_finite() && factor > 0.0) {
                return Err(self.wrong("rescale_factor", "is not positive".into()));
            }
            // (factor · x - mean) / std, where x is in [0, 1].
            let offset = f32::from(u8::from(self.field::<bool>("rescale_offset")? == Some(true)));
            options.mean = options.mean.map(|mean| mean.map(|v| (v + offset) / factor));
            options.std = options.std.map(|std| std.map(|v| v / factor));
        }
        let resample = self.field::<u8>("resample")?;
        let filters =
            [Filter::Nearest, Filter::Lanczos, Filter::Bilinear, Filter::Bicubic, Filter::Box, Filter::Hamming];
        let unknown = |number: u8| self.wrong("resample", format!("is {number}, which is not a filter of Pillow"));
        let filter = |number: u8| filters.get(usize::from(number)).copied().ok_or_else(|| unknown(number));
        options.interpolation = resample.map(filter).transpose()?;
        let mut statement = Statement { options, resize: None };
        if let Some((_, size)) = self.value("size") {
            self.add_geometry(&mut statement, size)?;
        } else if let Some((_, crop)) = self.value("crop_size") {
            statement.options.img_size = Some(self.sides("crop_size", crop)?);
        }
        Ok(statement)
    }

    /// Adds the resize and the crop of transformers' image processors.
    fn add_geometry(&self, statement: &mut Statement, size: &Value) -> Result<(), ModelError> {
        if self.field::<bool>("do_resize")? == Some(false) {
            return Err(self.wrong("do_resize", "is false, but images of any size have to be resized".into()));
        }
        let crops = self.field::<bool>("do_center_crop")?;
        let crop = self.value("crop_size").filter(|_| crops != Some(false));
        let crop = crop.map(|(_, value)| self.sides("crop_size", value)).transpose()?;
        let shorter = size.get("shortest_edge").or(Some(size).filter(|size| size.is_u64() && crop.is_some()));
        let has_share = self.value("crop_pct").is_some();
        if let Some(shorter) = shorter {
            let (side, _) = self.sides("size", shorter)?;
            statement.options.img_size = Some(crop.unwrap_or((side, side)));
            statement.resize = (crop.is_some() || !has_share).then_some(Resize::ShorterSide(side));
            return Ok(());
        }
        let whole = self.sides("size", size)?;
        statement.options.img_size = Some(crop.unwrap_or(whole));
        // A number with crop_pct means the side of the crop.
        statement.resize = (!(size.is_u64() && has_share)).then_some(Resize::Squash(whole.0, whole.1));
        Ok(())
    }

    /// Reads height and width: one number, [height, width], [3, height, width], or an object with these names.
    fn sides(&self, field: &str, value: &Value) -> Result<(usize, usize), ModelError> {
        let side = |value: &Value| value.as_u64().and_then(|side| usize::try_from(side).ok());
        let listed: Option<Vec<usize>> = value.as_array().and_then(|values| values.iter().map(side).collect());
        let sides = match (value, listed.as_deref()) {
            (Value::Number(_), _) => side(value).map(|side| (side, side)),
            (_, Some(&[height, width] | &[3, height, width])) => Some((height, width)),
            (Value::Object(object), _) => {
                let get = |name: &str| object.get(name).and_then(side);
                get("height").zip(get("width")).or_else(|| get("shortest_edge").map(|side| (side, side)))
            }
            _ => None,
        };
        let expected = "instead of 3, height, width or of height and width";
        let (height, width) = sides.ok_or_else(|| self.wrong(field, format!("is {value} {expected}")))?;
        if ![height, width].iter().all(|side| (1..=LARGEST_SIDE).contains(side)) {
            return Err(self.wrong(field, format!("is {value}, but sides have 1 to {LARGEST_SIDE} pixels")));
        }
        Ok((height, width))
    }

    /// Reads one number for each channel, or one for all.
    fn channels(&self, field: &str) -> Result<Option<[f32; 3]>, ModelError> {
        match self.value(field) {
            Some((_, Value::Number(_))) => Ok(self.field::<f32>(field)?.map(|value| [value; 3])),
            _ => self.field(field),
        }
    }

    /// Makes an error that names a field.
    pub(crate) fn wrong(&self, field: &str, message: String) -> ModelError {
        let named = self.value(field).map(|(path, _)| path).or(self.files.first().map(|(path, _)| path.as_path()));
        let path = named.unwrap_or(Path::new("")).to_owned();
        ModelError::Config { path, message: format!("its field {field:?} {message}") }
    }

    /// Returns a field of the files or of timm's `pretrained_cfg` in them, where files next to weights have theirs, and the
    /// path of its file. Null counts as absent.
    fn value(&self, name: &str) -> Option<(&Path, &Value)> {
        self.files.iter().find_map(|(path, values)| {
            let inner = |group: &str| values.get(group).and_then(|inner| inner.get(name));
            let found = [values.get(name), inner("pretrained_cfg"), inner("default_cfg")];
            let value = found.into_iter().flatten().find(|value| !value.is_null())?;
            Some((path.as_path(), value))
        })
    }

    fn field<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<Option<T>, ModelError> {
        let Some((_, value)) = self.value(name) else { return Ok(None) };
        T::deserialize(value).map(Some).map_err(|error| self.wrong(name, format!("is wrong: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo;

    /// Applies a file to the description of a ResNet-18.
    fn applied(config: &str) -> Result<ModelSpec, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let mut spec = zoo::spec("resnet18").unwrap();
        if let Some(config) = Config::beside(&folder.path().join("model.safetensors")).map_err(|e| e.to_string())? {
            config.apply(&mut spec).map_err(|error| error.to_string())?;
        }
        Ok(spec)
    }

    #[test]
    fn stated_fields_replace_the_known_ones() {
        let spec = applied(
            r#"{"architecture": "resnet18", "num_classes": 1000, "global_pool": "avg", "pretrained_cfg": {
                "input_size": [3, 288, 288], "crop_pct": 0.9, "crop_mode": "squash", "interpolation": "bicubic",
                "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "test_crop_pct": null}}"#,
        );
        let preprocess = spec.unwrap().preprocess;
        assert_eq!((preprocess.resize, preprocess.input), (Resize::Squash(320, 320), (288, 288)));
        assert_eq!((preprocess.filter, preprocess.mean, preprocess.std), (Filter::Bicubic, [0.5; 3], [0.25; 3]));
        let known = zoo::spec("resnet18").unwrap();
        assert_eq!(
            applied(r#"{"architecture": "resnet18.a1_in1k", "pretrained_cfg": {"mean": null}}"#).unwrap(),
            known
        );
        assert_eq!(applied(r#"{"architectures": ["ResNetForImageClassification"]}"#).unwrap(), known);
    }

    #[test]
    fn an_input_of_another_size_is_resized_likewise() {
        let spec = applied(r#"{"img_size": 448}"#).unwrap();
        assert_eq!((spec.preprocess.resize, spec.preprocess.input), (Resize::ShorterSide(512), (448, 448)));
    }

    #[test]
    fn names_of_classes_are_read() {
        let names: Vec<String> = (0..1000).map(|i| format!("class {i}")).collect();
        let list = serde_json::json!({"label_names": names});
        assert_eq!(applied(&list.to_string()).unwrap().class_names.as_ref(), Some(&names));
        let numbered: Map<String, Value> =
            names.iter().enumerate().map(|(i, n)| (i.to_string(), n.clone().into())).collect();
        let table = serde_json::json!({"model_type": "resnet", "id2label": numbered});
        assert_eq!(applied(&table.to_string()).unwrap().class_names, Some(names));
        let placeholders = serde_json::json!({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}});
        assert_eq!(applied(&placeholders.to_string()).unwrap().class_names, None);
    }

    #[test]
    fn image_processors_of_transformers_are_understood() {
        let check = |fields: &str, resize: Resize, input: (usize, usize)| {
            let preprocess = applied(&format!("{{{fields}}}")).unwrap().preprocess;
            assert_eq!((preprocess.resize, preprocess.input), (resize, input), "{fields}");
        };
        let crop = r#""crop_size": {"height": 224, "width": 224}, "do_center_crop": true"#;
        check(&format!(r#""size": {{"shortest_edge": 256}}, {crop}"#), Resize::ShorterSide(256), (224, 224));
        check(r#""size": {"height": 384, "width": 384}"#, Resize::Squash(384, 384), (384, 384));
        check(r#""size": {"shortest_edge": 224}, "crop_pct": 0.875"#, Resize::ShorterSide(256), (224, 224));
        check(r#""size": 224, "crop_size": 224"#, Resize::ShorterSide(224), (224, 224));
        check(r#""size": 224"#, Resize::Squash(224, 224), (224, 224));
        let values = |fields: &str| {
            let preprocess = applied(&format!("{{{fields}}}")).unwrap().preprocess;
            (preprocess.mean, preprocess.std, preprocess.filter)
        };
        let half = r#""image_mean": [0.5, 0.5, 0.5], "image_std": 0.5, "resample": 3"#;
        assert_eq!(values(half), ([0.5; 3], [0.5; 3], Filter::Bicubic));
        let (mean, std, _) = values(&format!(r#"{half}, "do_normalize": false, "do_rescale": false"#));
        assert_eq!((mean, std), ([0.0; 3], [1.0 / 255.0; 3]));
        let (_, std, _) = values(&format!(r#"{half}, "rescale_factor": 0.00784313725"#));
        assert!((std[0] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn a_file_that_is_not_understood_lists_the_fields() {
        let error = applied(r#"{"learning_rate": 0.1}"#).unwrap_err();
        assert!(
            error.contains("none of the fields") && error.contains("pretrained_cfg, default_cfg, input_size"),
            "{error}"
        );
        let error = applied("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n").unwrap_err();
        assert!(error.contains("git lfs pull"), "{error}");
    }

    #[test]
    fn errors_name_the_field() {
        let check = |fields: &str, part: &str| {
            let error = applied(&format!(r#"{{"architecture": "resnet18", {fields}}}"#)).unwrap_err();
            assert!(error.contains("config.json") && error.contains(part), "{error}");
        };
        check(r#""num_classes": 15"#, "\"num_classes\" is 15, but the head in the weights file has 1000 rows");
        check(r#""pretrained_cfg": {"input_size": [1, 28, 28]}"#, "\"input_size\"");
        check(r#""pretrained_cfg": {"input_size": "224"}"#, "\"input_size\" is \"224\" instead of");
        check(r#""input_size": [3, 100000, 64]"#, "\"input_size\"");
        check(r#""pretrained_cfg": [1]"#, "\"pretrained_cfg\" is [1]");
        check(r#""label_names": ["a", "b"]"#, "\"label_names\" has 2 names, but the model has 1000 classes");
        check(r#""id2label": {"a": "b"}"#, "\"id2label\" does not pair");
        check(r#""mean": 0.5"#, "\"mean\" is wrong");
        check(r#""image_mean": "x""#, "\"image_mean\" is wrong");
        check(r#""std": [58.4, 57.1, 57.4]"#, "\"std\" is that of pixels from 0 to 255");
        check(r#""pretrained_cfg": {"crop_pct": 0}"#, "\"crop_pct\"");
        check(r#""pretrained_cfg": {"crop_mode": "middle"}"#, "\"crop_mode\"");
        check(r#""pretrained_cfg": {"interpolation": "random"}"#, "\"interpolation\"");
        check(r#""pretrained_cfg": {"std": [0, 1, 1]}"#, "\"std\"");
        let error = applied(r#"{"architecture": "resnet50"}"#).unwrap_err();
        assert!(error.contains("is \"resnet50\"; load that model"), "{error}");
        assert!(applied("{").unwrap_err().contains("config.json"));
    }
}

//! timm's `config.json`, which lies beside a model's weights on the Hugging Face hub.

use super::file_names::HUB_FILE_NAMES;
use crate::model_name::without_tag;
use crate::{ModelError, ModelSpec};
use hard_imagenet_images::{CropMode, Filter, Preprocessing};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// The statements of such a file about a model.
pub(crate) struct Config {
    path: PathBuf,
    values: Map<String, Value>,
}

impl Config {
    /// Reads the `config.json` beside a weights file that has one of the hub's names. Returns `None` for other names,
    /// and if there is no such file or it is not timm's.
    pub(crate) fn beside(weights: &Path) -> Result<Option<Self>, ModelError> {
        let path = weights.with_file_name("config.json");
        let has_hub_name = weights.file_name().is_some_and(|name| HUB_FILE_NAMES.iter().any(|known| name == *known));
        if has_hub_name { Self::read(path) } else { Ok(None) }
    }

    /// Reads timm's file at a path. Returns `None` if there is no such file or it is not timm's.
    pub(crate) fn read(path: PathBuf) -> Result<Option<Self>, ModelError> {
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read(&path).map_err(|source| ModelError::Read { path: path.clone(), source })?;
        let values: Map<String, Value> = serde_json::from_slice(&text)
            .map_err(|error| ModelError::Config { path: path.clone(), message: error.to_string() })?;
        // The file of transformers has "architectures" instead, and states nothing that the zoo does not know.
        Ok(values.contains_key("architecture").then_some(Self { path, values }))
    }

    /// Changes a description of the zoo to what the file states.
    ///
    /// # Errors
    /// Returns [`ModelError::Config`] with the field's name for another architecture or head, and for an impossible
    /// value.
    pub(crate) fn apply(&self, spec: &mut ModelSpec) -> Result<(), ModelError> {
        let wrong = |field: &str, message: String| Err(self.wrong(field, message));
        let architecture: Option<String> = self.field("architecture")?;
        if let Some(architecture) = architecture.filter(|name| without_tag(name) != without_tag(&spec.name)) {
            return wrong("architecture", format!("is {architecture:?}; load that model instead"));
        }
        let classes: Option<usize> = self.field("num_classes")?;
        if let Some(classes) = classes.filter(|&classes| classes != spec.classes) {
            return wrong(
                "num_classes",
                format!("is {classes}, but the head in the weights file has {} rows", spec.classes),
            );
        }
        spec.preprocess = self.preprocess(spec.preprocess)?;
        Ok(())
    }

    /// Returns the preprocessing that the file states, completed by `known`.
    ///
    /// # Errors
    /// Returns [`ModelError::Config`] with the field's name for an invalid value.
    pub(crate) fn preprocess(&self, known: Preprocessing) -> Result<Preprocessing, ModelError> {
        let wrong = |field: &str, message: String| Err(self.wrong(field, message));
        let size: Option<(usize, usize, usize)> = self.field("input_size")?;
        let input = match size {
            Some((3, height, width)) if height > 0 && width > 0 => (height, width),
            Some(other) => return wrong("input_size", format!("is {other:?} instead of 3, height, width")),
            None => known.input,
        };
        let (mean, std): (Option<[f32; 3]>, Option<[f32; 3]>) = (self.field("mean")?, self.field("std")?);
        if std.is_some_and(|std| std.iter().any(|&std| std <= 0.0)) {
            return wrong("std", "contains a standard deviation that is not positive".into());
        }
        let filter: Option<String> = self.field("interpolation")?;
        let filter = match filter.as_deref() {
            Some("bilinear") => Filter::Bilinear,
            Some("bicubic") => Filter::Bicubic,
            Some("lanczos") => Filter::Lanczos,
            Some("nearest") => Filter::Nearest,
            Some("box") => Filter::Box,
            Some("hamming") => Filter::Hamming,
            Some(other) => return wrong("interpolation", format!("is {other:?}, which is not supported")),
            None => known.filter,
        };
        let (mean, std) = (mean.unwrap_or(known.mean), std.unwrap_or(known.std));
        let mode = self.field("crop_mode")?.unwrap_or(CropMode::Center);
        let crop_pct: Option<f64> = self.field("crop_pct")?;
        match crop_pct {
            Some(crop_pct) if crop_pct > 0.0 && crop_pct <= 1.0 => {
                Ok(Preprocessing::timm(input, crop_pct, mode, filter, mean, std))
            }
            Some(other) => wrong("crop_pct", format!("is {other} instead of a number in (0, 1]")),
            None => Ok(Preprocessing { input, filter, mean, std, ..known }),
        }
    }

    /// Makes an error that names a field.
    pub(crate) fn wrong(&self, field: &str, message: String) -> ModelError {
        ModelError::Config { path: self.path.clone(), message: format!("its field {field:?} {message}") }
    }

    /// Returns a field of the file or of its `pretrained_cfg`, where files beside weights have theirs. Null counts as
    /// absent.
    fn field<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<Option<T>, ModelError> {
        let inner = self.values.get("pretrained_cfg").and_then(|inner| inner.get(name));
        let Some(value) = self.values.get(name).or(inner).filter(|value| !value.is_null()) else { return Ok(None) };
        T::deserialize(value).map(Some).map_err(|error| ModelError::Config {
            path: self.path.clone(),
            message: format!("its field {name:?} is wrong: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo;
    use hard_imagenet_images::Resize;

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
        assert_eq!(applied(r#"{"architectures": ["ResNetForImageClassification"]}"#).unwrap(), known, "not timm's");
    }

    #[test]
    fn errors_name_the_field() {
        let check = |fields: &str, part: &str| {
            let error = applied(&format!(r#"{{"architecture": "resnet18", {fields}}}"#)).unwrap_err();
            assert!(error.contains("config.json") && error.contains(part), "{error}");
        };
        check(r#""num_classes": 15"#, "\"num_classes\" is 15, but the head in the weights file has 1000 rows");
        check(r#""pretrained_cfg": {"input_size": [1, 28, 28]}"#, "\"input_size\"");
        check(r#""pretrained_cfg": {"input_size": 224}"#, "\"input_size\" is wrong");
        check(r#""pretrained_cfg": {"crop_pct": 0}"#, "\"crop_pct\"");
        check(r#""pretrained_cfg": {"crop_mode": "middle"}"#, "\"crop_mode\"");
        check(r#""pretrained_cfg": {"interpolation": "random"}"#, "\"interpolation\"");
        check(r#""pretrained_cfg": {"std": [0, 1, 1]}"#, "\"std\"");
        let error = applied(r#"{"architecture": "resnet50"}"#).unwrap_err();
        assert!(error.contains("is \"resnet50\"; load that model"), "{error}");
        assert!(applied("{").unwrap_err().contains("config.json"));
    }
}

//! Options that several commands share.

use crate::model_reading::ModelReading;
use crate::{hub, progress};
use anyhow::{Context, Result, bail};
use candle_core::{DType, Device};
use clap::ValueEnum;
use hard_imagenet::models::onnx::{self, ReadOptions};
use hard_imagenet::models::{self, Model, Network, Weights, zoo};
use hard_imagenet::perturbations::Preset;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Which rules apply where the published code deviates from its method (docs/QUIRKS.md).
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PresetName {
    /// The published code with its quirks, for numbers that compare with the paper's
    Paper,
    /// The method as the paper describes it
    Strict,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Self {
        match name {
            PresetName::Paper => Preset::Paper,
            PresetName::Strict => Preset::Strict,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Precision {
    F32,
    Bf16,
    F16,
}

impl From<Precision> for DType {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => DType::F32,
            Precision::Bf16 => DType::BF16,
            Precision::F16 => DType::F16,
        }
    }
}

/// Where and how precisely a model runs.
#[derive(clap::Args, Debug)]
pub(crate) struct Compute {
    /// Device that runs the model: auto, cpu, cuda:0, metal
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
    /// Precision of weights and activations
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Precision,
}

impl Compute {
    pub(crate) fn device(&self) -> Result<Device> {
        Ok(models::device(&self.device)?)
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype.into()
    }
}

/// The demo's two models, which are part of the program.
const EMBEDDED: [(&str, &[u8]); 2] = [
    ("planted_resnet.cue", include_bytes!("../demo/planted_resnet.cue.safetensors")),
    ("planted_resnet.object", include_bytes!("../demo/planted_resnet.object.safetensors")),
];

/// Returns the names of the models whose weights are part of the program.
pub(crate) fn embedded_names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// Expands wildcards in model names; each name appears once, in the order given.
pub(crate) fn expand_names(patterns: &[String]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for pattern in patterns {
        let found: Vec<String> = match pattern.contains('*') {
            true => zoo::find(pattern).into_iter().map(str::to_owned).collect(),
            // An unknown plain name fails later, in the zoo, which suggests similar names.
            false => vec![pattern.clone()],
        };
        if found.is_empty() {
            bail!("no model matches '{pattern}'; `hard-imagenet models` lists them all");
        }
        for name in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Chooses where the weights of `name` come from: the given place, the program itself, or else the Hugging Face hub.
pub(crate) fn choose_weights(name: &str, given: Option<&Path>) -> Result<Weights> {
    let from_hub = || hub::from_environment().progress(progress::download(name.to_owned()));
    if let Some(path) = given {
        return Ok(match path.to_str().and_then(|text| text.strip_prefix("hf:")) {
            Some(place) => Weights::Hub(hub::parse_place(from_hub(), place)),
            None if path.is_dir() => Weights::Folder(path.into()),
            None => Weights::File(path.into()),
        });
    }
    Ok(match EMBEDDED.iter().find(|(embedded, _)| *embedded == name) {
        Some((_, bytes)) => Weights::Bytes(bytes),
        None => Weights::Hub(from_hub()),
    })
}

/// Returns the file with weights that replace those of an ONNX file, if one was given.
pub(crate) fn onnx_weights(file: &Path, given: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(path) = given else { return Ok(None) };
    if path.to_string_lossy().starts_with("hf:") {
        bail!("{} contains its weights: leave out --weights {}", file.display(), path.display());
    }
    let inside = || path.join(format!("{}.safetensors", file.file_stem().unwrap_or_default().to_string_lossy()));
    Ok(Some(if path.is_dir() { inside() } else { path.to_owned() }))
}

/// Returns the names that models are given so that no two have the same: those of ONNX files whose own name is taken begin with
/// the names of their folders. `None` stands for the model's own name.
pub(crate) fn distinct_names(models: &[String]) -> Vec<Option<String>> {
    let own = |name: &String| match onnx::is_file(name) {
        true => Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        false => name.clone(),
    };
    let shared = |name: &String| models.iter().filter(|other| own(other) == own(name)).count() > 1;
    let mut taken: Vec<String> = models.iter().filter(|name| !shared(name)).map(own).collect();
    let mut distinct = |name: &String| {
        if !shared(name) || !onnx::is_file(name) {
            return None;
        }
        let path = absolute(Path::new(name));
        let folders = path.ancestors().skip(1).filter_map(Path::file_name);
        let mut candidate = own(name);
        for folder in folders {
            candidate = format!("{}-{candidate}", folder.to_string_lossy());
            let rivals = models.iter().filter(|other| *other != name && ends_alike(other, &candidate)).count();
            if rivals == 0 && !taken.contains(&candidate) {
                break;
            }
        }
        taken.push(candidate.clone());
        Some(candidate)
    };
    models.iter().map(&mut distinct).collect()
}

/// Returns whether a model would get this name from the names of its folders.
fn ends_alike(model: &str, candidate: &str) -> bool {
    let path = absolute(Path::new(model)).with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    (1..=parts.len()).any(|count| parts[parts.len() - count..].join("-") == candidate)
}

/// Builds a model and loads its weights, or imports it from an ONNX file.
pub(crate) fn load(
    name: &str,
    weights: Option<&Path>,
    reading: &ModelReading,
    device: &Device,
    dtype: DType,
) -> Result<Model> {
    Ok(read(name, weights, reading)?.into_model(device, dtype)?)
}

/// Reads what [`load`] makes a model of.
pub(crate) fn read(name: &str, weights: Option<&Path>, reading: &ModelReading) -> Result<Network> {
    let changes = reading.preprocessing();
    if onnx::is_file(name) {
        let file = Path::new(name);
        let (weights, output) = (onnx_weights(file, weights)?, reading.logits.clone());
        return Ok(onnx::read_with(file, &ReadOptions { output, weights, changes, ..ReadOptions::default() })?);
    }
    if let Some(output) = &reading.logits {
        bail!("--logits {output} chooses an output of an ONNX file, and {name} has only one");
    }
    Ok(zoo::read(name, &choose_weights(name, weights)?)?.with_preprocessing(&changes)?)
}

/// Writes a file. The error names the file.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    std::fs::write(path, bytes)
        .with_context(|| format!("cannot write {}: does its folder exist, and is it writable?", path.display()))
}

/// Prints lines. A reader that stops early (`| head`) is not an error.
pub(crate) fn print(lines: &[String]) -> Result<()> {
    let mut text = lines.join("\n");
    text.push('\n');
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Returns the absolute form of a path, for messages.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::distinct_names;

    #[test]
    fn onnx_files_of_one_name_are_told_apart_by_their_folders() {
        let check = |models: &[&str], expected: &[Option<&str>]| {
            let models: Vec<String> = models.iter().map(|&model| model.to_owned()).collect();
            let found = distinct_names(&models);
            assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{models:?}");
        };
        check(&["model.onnx", "resnet18"], &[None, None]);
        check(
            &["resnet/model.onnx", "/x/vit/model.onnx", "resnet18"],
            &[Some("resnet-model"), Some("vit-model"), None],
        );
        check(&["/a/x/model.onnx", "/b/x/model.onnx"], &[Some("a-x-model"), Some("b-x-model")]);
        // The name of another model is taken.
        check(&["/b/a/model.onnx", "/c/model.onnx", "/d/a-model.onnx"], &[Some("b-a-model"), Some("c-model"), None]);
    }
}

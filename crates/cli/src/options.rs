//! Options that several commands share.

use crate::{hub, progress};
use anyhow::{Context, Result, bail};
use candle_core::{DType, Device};
use clap::ValueEnum;
use hard_imagenet::models::{self, Model, Weights, onnx, zoo};
use hard_imagenet::perturbations::Preset;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Equal to the published code, or right (docs/QUIRKS.md).
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PresetName {
    /// The published code with its quirks, so that numbers compare with the paper's
    Paper,
    /// What the method says
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

/// Where a model runs.
#[derive(clap::Args, Debug)]
pub(crate) struct Compute {
    /// Where to run: auto, cpu, cuda:0, metal
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

/// The two models of the demo travel with the program.
const EMBEDDED: [(&str, &[u8]); 2] = [
    ("planted_resnet.cue", include_bytes!("../demo/planted_resnet.cue.safetensors")),
    ("planted_resnet.object", include_bytes!("../demo/planted_resnet.object.safetensors")),
];

/// Names of the models whose weights travel with the program.
pub(crate) fn embedded() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// Every model name that the given names and wildcards mean, in order, each once.
pub(crate) fn expand(patterns: &[String]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for pattern in patterns {
        let found: Vec<String> = match pattern.contains('*') {
            true => zoo::find(pattern).into_iter().map(str::to_owned).collect(),
            // Errors about a plain name are the zoo's: it knows the nearest ones.
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

/// Where the weights of `name` are: what was given, the program itself, else the Hugging Face hub.
pub(crate) fn weights_of(name: &str, given: Option<&Path>) -> Result<Weights> {
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

/// Where other weights of an ONNX file are than those in it, if any were given.
pub(crate) fn onnx_weights(file: &Path, given: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(path) = given else { return Ok(None) };
    if path.to_string_lossy().starts_with("hf:") {
        bail!("{} has its own weights: leave out --weights {}", file.display(), path.display());
    }
    let inside = || path.join(format!("{}.safetensors", file.file_stem().unwrap_or_default().to_string_lossy()));
    Ok(Some(if path.is_dir() { inside() } else { path.to_owned() }))
}

/// Builds a model and loads its weights, or takes one over from an ONNX file.
pub(crate) fn load(name: &str, weights: Option<&Path>, device: &Device, dtype: DType) -> Result<Model> {
    if onnx::is_file(name) {
        let file = Path::new(name);
        let weights = onnx_weights(file, weights)?;
        return Ok(onnx::read(file, weights.as_deref(), None)?.model(device, dtype)?);
    }
    Ok(zoo::load(name, &weights_of(name, weights)?, device, dtype)?)
}

/// Writes a file; the error names it.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    std::fs::write(path, bytes)
        .with_context(|| format!("cannot write {}: is its folder there and writable?", path.display()))
}

/// Prints lines; a reader that has seen enough (`| head`) is no error.
pub(crate) fn print(lines: &[String]) -> Result<()> {
    let mut text = lines.join("\n");
    text.push('\n');
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot print"),
        _ => Ok(()),
    }
}

/// A path for people.
pub(crate) fn shown(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

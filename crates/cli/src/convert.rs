//! `hard-imagenet convert`: writes weights of any accepted format as safetensors, and makes CLIP a classifier.

use crate::{findings, options};
use anyhow::{Context, Result};
use hard_imagenet::models::{Checkpoint, Network, StoredTensor, Weights, zero_shot, zoo};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Weights to read: safetensors or a PyTorch checkpoint
    input: PathBuf,
    /// Safetensors file to write
    output: PathBuf,
    /// Write only the weights of this model, under the model's own names and in single precision
    #[arg(short, long)]
    model: Option<String>,
    /// Make CLIP a classifier of the classes in this file, one name per line in the order of the labels; the input is
    /// CLIP's whole checkpoint with image and text tower
    #[arg(long, value_name = "FILE", requires = "model")]
    zero_shot: Option<PathBuf>,
    /// Sentences about an image of a class, one per line, where `{}` stands for the name; by default seven such as
    /// "a photo of a {}."
    #[arg(long, value_name = "FILE", requires = "zero_shot")]
    templates: Option<PathBuf>,
    /// Tokenizer of the checkpoint; by default tokenizer.json in the same folder
    #[arg(long, value_name = "FILE", requires = "zero_shot")]
    tokenizer: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (tensors, read) = match (&args.model, &args.zero_shot) {
        (Some(model), Some(classes)) => {
            let templates = match &args.templates {
                Some(path) => lines(path)?,
                None => zero_shot::TEMPLATES.map(str::to_owned).to_vec(),
            };
            let tokenizer = args.tokenizer.clone().unwrap_or_else(|| args.input.with_file_name("tokenizer.json"));
            zero_shot::weights(model, &args.input, &tokenizer, &lines(classes)?, &templates)?
        }
        (Some(model), None) => {
            let Network { weights, weights_sha256, findings, .. } =
                zoo::read(model, &Weights::File(args.input.clone()))?;
            findings::print(model, &findings);
            (weights, weights_sha256)
        }
        (None, _) => {
            let checkpoint = Checkpoint::open(&args.input)?;
            let mut tensors = HashMap::new();
            let wanted =
                checkpoint.tensors().iter().map(|stored: &StoredTensor| (stored, std::slice::from_ref(stored)));
            let read = checkpoint.read(wanted, |stored, parts| {
                tensors.extend(parts.into_iter().map(|tensor| (stored.name.clone(), tensor)));
                Ok(())
            })?;
            (tensors, read)
        }
    };
    let mut names: Vec<&String> = tensors.keys().collect();
    names.sort();
    let line = |name: &String| format!("{name:60} {:5} {:?}", tensors[name].dtype().as_str(), tensors[name].dims());
    let mut lines: Vec<String> = names.into_iter().map(line).collect();
    candle_core::safetensors::save(&tensors, &args.output).with_context(|| {
        format!("cannot write {}: does its folder exist, and is it writable?", args.output.display())
    })?;
    let written = Checkpoint::open(&args.output)?.read(std::iter::empty::<((), &[StoredTensor])>(), |(), _| Ok(()))?;
    lines.push(format!("read     sha256 {read}"));
    lines.push(format!("written  sha256 {written}  {} tensors, {}", tensors.len(), args.output.display()));
    options::print(&lines)
}

/// Reads the lines of a file that are not blank.
fn lines(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

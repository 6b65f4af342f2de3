//! `hard-imagenet convert`: weights of any accepted form as safetensors.

use crate::options;
use anyhow::{Context, Result};
use hard_imagenet::models::{Checkpoint, Stored, Weights, zoo};
use std::collections::HashMap;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Safetensors, or a checkpoint of torch
    input: PathBuf,
    /// The file to write
    output: PathBuf,
    /// Only this model's weights, under its own names, as single-precision numbers
    #[arg(short, long)]
    model: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let (tensors, read) = match &args.model {
        Some(model) => zoo::weights(model, &Weights::File(args.input.clone()))?,
        None => {
            let checkpoint = Checkpoint::open(&args.input)?;
            let mut tensors = HashMap::new();
            let wanted = checkpoint.tensors().iter().map(|stored: &Stored| (stored, std::slice::from_ref(stored)));
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
    candle_core::safetensors::save(&tensors, &args.output)
        .with_context(|| format!("cannot write {}: is its folder there and writable?", args.output.display()))?;
    let written = Checkpoint::open(&args.output)?.read(std::iter::empty::<((), &[Stored])>(), |(), _| Ok(()))?;
    lines.push(format!("read     sha256 {read}"));
    lines.push(format!("written  sha256 {written}  {} tensors, {}", tensors.len(), args.output.display()));
    options::print(&lines)
}

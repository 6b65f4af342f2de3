//! `hard-imagenet models`: the names that `-m` takes.

use crate::options;
use anyhow::{Result, bail};
use hard_imagenet::models::zoo;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only names that match, with * as wildcard: 'resnet*'
    #[arg(default_value = "*")]
    pattern: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let found = zoo::find(&args.pattern);
    if found.is_empty() {
        bail!("no model matches '{}'; `hard-imagenet models` lists them all", args.pattern);
    }
    for name in found {
        let spec = zoo::spec(name)?;
        let note = if options::embedded().any(|known| known == name) { ", weights included" } else { "" };
        let (height, width) = spec.preprocess.input;
        println!("{name:44} {height} × {width}{note}");
    }
    Ok(())
}

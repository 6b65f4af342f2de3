//! `hard-imagenet compare`: prints the differences between two runs on the same images, with intervals and tests.

use crate::{findings, options};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hard_imagenet::report::RunComparison;
use hard_imagenet::runs::Run;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The run folder whose scores come first
    first: PathBuf,
    /// The run folder whose scores are subtracted
    second: PathBuf,
    /// The form of the result; without --output, it is printed
    #[arg(long, value_enum, default_value = "md")]
    format: Format,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A table
    Md,
    /// A page that works offline
    Html,
    /// One line for each difference, also class by class
    Csv,
    /// All differences
    Json,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let [first, second] = [&args.first, &args.second].map(Run::open);
    let (first, second) = (first?, second?);
    let comparison = RunComparison::new(&first, &second);
    if comparison.samples() == 0 {
        bail!(
            "{} and {} have no image in common; `hard-imagenet report` shows runs on different datasets side by side",
            args.first.display(),
            args.second.display()
        );
    }
    for run in [&first, &second] {
        findings::print_suspicious(&run.folder().display().to_string(), run.findings());
    }
    let text = match args.format {
        Format::Md => comparison.markdown(),
        Format::Html => comparison.html(),
        Format::Csv => comparison.csv(),
        Format::Json => comparison.json(),
    };
    match &args.output {
        Some(path) => {
            options::write(path, text)?;
            options::print(&[options::absolute(path).display().to_string()])
        }
        None => options::print(&[text]).context("cannot print the comparison"),
    }
}

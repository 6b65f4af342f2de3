//! `hard-imagenet compare`: two runs on the same images → differences with intervals and tests.

use crate::options;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hard_imagenet::metrics::{self, Options};
use hard_imagenet::report::{ComparisonInput, comparison_csv, comparison_html, comparison_json, comparison_markdown};
use hard_imagenet::runs::Run;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The run folder whose scores come first
    first: PathBuf,
    /// The run folder whose scores are subtracted
    second: PathBuf,
    /// What to write; without --output it is printed
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
    /// A line a difference, also class by class
    Csv,
    /// All of it
    Json,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let [first, second] = [&args.first, &args.second].map(Run::open);
    let (first, second) = (first?, second?);
    let comparison = metrics::compare(first.records(), second.records(), &Options::default());
    if comparison.samples == 0 {
        bail!(
            "{} and {} have no image in common; `hard-imagenet report` sets runs on different datasets side by side",
            args.first.display(),
            args.second.display()
        );
    }
    let [a, b] = names(&first, &second);
    let input = ComparisonInput { first: a, second: b, comparison };
    let text = match args.format {
        Format::Md => comparison_markdown(&input),
        Format::Html => comparison_html(&input),
        Format::Csv => comparison_csv(&input),
        Format::Json => comparison_json(&input),
    };
    match &args.output {
        Some(path) => {
            options::write(path, text)?;
            options::print(&[options::absolute(path).display().to_string()])
        }
        None => options::print(&[text]).context("cannot print the comparison"),
    }
}

/// The models' names; where they are the same, with whatever tells the runs apart.
fn names(first: &Run, second: &Run) -> [String; 2] {
    let descriptions = [first.description(), second.description()];
    let [a, b] = descriptions;
    if a.model != b.model {
        return descriptions.map(|d| d.model.clone());
    }
    if a.preset != b.preset {
        return descriptions.map(|d| format!("{} ({})", d.model, d.preset));
    }
    if a.seed != b.seed {
        return descriptions.map(|d| format!("{} (seed {})", d.model, d.seed));
    }
    [first, second].map(|run| format!("{} ({})", a.model, run.folder().display()))
}

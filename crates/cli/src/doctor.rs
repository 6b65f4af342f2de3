//! `hard-imagenet doctor`: what is wrong with the folders of a dataset, and how to repair it.

use crate::datasets::transform;
use crate::options::PresetName;
use crate::progress::Progress;
use crate::sources::{Source, add_option};
use anyhow::{Result, bail};
use hard_imagenet::datasets::{self, DatasetOptions, Split};
use hard_imagenet::findings::{Finding, Severity};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Check the training and the validation part
    #[arg(long)]
    both_splits: bool,
    /// Check names only, decode nothing
    #[arg(long)]
    quick: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let options = args.source.options();
    let splits = if args.both_splits { vec![Split::Train, Split::Val] } else { vec![options.split] };
    let mut parts = Vec::new();
    for split in splits {
        let options = DatasetOptions { split, ..options.clone() };
        parts.push((split.name(), examine(args.source.word(), &options, args.quick)?));
    }
    if args.json {
        let part = |(split, findings): &(&str, Vec<Finding>)| serde_json::json!({"split": split, "findings": findings});
        println!("{:#}", serde_json::Value::Array(parts.iter().map(part).collect()));
    } else {
        parts.iter().for_each(|(split, findings)| print(split, findings));
    }
    let errors = parts.iter().flat_map(|(_, findings)| findings).filter(|f| f.severity == Severity::Error).count();
    match errors {
        0 => Ok(()),
        1 => bail!("1 finding needs to be repaired"),
        n => bail!("{n} findings need to be repaired"),
    }
}

fn examine(word: &str, options: &DatasetOptions, quick: bool) -> Result<Vec<Finding>> {
    let transform = (!quick).then(|| transform(PresetName::Paper).0);
    let mut progress = Progress::new(format!("checking {word}"));
    let found = datasets::check(word, options, transform.as_ref(), |done, all| progress.count(done, all));
    progress.finish();
    found.map_err(add_option)
}

fn print(split: &str, findings: &[Finding]) {
    println!("{split}:");
    for finding in findings {
        finding.lines().iter().for_each(|line| println!("  {line}"));
    }
    if findings.is_empty() {
        println!("  nothing found");
    }
}

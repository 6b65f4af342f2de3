//! `hard-imagenet doctor`: what is wrong with the folders of a dataset, and how to mend it.

use crate::datasets::transform;
use crate::options::PresetName;
use crate::progress::Progress;
use crate::sources::{Name, Source, SplitName};
use anyhow::{Result, bail};
use hard_imagenet::datasets::{
    Dataset, Finding, MaskedFolder, Severity, Split, checkup_hard_imagenet, checkup_masked_folder, checkup_rival20,
    inspect,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Look at the training and the validation part
    #[arg(long)]
    both_splits: bool,
    /// Look at names only, decode nothing
    #[arg(long)]
    quick: bool,
    /// Findings as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let sources = match args.both_splits {
        true => [SplitName::Train, SplitName::Val].map(|split| args.source.of_split(split)).to_vec(),
        false => vec![args.source.of_split(args.source.split())],
    };
    let mut parts = Vec::new();
    for source in &sources {
        parts.push((Split::from(source.split()).name(), examine(source, args.quick)?));
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
        1 => bail!("1 finding needs to be mended"),
        n => bail!("{n} findings need to be mended"),
    }
}

/// Names first, then, if there is a dataset to open, what is in the files.
fn examine(source: &Source, quick: bool) -> Result<Vec<Finding>> {
    let split = source.split().into();
    let mut findings = match source.name() {
        Name::HardImagenet => checkup_hard_imagenet(source.masks()?, source.images()?, split),
        Name::Rival20 => checkup_rival20(source.masks()?, source.images()?, split),
        Name::MaskedFolder => match MaskedFolder::open(source.images()?, source.masks()?) {
            Ok(data) => checkup_masked_folder(data.unmatched_images(), data.unmatched_masks()),
            Err(_) => Vec::new(), // told below
        },
        _ => Vec::new(),
    };
    match source.open() {
        Ok(data) if !quick => {
            let found = inside(&*data);
            // What the names told already is not told again.
            let new = |finding: &Finding| findings.iter().all(|known| known.kind != finding.kind);
            let found: Vec<Finding> = found.into_iter().filter(new).collect();
            findings.extend(found);
        }
        Ok(_) => {}
        Err(error) if findings.iter().all(|finding| finding.severity != Severity::Error) => return Err(error),
        Err(_) => {}
    }
    findings.sort_by_key(|finding| finding.severity);
    Ok(findings)
}

fn inside(data: &dyn Dataset) -> Vec<Finding> {
    let mut progress = Progress::new(format!("looking into {}", data.info().name));
    let found = inspect(data, &transform(PresetName::Paper).0, |done| progress.count(done, data.len()));
    progress.finish();
    found
}

fn print(split: &str, findings: &[Finding]) {
    println!("{split}:");
    for Finding { severity, what, count, examples, remedy, .. } in findings {
        let word = match severity {
            Severity::Error => "ERROR",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let number = if examples.is_empty() { String::new() } else { format!("{count} ") };
        println!("  {word}: {number}{what}");
        examples.iter().for_each(|example| println!("      {example}"));
        if *count > examples.len() && !examples.is_empty() {
            println!("      and {} more", count - examples.len());
        }
        if !remedy.is_empty() && remedy != "nothing" {
            println!("    → {remedy}");
        }
    }
    if findings.is_empty() {
        println!("  nothing to complain of");
    }
}

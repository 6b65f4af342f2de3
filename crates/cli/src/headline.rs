//! `hard-imagenet headline`: the paper's comparison. The same models on Hard ImageNet, where surroundings give the class
//! away, and on RIVAL20, where they do so less; and the difference.

use crate::eval::Judged;
use crate::{report, sources};
use anyhow::{Context, Result};
use hard_imagenet::datasets::{Dataset, HardImageNet, Rival20, Split, Subset};
use hard_imagenet::models::Model;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    judged: Judged,
    /// ImageNet: a folder or an archive
    #[arg(long, value_name = "FOLDER", required_unless_present = "planted")]
    images: Option<PathBuf>,
    /// The masks of Hard ImageNet: a folder or the zip as published
    #[arg(long, value_name = "PATH", required_unless_present = "planted")]
    masks: Option<PathBuf>,
    /// The folder RIVAL10
    #[arg(long, value_name = "PATH", required_unless_present = "planted")]
    rival: Option<PathBuf>,
    /// Instead of photographs the generated pictures, hard and easy
    #[arg(long, conflicts_with_all = ["images", "masks", "rival"])]
    planted: bool,
    /// headline (what the table shows), quick, paper, or a TOML file
    #[arg(long, default_value = "headline", value_name = "NAME|FILE")]
    protocol: String,
    /// At most this many samples of each dataset, spread over the classes
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Folder for the results: a run folder for each dataset and model, and the tables report.html, .md, .tex, .csv, .json
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = |dataset: &dyn Dataset, model: &Model| args.output.join(&dataset.info().name).join(&model.spec().name);
    let runs = args.judged.judge(&args.protocol, (0, 1), || datasets(args), folder)?;
    report::tables(&runs, &args.output)?;
    report::finish(&runs, &args.output.join("report.html"))
}

/// The hard one first: differences are what it has more than the other.
fn datasets(args: &Args) -> Result<Vec<Box<dyn Dataset>>> {
    if args.planted {
        return ["planted-hard", "planted-easy"]
            .into_iter()
            .map(|word| sources::open_planted(word, args.limit))
            .collect();
    }
    let path = |path: &Option<PathBuf>, option| path.clone().with_context(|| format!("headline needs --{option}"));
    let (images, masks, rival) =
        (path(&args.images, "images")?, path(&args.masks, "masks")?, path(&args.rival, "rival")?);
    let hard = HardImageNet::open(masks, &images, Split::Val)?;
    let rival = Rival20::open(rival, &images, Split::Val)?;
    Ok(match args.limit {
        Some(n) => vec![Box::new(Subset::take_spread(hard, n)), Box::new(Subset::take_spread(rival, n))],
        None => vec![Box::new(hard), Box::new(rival)],
    })
}

//! `hard-imagenet headline`: repeats the paper's comparison. The same models are evaluated on Hard ImageNet, where the
//! surroundings reveal the class, and on RIVAL20, where they reveal less. The report shows the differences.

use crate::ending::Ending;
use crate::eval::ModelArgs;
use crate::{report, sources};
use anyhow::{Context, Result};
use hard_imagenet::datasets::{Dataset, HardImageNet, Rival20, Split, Subset};
use hard_imagenet::models::Model;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    models: ModelArgs,
    /// ImageNet, as a folder or an archive
    #[arg(long, value_name = "FOLDER", required_unless_present = "planted")]
    images: Option<PathBuf>,
    /// The masks of Hard ImageNet, as a folder or as the published zip file
    #[arg(long, value_name = "PATH", required_unless_present = "planted")]
    masks: Option<PathBuf>,
    /// The folder RIVAL10
    #[arg(long, value_name = "PATH", required_unless_present = "planted")]
    rival: Option<PathBuf>,
    /// Use generated images, hard and easy ones, instead of photographs
    #[arg(long, conflicts_with_all = ["images", "masks", "rival"])]
    planted: bool,
    /// The protocol: headline (what the table needs), quick, paper, or a TOML file
    #[arg(long, default_value = "headline", value_name = "NAME|FILE")]
    protocol: String,
    /// The largest number of samples of each dataset, spread over the classes
    #[arg(long, value_name = "N", value_parser = sources::positive)]
    limit: Option<usize>,
    /// Treat everything suspicious about the inputs as an error; all images and masks are looked at first
    #[arg(long)]
    strict_inputs: bool,
    /// The folder for the results: a run folder for each dataset and model, and report.html, .md, .tex, .csv and .json
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Ending> {
    let folder = |dataset: &dyn Dataset, model: &Model| args.output.join(&dataset.info().name).join(&model.spec().name);
    let evaluated = args.models.evaluate(&args.protocol, (0, 1), args.strict_inputs, || datasets(args), folder)?;
    report::tables(&evaluated.runs, &args.output)?;
    report::finish(&evaluated.runs, &args.output.join("report.html"))?;
    Ok(evaluated.ending)
}

/// Opens both datasets, the hard one first, because differences are those of the first dataset from the second.
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

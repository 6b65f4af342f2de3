//! `hard-imagenet headline`: the paper's comparison. The same models on Hard ImageNet, where surroundings give the class
//! away, and on RIVAL20, where they do so less; and the difference.

use crate::eval::{self, Plan};
use crate::options::{self, Compute, PresetName};
use crate::{report, sources};
use anyhow::{Context, Result};
use hard_imagenet::datasets::{Dataset, HardImageNet, Rival20, Split, Subset};
use hard_imagenet::evaluation::Protocol;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Models, as timm writes their names (* is a wildcard), or ONNX files
    #[arg(short, long = "model", value_name = "MODEL", required = true, num_args = 1..)]
    models: Vec<String>,
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
    /// The weights file of a single model, a folder of MODEL.safetensors, or hf:OWNER/NAME or hf:OWNER/NAME@REVISION;
    /// without it they come from timm's repositories on the Hugging Face hub
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    /// headline (what the table shows), quick, paper, or a TOML file
    #[arg(long, default_value = "headline", value_name = "NAME|FILE")]
    protocol: String,
    #[command(flatten)]
    compute: Compute,
    /// Pictures in one pass of the network
    #[arg(long, default_value_t = 16, value_name = "N")]
    batch_size: usize,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// At most this many samples of each dataset, spread over the classes
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Folder for the results: a run folder for each dataset and model, and the tables report.html, .md, .tex, .csv, .json
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    // Everything that can be wrong is found before hours of work begin.
    let names = options::expand(&args.models)?;
    let protocol: Protocol = eval::protocol(&args.protocol)?;
    let plan = Plan { protocol, preset: args.preset, seed: args.seed, batch_size: args.batch_size, shard: (0, 1) };
    let datasets = datasets(args)?;
    let device = args.compute.device()?;
    let load = |name: &String| options::load(name, args.weights.as_deref(), &device, args.compute.dtype());
    for name in &names {
        load(name)?;
    }
    let mut runs = Vec::new();
    for dataset in &datasets {
        for name in &names {
            let model = load(name)?;
            let folder = args.output.join(&dataset.info().name).join(&model.spec().name);
            runs.push(eval::evaluate(&**dataset, &model, &plan, &folder)?);
        }
    }
    report::tables(&runs, &args.output)?;
    report::finish(&runs, &args.output.join("report.html"))
}

/// The hard one first: differences are what it has more than the other.
fn datasets(args: &Args) -> Result<[Box<dyn Dataset>; 2]> {
    if args.planted {
        return Ok([sources::planted_hard(args.limit), sources::planted_easy(args.limit)]);
    }
    let path = |path: &Option<PathBuf>, option| path.clone().with_context(|| format!("headline needs --{option}"));
    let (images, masks, rival) =
        (path(&args.images, "images")?, path(&args.masks, "masks")?, path(&args.rival, "rival")?);
    let hard = HardImageNet::open(masks, &images, Split::Val)?;
    let rival = Rival20::open(rival, &images, Split::Val)?;
    Ok(match args.limit {
        Some(n) => [Box::new(Subset::spread(hard, n)), Box::new(Subset::spread(rival, n))],
        None => [Box::new(hard), Box::new(rival)],
    })
}

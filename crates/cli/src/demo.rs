//! `hard-imagenet demo`: the whole benchmark where the answer is known.
//!
//! Two small networks of one architecture were trained on generated pictures of eight objects (`examples/`,
//! `train-planted`). For the one, the scene always told the class; for the other, it told nothing. Both are judged
//! on pictures as hard as Hard ImageNet's and as easy as RIVAL's, so the reader sees what the benchmark says of a
//! model that leans on the surroundings, and of one that does not.

use crate::eval::{self, Plan};
use crate::options::{self, PresetName};
use crate::{report, sources};
use anyhow::Result;
use candle_core::{DType, Device};
use hard_imagenet::runs::Protocol;
use std::path::PathBuf;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Pictures of each kind
    #[arg(long, default_value_t = 200, value_name = "N")]
    limit: usize,
    #[arg(long, value_enum, default_value = "strict")]
    preset: PresetName,
    /// Folder for the results
    #[arg(short, long, default_value = "runs/demo", value_name = "FOLDER")]
    output: PathBuf,
}

/// Fewer strengths and trials than the paper's, enough for curves.
const PROTOCOL: &str = include_str!("../demo/protocol.toml");

pub(crate) fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let protocol = Protocol::from_toml(PROTOCOL)?;
    let plan = Plan { protocol, preset: args.preset, seed: 0, batch_size: 32, shard: (0, 1) };
    let mut runs = Vec::new();
    for word in ["planted-hard", "planted-easy"] {
        let dataset = sources::open_planted(word, Some(args.limit))?;
        for name in options::embedded_names() {
            let model = options::load(name, None, &Device::Cpu, DType::F32)?;
            let folder = args.output.join(&dataset.info().name).join(name);
            runs.push(eval::evaluate(&*dataset, &model, &plan, &folder)?);
        }
    }
    report::finish(&runs, &args.output.join("report.html"))?;
    println!("({:.0} seconds)", start.elapsed().as_secs_f64());
    Ok(())
}

//! `hard-imagenet demo`: runs the whole benchmark on a case with a known answer.
//!
//! Two small networks of the same architecture were trained on generated images of eight objects (`train-planted` in
//! `examples/`). In the training images of one network, the scene always revealed the class; in those of the other, it
//! revealed nothing. Both are evaluated on images as hard as those of Hard ImageNet and as easy as those of RIVAL. The
//! report shows what the benchmark says about a model that leans on the surroundings and about one that does not.

use crate::ending::Ending;
use crate::eval::{self, Settings};
use crate::model_reading::ModelReading;
use crate::options::{self, PresetName};
use crate::{report, sources};
use anyhow::Result;
use candle_core::{DType, Device};
use hard_imagenet::runs::Protocol;
use std::path::PathBuf;
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The number of images of each kind
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = sources::positive)]
    limit: usize,
    #[arg(long, value_enum, default_value = "strict")]
    preset: PresetName,
    /// The folder for the results
    #[arg(short, long, default_value = "runs/demo", value_name = "FOLDER")]
    output: PathBuf,
}

/// A protocol with fewer strengths and trials than the paper's, but enough for curves.
const PROTOCOL: &str = include_str!("../demo/protocol.toml");

pub(crate) fn run(args: &Args) -> Result<Ending> {
    let start = Instant::now();
    let protocol = Protocol::from_toml(PROTOCOL)?;
    let settings = Settings {
        protocol,
        preset: args.preset,
        seed: 0,
        batch_size: 32,
        shard: (0, 1),
        restart: false,
        strict_inputs: false,
    };
    let mut models = Vec::new();
    for name in options::embedded_names() {
        models.push((name, options::load(name, None, &ModelReading::default(), &Device::Cpu, DType::F32)?));
    }
    let mut runs = Vec::new();
    for word in ["planted-hard", "planted-easy"] {
        let dataset = sources::open_planted(word, Some(args.limit))?;
        for (name, model) in &models {
            let folder = args.output.join(&dataset.info().name).join(name);
            runs.push(eval::evaluate(&*dataset, model, &settings, &folder)?);
        }
    }
    report::finish(&runs, &args.output.join("report.html"))?;
    println!("({:.0} seconds)", start.elapsed().as_secs_f64());
    Ok(Ending::of_runs(&runs, 0.0))
}

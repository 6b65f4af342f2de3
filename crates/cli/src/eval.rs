//! `hard-imagenet eval`: models × dataset → run folders and a page.

use crate::options::{self, Compute, PresetName};
use crate::progress::Progress;
use crate::report;
use crate::sources::Source;
use anyhow::{Context, Result, anyhow, bail};
use hard_imagenet::datasets::Dataset;
use hard_imagenet::evaluation::{self, Evaluation};
use hard_imagenet::models::Model;
use hard_imagenet::runs::{Protocol, Run};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    judged: Judged,
    #[command(flatten)]
    source: Source,
    /// quick, paper, headline, or a TOML file
    #[arg(long, default_value = "paper", value_name = "NAME|FILE")]
    protocol: String,
    /// Evaluate only part I of N (counted from 0); parts may share the output folder
    #[arg(long, value_name = "I/N", value_parser = shard, default_value = "0/1")]
    shard: (usize, usize),
    /// Folder for the results: a run folder for each model, and report.html
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

/// Which models, by which rules, and how they are computed.
#[derive(clap::Args)]
pub(crate) struct Judged {
    /// Models, as timm writes their names (* is a wildcard), or ONNX files
    #[arg(short, long = "model", value_name = "MODEL", required = true, num_args = 1..)]
    models: Vec<String>,
    /// The weights file of a single model, a folder of MODEL.safetensors, or hf:OWNER/NAME, hf:OWNER/NAME@REVISION,
    /// hf:@REVISION; without it they come from timm's repositories on the Hugging Face hub
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    #[command(flatten)]
    compute: Compute,
    /// Pictures in one pass of the network
    #[arg(long, default_value_t = 16, value_name = "N")]
    batch_size: usize,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Judged {
    /// Every model on every dataset, each into the folder that `folder` names. Everything that can be wrong is found
    /// before hours of work begin.
    pub(crate) fn judge(
        &self,
        protocol: &str,
        shard: (usize, usize),
        open: impl FnOnce() -> Result<Vec<Box<dyn Dataset>>>,
        folder: impl Fn(&dyn Dataset, &Model) -> PathBuf,
    ) -> Result<Vec<Run>> {
        let names = options::expand_names(&self.models)?;
        if let (true, Some(file)) = (names.len() > 1, self.weights.as_deref().filter(|path| path.is_file())) {
            bail!(
                "{} is one file for {} models: pass the folder that holds <model>.safetensors",
                file.display(),
                names.len()
            );
        }
        let plan = Plan {
            protocol: self::protocol(protocol)?,
            preset: self.preset,
            seed: self.seed,
            batch_size: self.batch_size,
            shard,
        };
        let device = self.compute.device()?;
        let datasets = open()?;
        let load = |name: &String| options::load(name, self.weights.as_deref(), &device, self.compute.dtype());
        for name in &names {
            load(name)?;
        }
        let mut runs = Vec::new();
        for dataset in &datasets {
            for name in &names {
                let model = load(name)?;
                runs.push(evaluate(&**dataset, &model, &plan, &folder(&**dataset, &model))?);
            }
        }
        Ok(runs)
    }
}

/// What is asked of every model, and how it is computed.
pub(crate) struct Plan {
    pub(crate) protocol: Protocol,
    pub(crate) preset: PresetName,
    pub(crate) seed: u64,
    pub(crate) batch_size: usize,
    /// (index, count)
    pub(crate) shard: (usize, usize),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let open = || Ok(vec![args.source.open()?]);
    let folder = |_: &dyn Dataset, model: &Model| args.output.join(&model.spec().name);
    let runs = args.judged.judge(&args.protocol, args.shard, open, folder)?;
    report::finish(&runs, &args.output.join("report.html"))
}

/// One model on one dataset, with progress.
pub(crate) fn evaluate(dataset: &dyn Dataset, model: &Model, plan: &Plan, folder: &Path) -> Result<Run> {
    let mut progress = Progress::new(format!("{} on {}", model.spec().name, dataset.info().name));
    let (index, count) = plan.shard;
    let run = Evaluation::new(dataset)
        .protocol(plan.protocol.clone())
        .preset(plan.preset.into())
        .seed(plan.seed)
        .batch_size(plan.batch_size)
        .shard(index, count)
        .progress(|event| {
            progress.show(event);
            ControlFlow::Continue(())
        })
        .run(model, folder);
    progress.finish();
    Ok(run?)
}

/// A built-in protocol, or that of a file.
fn protocol(word: &str) -> Result<Protocol> {
    match word {
        "paper" => Ok(Protocol::paper()),
        "quick" => Ok(Protocol::quick()),
        "headline" => Ok(Protocol::headline()),
        file => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("--protocol is paper, quick, headline or a TOML file; cannot read {file}"))?;
            let protocol = Protocol::from_toml(&text).with_context(|| file.to_owned())?;
            evaluation::check_explainers(&protocol).with_context(|| file.to_owned())?;
            Ok(protocol)
        }
    }
}

/// Reads "2/8".
fn shard(text: &str) -> Result<(usize, usize)> {
    let wrong = || anyhow!("write I/N with I from 0 to N-1, such as 0/4");
    let (index, count) = text.split_once('/').ok_or_else(wrong)?;
    let (index, count) = (index.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
    if index < count { Ok((index, count)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::shard;

    #[test]
    fn shards_are_counted_from_zero() {
        assert_eq!(shard("0/4").unwrap(), (0, 4));
        assert_eq!(shard("3/4").unwrap(), (3, 4));
        for wrong in ["4/4", "1", "a/b", "-1/2", "0/0"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}

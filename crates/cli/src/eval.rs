//! `hard-imagenet eval`: evaluates models on a dataset and writes run folders and a page.

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
    models: ModelArgs,
    #[command(flatten)]
    source: Source,
    /// The protocol: quick, paper, headline, or a TOML file
    #[arg(long, default_value = "paper", value_name = "NAME|FILE")]
    protocol: String,
    /// Evaluate only shard I of N, counted from 0; shards may share the output folder
    #[arg(long, value_name = "I/N", value_parser = shard, default_value = "0/1")]
    shard: (usize, usize),
    /// The folder for the results: a run folder for each model, and report.html
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

/// The models to evaluate, and how.
#[derive(clap::Args)]
pub(crate) struct ModelArgs {
    /// The models by their timm names (* is a wildcard), or ONNX files
    #[arg(short, long = "model", value_name = "MODEL", required = true, num_args = 1..)]
    models: Vec<String>,
    /// The weights file of a single model, a folder of MODEL.safetensors, or hf:OWNER/NAME, hf:OWNER/NAME@REVISION,
    /// hf:@REVISION; by default, weights come from timm's repositories on the Hugging Face hub
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    #[command(flatten)]
    compute: Compute,
    /// The number of images in one forward pass
    #[arg(long, default_value_t = 16, value_name = "N")]
    batch_size: usize,
    /// The seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The largest number of models that are kept in memory at once. The table of the paper has ten.
const MODELS_KEPT: usize = 12;

impl ModelArgs {
    /// Evaluates every model on every dataset, each into the folder that `folder` returns. The runs are in the order of the
    /// datasets, then of the models.
    ///
    /// All models are loaded before the first evaluation, so that a mistake is reported before hours of work begin. If there
    /// are too many to keep, each is loaded again when it is its turn.
    pub(crate) fn evaluate(
        &self,
        protocol: &str,
        shard: (usize, usize),
        open: impl FnOnce() -> Result<Vec<Box<dyn Dataset>>>,
        folder: impl Fn(&dyn Dataset, &Model) -> PathBuf,
    ) -> Result<Vec<Run>> {
        let names = options::expand_names(&self.models)?;
        if let (true, Some(file)) = (names.len() > 1, self.weights.as_deref().filter(|path| path.is_file())) {
            bail!(
                "{} is one file for {} models: pass the folder that contains <model>.safetensors",
                file.display(),
                names.len()
            );
        }
        let settings = Settings {
            protocol: read_protocol(protocol)?,
            preset: self.preset,
            seed: self.seed,
            batch_size: self.batch_size,
            shard,
        };
        let device = self.compute.device()?;
        let datasets = open()?;
        let load = |name: &String| options::load(name, self.weights.as_deref(), &device, self.compute.dtype());
        let mut kept = Vec::new();
        for name in &names {
            let model = load(name)?;
            kept.push((names.len() <= MODELS_KEPT).then_some(model));
        }
        let mut runs: Vec<Vec<Run>> = datasets.iter().map(|_| Vec::new()).collect();
        for (name, kept) in names.iter().zip(kept) {
            let model = kept.map_or_else(|| load(name), Ok)?;
            for (dataset, runs) in datasets.iter().zip(&mut runs) {
                runs.push(evaluate(&**dataset, &model, &settings, &folder(&**dataset, &model))?);
            }
        }
        Ok(runs.into_iter().flatten().collect())
    }
}

/// What all evaluations of a command have in common.
pub(crate) struct Settings {
    pub(crate) protocol: Protocol,
    pub(crate) preset: PresetName,
    pub(crate) seed: u64,
    pub(crate) batch_size: usize,
    /// The index and the count.
    pub(crate) shard: (usize, usize),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let open = || Ok(vec![args.source.open()?]);
    let folder = |_: &dyn Dataset, model: &Model| args.output.join(&model.spec().name);
    let runs = args.models.evaluate(&args.protocol, args.shard, open, folder)?;
    report::finish(&runs, &args.output.join("report.html"))
}

/// Evaluates one model on one dataset and shows the progress.
pub(crate) fn evaluate(dataset: &dyn Dataset, model: &Model, settings: &Settings, folder: &Path) -> Result<Run> {
    let mut progress = Progress::new(format!("{} on {}", model.spec().name, dataset.info().name));
    let (index, count) = settings.shard;
    let run = Evaluation::new(dataset)
        .protocol(settings.protocol.clone())
        .preset(settings.preset.into())
        .seed(settings.seed)
        .batch_size(settings.batch_size)
        .shard(index, count)
        .progress(|event| {
            progress.show(event);
            ControlFlow::Continue(())
        })
        .run(model, folder);
    progress.finish();
    Ok(run?)
}

/// Returns a built-in protocol, or reads one from a file.
fn read_protocol(word: &str) -> Result<Protocol> {
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

/// Parses "2/8".
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

//! `hard-imagenet eval`: evaluates models on a dataset and writes run folders and a page.

use crate::ending::{Ending, MaxFailed};
use crate::interrupt;
use crate::model_reading::ModelReading;
use crate::options::{self, Compute, PresetName};
use crate::progress::Progress;
use crate::report;
use crate::sources::Source;
use anyhow::{Context, Result, anyhow, bail};
use candle_core::Device;
use hard_imagenet::datasets::Dataset;
use hard_imagenet::evaluation::{self, Evaluation};
use hard_imagenet::models::Model;
use hard_imagenet::runs::{Protocol, Run};
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
    #[command(flatten)]
    reading: ModelReading,
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
    /// Compute everything again, even what an earlier run of the same settings left in the folder
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    max_failed: MaxFailed,
}

/// The size of the weights that are kept in memory at once, in bytes. The table of the paper has ten models, together 2 GiB.
const KEPT: usize = 8 << 30;

/// What became of the models of a command.
pub(crate) struct Evaluated {
    /// The runs in the order of the datasets, then of the models.
    pub(crate) runs: Vec<Run>,
    pub(crate) ending: Ending,
}

impl ModelArgs {
    /// Evaluates every model on every dataset, each into the folder that `folder` returns. The runs are in the order of the
    /// datasets, then of the models.
    ///
    /// All models are loaded and checked before the first evaluation, so that a mistake is reported before hours of work begin.
    /// Only if their weights are too large to keep are models loaded again when it is their turn. A model that fails later is
    /// left out, and the others are evaluated.
    pub(crate) fn evaluate(
        &self,
        protocol: &str,
        shard: (usize, usize),
        strict_inputs: bool,
        open: impl FnOnce() -> Result<Vec<Box<dyn Dataset>>>,
        folder: impl Fn(&dyn Dataset, &Model) -> PathBuf,
    ) -> Result<Evaluated> {
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
            restart: self.restart,
            strict_inputs,
        };
        let device = self.compute.device()?;
        let datasets = open()?;
        let names = names.iter().zip(options::distinct_names(&names)).collect();
        let models = Models { args: self, device, names };
        let mut kept = models.load_and_check(&datasets, &settings, &folder)?.into_iter();
        let mut runs: Vec<Vec<Run>> = datasets.iter().map(|_| Vec::new()).collect();
        let mut failure = None;
        for at in 0..models.names.len() {
            let model = kept.next().flatten().map_or_else(|| models.load(at), Ok);
            let evaluated = model.and_then(|model| {
                let run = |data: &dyn Dataset| evaluate(data, &model, &settings, &folder(data, &model));
                datasets.iter().map(|dataset| run(&**dataset)).collect::<Result<Vec<Run>>>()
            });
            match evaluated {
                Ok(of_model) => runs.iter_mut().zip(of_model).for_each(|(runs, run)| runs.push(run)),
                // A single model that fails is the command's failure.
                Err(error) if models.names.len() == 1 => return Err(error),
                Err(error) => {
                    eprintln!("error: {} is left out: {}", models.names[at].0, crate::describe(&error));
                    failure = Some(error);
                }
            }
            if interrupt::was_asked() {
                break;
            }
        }
        let runs: Vec<Run> = runs.into_iter().flatten().collect();
        let left_out = if failure.is_some() { Ending::LeftOut } else { Ending::Complete };
        let interrupted = if interrupt::was_asked() { Ending::Incomplete } else { Ending::Complete };
        let ending = Ending::of_runs(&runs, self.max_failed.max_failed).max(left_out).max(interrupted);
        match failure {
            Some(error) if runs.is_empty() => Err(error.context("every model failed")),
            _ => Ok(Evaluated { runs, ending }),
        }
    }
}

/// The models of a command.
struct Models<'a> {
    args: &'a ModelArgs,
    device: Device,
    /// What the command line says, and the name if it must differ from the model's own.
    names: Vec<(&'a String, Option<String>)>,
}

impl Models<'_> {
    fn load(&self, at: usize) -> Result<Model> {
        let (name, own) = &self.names[at];
        let mut network = options::read(name, self.args.weights.as_deref(), &self.args.reading)?;
        if let Some(own) = own {
            network.spec.name.clone_from(own);
        }
        Ok(network.into_model(&self.device, self.args.compute.dtype())?)
    }

    /// Loads every model and checks that it can be evaluated on every dataset. Returns the models as long as their weights fit
    /// into what is kept, and `None` for the others.
    fn load_and_check(
        &self,
        datasets: &[Box<dyn Dataset>],
        settings: &Settings,
        folder: &impl Fn(&dyn Dataset, &Model) -> PathBuf,
    ) -> Result<Vec<Option<Model>>> {
        let (mut kept, mut size) = (Vec::new(), 0);
        for at in 0..self.names.len() {
            let model = self.load(at)?;
            for dataset in datasets {
                evaluation(&**dataset, settings).check(&model, folder(&**dataset, &model))?;
            }
            let bytes = model.weights().values().map(|weight| weight.elem_count() * weight.dtype().size_in_bytes());
            size += bytes.sum::<usize>();
            kept.push((size <= KEPT).then_some(model));
        }
        Ok(kept)
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
    pub(crate) restart: bool,
    pub(crate) strict_inputs: bool,
}

pub(crate) fn run(args: &Args) -> Result<Ending> {
    let open = || Ok(vec![args.source.open()?]);
    let folder = |_: &dyn Dataset, model: &Model| args.output.join(&model.spec().name);
    let evaluated = args.models.evaluate(&args.protocol, args.shard, args.source.strict_inputs, open, folder)?;
    report::finish(&evaluated.runs, &args.output.join("report.html"))?;
    Ok(evaluated.ending)
}

/// Prepares the evaluation of a dataset.
fn evaluation<'a>(dataset: &'a dyn Dataset, settings: &Settings) -> Evaluation<'a> {
    let (index, count) = settings.shard;
    Evaluation::new(dataset)
        .protocol(settings.protocol.clone())
        .preset(settings.preset.into())
        .seed(settings.seed)
        .batch_size(settings.batch_size)
        .shard(index, count)
        .restart(settings.restart)
        .strict_inputs(settings.strict_inputs)
}

/// Evaluates one model on one dataset and shows the progress.
pub(crate) fn evaluate(dataset: &dyn Dataset, model: &Model, settings: &Settings, folder: &Path) -> Result<Run> {
    interrupt::listen();
    let mut progress = Progress::new(format!("{} on {}", model.spec().name, dataset.info().name));
    let run = evaluation(dataset, settings)
        .progress(|event| {
            progress.show(event);
            interrupt::flow()
        })
        .run(model, folder);
    progress.finish();
    let run = run?;
    if interrupt::was_asked() {
        let (all, missing) = (run.description().parts(), run.missing_parts().len());
        eprintln!(
            "interrupted: {} of {all} parts are kept in {}; the same command resumes there",
            all - missing,
            folder.display()
        );
    }
    Ok(run)
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

//! `hard-imagenet finetune`: a head, a part or all of a model learns a dataset, for the right reasons or the usual ones.

use crate::options::{self, PresetName};
use crate::progress::Progress;
use crate::sources::Source;
use anyhow::{Context, Result, bail};
use candle_core::Device;
use clap::ValueEnum;
use hard_imagenet::datasets::Dataset;
use hard_imagenet::models::{self, Network};
use hard_imagenet::training::{
    BatchNormMode, Epoch, Groups, Objective, Recipe, Schedule, TrainableWeights, Trainer, TrainingEvent,
    TrainingOutcome, UpdateRule, deep_feature_reweighting, replace_head,
};
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model, as timm writes its name, or an ONNX file
    #[arg(short, long)]
    model: String,
    /// A weights file, a folder that holds MODEL.safetensors, or a place on the Hugging Face hub as for eval
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// What for: erm, background-noise[:σ], core-risk[:σ], background-only, object-only, published-saliency,
    /// input-gradient[:λ], grad-cam[:λ], group-balanced, group-dro[:η], or reweighting[:draws]
    #[arg(long, default_value = "erm", value_name = "WORD")]
    objective: String,
    /// Which weights learn: head, all, or the name of a node behind which they do
    #[arg(long, default_value = "head", value_name = "PART")]
    part: String,
    /// Two groups of each class, for the objectives that ask for groups
    #[arg(long, value_enum, default_value = "object-size")]
    groups: GroupsBy,
    /// Draw a new head even if the model's has as many classes as the dataset
    #[arg(long)]
    new_head: bool,
    #[arg(long, value_enum, default_value = "adam")]
    rule: RuleName,
    /// Highest learning rate
    #[arg(long, default_value_t = 5e-4, value_name = "RATE")]
    rate: f64,
    /// Weight decay
    #[arg(long, default_value_t = 1e-4, value_name = "λ")]
    decay: f64,
    #[arg(long, value_enum, default_value = "constant")]
    schedule: ScheduleName,
    /// Steps in which the rate rises first
    #[arg(long, default_value_t = 0, value_name = "STEPS")]
    warm_up: usize,
    #[arg(long, default_value_t = 15, value_name = "N")]
    epochs: usize,
    /// Pictures a step
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch_size: usize,
    /// Label smoothing, in [0, 1)
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    smoothing: f64,
    /// Random crops and mirror images
    #[arg(long)]
    augment: bool,
    /// What batch norms do; by default they are frozen, with --preset paper their changes are dropped as in the published
    /// code (Q11)
    #[arg(long, value_enum)]
    batch_norms: Option<BatchNormsName>,
    /// Compute in bf16, keep weights in f32
    #[arg(long)]
    bf16: bool,
    /// Stop after N epochs without a better validation accuracy
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[arg(long, value_enum, default_value = "strict")]
    preset: PresetName,
    /// Where to run: auto, cpu, cuda:0, metal
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
    /// Folder for MODEL.safetensors, epochs.csv, recipe.json, and the checkpoint to go on from
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroupsBy {
    /// Smaller and larger objects
    ObjectSize,
    /// Stronger and weaker cues in a ranking (--ranks)
    Ranks,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RuleName {
    Adam,
    Adamw,
    /// With a momentum of 0.9
    Sgd,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScheduleName {
    Constant,
    Cosine,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BatchNormsName {
    Frozen,
    Dropped,
    Followed,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let draws = reweighting(&args.objective)?;
    let recipe = recipe(args, draws.is_some())?;
    let (data, validation) = args.source.open_both()?;
    if data.is_empty() {
        bail!("there is no picture to learn from");
    }
    let device = models::device(&args.device)?;
    let classes = data.info().classes.len();
    let network = load(args, &device)?;
    let fresh = args.new_head || network.spec.classes != classes;
    let network = if fresh { replace_head(network, classes, args.seed)? } else { network };
    let head = if fresh { "a new head" } else { "its own head" };
    eprintln!(
        "{} with {head} of {classes} classes: {} pictures of {}, {} to measure on",
        args.model,
        data.len(),
        data.info().name,
        validation.len()
    );
    let groups = match recipe.objective.needs_groups() || draws.is_some() {
        true => Some(groups(args.groups, &*data)?),
        false => None,
    };
    std::fs::create_dir_all(&args.output).with_context(|| format!("cannot make {}", args.output.display()))?;
    let json = serde_json::to_string_pretty(&recipe)? + "\n";
    options::write(&args.output.join("recipe.json"), json)?;

    let mut progress = Progress::new(format!("finetune {}", args.model));
    let started = std::time::Instant::now();
    let listen = |event: TrainingEvent<'_>| {
        match event {
            TrainingEvent::Features { done, total } => progress.count(done, total),
            TrainingEvent::Step { done, total, loss } => progress.step(done, total, loss, started.elapsed()),
            TrainingEvent::Epoch(epoch) => progress.line(&said(epoch)),
        }
        ControlFlow::Continue(())
    };
    let finetuned = match (draws, groups) {
        (Some(draws), Some(groups)) => deep_feature_reweighting(&network, &recipe, &*data, &groups, draws, listen),
        (_, groups) => {
            let training = Trainer::new(network, recipe).checkpoints(&args.output).validation(&*validation);
            let training = match groups {
                Some(groups) => training.groups(groups),
                None => training,
            };
            training.run(&*data, listen)
        }
    };
    progress.finish();
    let TrainingOutcome { network, epochs, failures } = finetuned?;
    for failure in failures.iter().take(5) {
        eprintln!("{} is left out: {}", failure.sample, failure.error);
    }
    options::write(&args.output.join("epochs.csv"), epochs_csv(&epochs))?;
    let file = args.output.join(format!("{}.safetensors", network.spec.name));
    candle_core::safetensors::save(&network.weights, &file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    options::print(&[
        format!("weights: {}", options::absolute(&file).display()),
        format!("judge it: hard-imagenet eval -m {} --weights {} ..", args.model, file.display()),
    ])
}

fn load(args: &Args, device: &Device) -> Result<Network> {
    let given = args.weights.as_deref();
    let network = if models::onnx::is_file(&args.model) {
        let file = Path::new(&args.model);
        models::onnx::read(file, options::onnx_weights(file, given)?.as_deref(), None)?
    } else {
        models::zoo::read(&args.model, &options::choose_weights(&args.model, given)?)?
    };
    Ok(network.to_device(device)?)
}

/// The number of draws, if the objective is reweighting.
fn reweighting(objective: &str) -> Result<Option<usize>> {
    match objective.split_once(':') {
        None if objective == "reweighting" => Ok(Some(10)),
        Some(("reweighting", draws)) => {
            let draws: usize = draws.parse().with_context(|| format!("reweighting:{draws}: a number of draws"))?;
            Ok(Some(draws))
        }
        _ => Ok(None),
    }
}

fn recipe(args: &Args, reweighting: bool) -> Result<Recipe> {
    let decay = args.decay;
    let paper = matches!(args.preset, PresetName::Paper);
    Ok(Recipe {
        objective: if reweighting { Objective::Erm } else { Objective::parse(&args.objective)? },
        trainable: match args.part.as_str() {
            "head" => TrainableWeights::Head,
            "all" => TrainableWeights::All,
            node => TrainableWeights::After(node.to_owned()),
        },
        rule: match args.rule {
            RuleName::Adam => UpdateRule::Adam { decay },
            RuleName::Adamw => UpdateRule::AdamW { decay },
            RuleName::Sgd => UpdateRule::Sgd { momentum: 0.9, decay },
        },
        learning_rate: args.rate,
        schedule: match args.schedule {
            ScheduleName::Constant => Schedule::Constant,
            ScheduleName::Cosine => Schedule::Cosine,
        },
        warm_up: args.warm_up,
        epochs: args.epochs,
        batch_size: args.batch_size,
        label_smoothing: args.smoothing,
        augment: args.augment,
        batch_norms: match args.batch_norms {
            None if paper => BatchNormMode::Dropped,
            None | Some(BatchNormsName::Frozen) => BatchNormMode::Frozen,
            Some(BatchNormsName::Dropped) => BatchNormMode::Dropped,
            Some(BatchNormsName::Followed) => BatchNormMode::Followed,
        },
        bf16: args.bf16,
        patience: args.patience,
        seed: args.seed,
        preset: args.preset.into(),
    })
}

fn groups(by: GroupsBy, data: &dyn Dataset) -> Result<Groups> {
    match by {
        GroupsBy::ObjectSize => {
            let sizes: Vec<Option<f32>> = (0..data.len())
                .map(|i| {
                    let mask = data.get(i).ok()?.mask;
                    let on = mask.data.iter().filter(|&&ink| ink >= 128).count();
                    Some(on as f32 / mask.data.len().max(1) as f32)
                })
                .collect();
            Ok(Groups::split_by(data, |i| sizes[i]))
        }
        GroupsBy::Ranks => {
            if (0..data.len()).all(|i| data.cue_rank(i).is_none()) {
                bail!("no picture has a place in a ranking: pass --ranks FILE, which `hard-imagenet rank` makes");
            }
            Ok(Groups::split_by(data, |i| data.cue_rank(i)))
        }
    }
}

fn said(epoch: &Epoch) -> String {
    let mut line =
        format!("epoch {:3}  loss {:.4}  accuracy {:.1} %", epoch.number, epoch.loss, 100.0 * epoch.accuracy);
    if let Some(penalty) = epoch.penalty {
        let _ = write!(line, "  penalty {penalty:.4}");
    }
    if let Some(validation) = epoch.validation {
        let _ = write!(line, "  validation {:.1} %", 100.0 * validation);
    }
    line
}

fn epochs_csv(epochs: &[Epoch]) -> String {
    let mut out = String::from("epoch,loss,accuracy,penalty,validation\n");
    for Epoch { number, loss, accuracy, penalty, validation } in epochs {
        let text = |value: &Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let _ = writeln!(out, "{number},{loss},{accuracy},{},{}", text(penalty), text(validation));
    }
    out
}

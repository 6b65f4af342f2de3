//! `hard-imagenet finetune`: trains a head, some layers or a whole model on a dataset.

use crate::ending::{Ending, MaxFailed};
use crate::findings::{self, FIRST};
use crate::model_reading::ModelReading;
use crate::options::{self, PresetName};
use crate::progress::Progress;
use crate::sources::Source;
use anyhow::{Context, Result, bail};
use candle_core::Device;
use clap::ValueEnum;
use hard_imagenet::datasets::Dataset;
use hard_imagenet::evaluation::check_inputs;
use hard_imagenet::images::MaskRule;
use hard_imagenet::models::{self, Network};
use hard_imagenet::training::{
    BatchNormMode, Groups, OBJECTIVES, ObjectiveInfo, Recipe, Schedule, TrainableWeights, Trainer, TrainingEvent,
    TrainingMethod, UpdateRule, deep_feature_reweighting, replace_head,
};
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model by its timm name, or an ONNX file
    #[arg(short, long)]
    model: String,
    /// A weights file, a folder that contains MODEL.safetensors, or a place on the Hugging Face hub as for eval
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    reading: ModelReading,
    #[command(flatten)]
    source: Source,
    #[arg(long, default_value = "erm", value_name = "WORD", help = format!("What to minimize: {}", objective_words()))]
    objective: String,
    /// Which weights learn: head, all, or the name of a node after which they learn
    #[arg(long, default_value = "head", value_name = "PART")]
    part: String,
    /// How each class is split into two groups, for objectives that need groups
    #[arg(long, value_enum, default_value = "object-size")]
    groups: GroupsBy,
    /// Draw a new head even if the model's head has as many classes as the dataset
    #[arg(long)]
    new_head: bool,
    /// Optimizer
    #[arg(long, value_enum, default_value = "adam")]
    rule: RuleName,
    /// Highest learning rate
    #[arg(long, default_value_t = 5e-4, value_name = "RATE")]
    rate: f64,
    /// Weight decay
    #[arg(long, default_value_t = 1e-4, value_name = "λ")]
    decay: f64,
    /// How the learning rate changes after the warm-up
    #[arg(long, value_enum, default_value = "constant")]
    schedule: ScheduleName,
    /// Number of steps during which the learning rate rises at the start
    #[arg(long, default_value_t = 0, value_name = "STEPS")]
    warm_up: usize,
    /// How often every image is seen
    #[arg(long, default_value_t = 15, value_name = "N")]
    epochs: usize,
    /// Images per step
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch_size: usize,
    /// Label smoothing, in [0, 1)
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    smoothing: f64,
    /// Crop and mirror the images randomly
    #[arg(long)]
    augment: bool,
    /// What batch norms do; by default they are frozen, and with --preset paper their changes are dropped as in the
    /// published code (Q11)
    #[arg(long, value_enum)]
    batch_norms: Option<BatchNormsName>,
    /// Compute in bf16 and keep the weights in f32
    #[arg(long)]
    bf16: bool,
    /// Stop after N epochs without a better validation accuracy
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Seed of the order, of augmentation and noise, and of a new head
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Whether to reproduce the published code with its quirks
    #[arg(long, value_enum, default_value = "strict")]
    preset: PresetName,
    /// Where to run: auto, cpu, cuda:0, metal
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,
    /// Folder for MODEL.safetensors, epochs.csv, recipe.json and the checkpoint to resume from
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    #[command(flatten)]
    max_failed: MaxFailed,
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

/// Returns the words of all objectives with their parameters, for the help text.
fn objective_words() -> String {
    let word = |info: &ObjectiveInfo| match info.parameter {
        Some(parameter) => format!("{}[:{}]", info.word, parameter.symbol),
        None => info.word.to_owned(),
    };
    let words: Vec<String> = OBJECTIVES.iter().map(word).collect();
    format!("{}, or reweighting[:draws]", words.join(", "))
}

pub(crate) fn run(args: &Args) -> Result<Ending> {
    let method = TrainingMethod::parse(&args.objective)?;
    let recipe = recipe(args, method);
    let (data, validation) = args.source.open_both()?;
    if data.is_empty() {
        bail!("the dataset has no images to learn from");
    }
    let network = network(args, &*data, validation.len())?;
    let strict = args.source.strict_inputs;
    let transform = network.spec.preprocess.paired_transform(MaskRule::Half);
    for (part, data) in [("training", &data), ("validation", &validation)] {
        let found = check_inputs(&**data, &transform, if strict { data.len() } else { FIRST });
        findings::report(part, &found, strict)?;
    }
    let groups = if method.needs_groups() { Some(groups(args.groups, &*data)?) } else { None };
    recipe.write(&args.output)?;

    let mut progress = Progress::new(format!("finetune {}", args.model));
    let started = std::time::Instant::now();
    let listener = |event: &TrainingEvent<'_>| {
        match *event {
            TrainingEvent::Features { done, total } => progress.count(done, total),
            TrainingEvent::Step { done, total, loss } => progress.step(done, total, loss, started.elapsed()),
            TrainingEvent::Epoch(epoch) => progress.line(&epoch.to_string()),
        }
        ControlFlow::Continue(())
    };
    let outcome = match (method, groups) {
        (TrainingMethod::Reweighting { draws }, Some(groups)) => {
            deep_feature_reweighting(&network, &recipe, &*data, &groups, draws, listener)
        }
        (_, groups) => {
            let trainer = Trainer::new(network, recipe).checkpoints(&args.output).validation(&*validation);
            let trainer = match groups {
                Some(groups) => trainer.groups(groups),
                None => trainer,
            };
            trainer.train(&*data, listener)
        }
    };
    progress.finish();
    let outcome = outcome?;
    for skipped in outcome.skipped.iter().take(5) {
        eprintln!("{} is skipped: {}", skipped.sample, skipped.error);
    }
    let file = outcome.write(&args.output)?;
    options::print(&[
        format!("weights: {}", options::absolute(&file).display()),
        format!("evaluate it: hard-imagenet eval -m {} --weights {} ..", args.model, file.display()),
    ])?;
    Ok(Ending::of_samples(outcome.skipped.len(), data.len(), args.max_failed.max_failed))
}

/// Loads the network, with a new head if the options or the dataset ask for one.
fn network(args: &Args, data: &dyn Dataset, validation: usize) -> Result<Network> {
    let classes = data.info().classes.len();
    let network = load(args, &models::device(&args.device)?)?;
    let has_new_head = args.new_head || network.spec.classes != classes;
    let network = if has_new_head { replace_head(network, classes, args.seed)? } else { network };
    eprintln!(
        "{} with {} head for {classes} classes: {} images of {} for training, {validation} for validation",
        args.model,
        if has_new_head { "a new" } else { "its own" },
        data.len(),
        data.info().name,
    );
    Ok(network)
}

fn load(args: &Args, device: &Device) -> Result<Network> {
    let network = options::read(&args.model, args.weights.as_deref(), &args.reading)?;
    findings::report(&args.model, &network.findings, args.source.strict_inputs)?;
    Ok(network.to_device(device)?)
}

fn recipe(args: &Args, method: TrainingMethod) -> Recipe {
    let decay = args.decay;
    let preset = args.preset.into();
    Recipe {
        objective: method.objective(),
        trainable: TrainableWeights::parse(&args.part),
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
            None => Recipe::default_batch_norms(preset),
            Some(BatchNormsName::Frozen) => BatchNormMode::Frozen,
            Some(BatchNormsName::Dropped) => BatchNormMode::Dropped,
            Some(BatchNormsName::Followed) => BatchNormMode::Followed,
        },
        bf16: args.bf16,
        patience: args.patience,
        seed: args.seed,
        preset,
    }
}

fn groups(by: GroupsBy, data: &dyn Dataset) -> Result<Groups> {
    match by {
        GroupsBy::ObjectSize => Ok(Groups::split_by_object_size(data)),
        GroupsBy::Ranks => {
            Groups::split_by_cue_rank(data).context("pass a ranking with --ranks FILE; `hard-imagenet rank` writes one")
        }
    }
}

//! `hard-imagenet rank`: which features of a model are spurious, which classes are hard, which images show the cue.

use crate::ending::{Ending, MaxFailed};
use crate::findings::{self, FIRST};
use crate::model_reading::ModelReading;
use crate::options::{self, Compute};
use crate::progress::Progress;
use crate::sources::Source;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use hard_imagenet::datasets::{Dataset, Rankings};
use hard_imagenet::evaluation::{EvaluationError, Features, RankedDataset, check_inputs, open_verdict_source};
use hard_imagenet::findings::Finding;
use hard_imagenet::findings::kinds::results::INPUTS_CHANGED;
use hard_imagenet::images::MaskRule;
use hard_imagenet::metrics::{Averaging, Options, Scores, compare_ends};
use hard_imagenet::ranking::{
    Aggregate, Ranking, RankingError, RankingStudy, StudyOptions, VERDICT_SOURCES, VerdictSourceInfo,
};
use hard_imagenet::report::ranks_html;
use hard_imagenet::runs::{Conditions, Run};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: Make,
}

#[derive(Subcommand)]
enum Command {
    /// Count the spurious ones among the important features of each class, which shows the hard classes
    Classes(Box<Make>),
    /// Compare the first images of each class in a ranking with the last, under every condition of a run that was
    /// evaluated with --ranks
    Ends(Ends),
    /// Compare two rankings (paths_by_rank.pkl or .json; the first image of a class has the strongest cues)
    Compare(Compare),
}

#[derive(clap::Args)]
struct Make {
    /// The model whose features are ranked; the published method takes an l2-robust ResNet-50 (weights imagenet_l2_3_0)
    #[arg(short, long, default_value = "resnet50.robust_l2_eps3")]
    model: String,
    /// A weights file, a folder that contains MODEL.safetensors, or a place on the Hugging Face hub as for eval
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    reading: ModelReading,
    #[command(flatten)]
    source: Source,
    /// How many of the most important features of each class are looked at
    #[arg(long, default_value_t = 5, value_name = "N")]
    features: usize,
    #[arg(long, default_value = "masks", value_name = "WORD|FILE", help = verdicts_help())]
    verdicts: String,
    #[arg(long, default_value = "sum", value_name = "WORD", help = aggregate_help())]
    by: String,
    #[command(flatten)]
    compute: Compute,
    /// Images in one pass of the network
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch_size: usize,
    /// Folder for features.safetensors, features.csv, classes.csv, paths_by_rank.json and .pkl, and rank.html
    #[arg(short, long, value_name = "FOLDER", default_value = "runs/rank")]
    output: PathBuf,
    #[command(flatten)]
    max_failed: MaxFailed,
}

#[derive(clap::Args)]
struct Ends {
    /// A run folder of eval
    run: PathBuf,
    /// Number of images of each class at either end
    #[arg(short, default_value_t = 100)]
    k: usize,
}

#[derive(clap::Args)]
struct Compare {
    first: PathBuf,
    second: PathBuf,
    /// Number of images with the strongest cues whose overlap is measured
    #[arg(long, default_value_t = 100, value_name = "K")]
    first_k: usize,
}

fn verdicts_help() -> String {
    let line = |source: &VerdictSourceInfo| format!("\n{}: {}", source.word, source.sentence);
    let lines: String = VERDICT_SOURCES.iter().map(line).collect();
    format!(
        "Which source decides what features are spurious:{lines}\nFILE: a CSV table with the columns class, feature and \
         verdict (core or spurious), or the answers that Salient ImageNet publishes"
    )
}

fn aggregate_help() -> String {
    let words = Aggregate::ALL.map(|(word, _)| word).join(", ");
    format!("How the activations of several features become one score: {words}")
}

pub(crate) fn run(args: &Args) -> Result<Ending> {
    match &args.command {
        Some(Command::Compare(compare)) => self::compare(compare).map(|()| Ending::Complete),
        Some(Command::Ends(ends)) => self::ends(ends).map(|()| Ending::Complete),
        Some(Command::Classes(make)) => rank(make, false),
        None => rank(&args.make, true),
    }
}

fn rank(args: &Make, page: bool) -> Result<Ending> {
    let words = Aggregate::ALL.map(|(word, _)| word).join(", ");
    let aggregate = Aggregate::parse(&args.by).with_context(|| format!("--by is one of {words}, not '{}'", args.by))?;
    let study = StudyOptions { features: args.features, source: open_verdict_source(&args.verdicts)?, aggregate };
    let dataset = args.source.open()?;
    let model = options::load(
        &args.model,
        args.weights.as_deref(),
        &args.reading,
        &args.compute.device()?,
        args.compute.dtype(),
    )?;
    let features = Features::new(&*dataset, &model, args.batch_size)?;
    let transform = model.spec().preprocess.paired_transform(MaskRule::Half);
    let strict = args.source.strict_inputs;
    let found = check_inputs(&*dataset, &transform, if strict { dataset.len() } else { FIRST });
    let found: Vec<Finding> = model.findings().iter().cloned().chain(found).collect();
    findings::report(&args.model, &found, strict)?;
    let label = format!("features of {} on {}", model.spec().name, dataset.info().name);
    let ranked = with_progress(label, |progress| features.rank(&args.output, study, progress));
    let RankedDataset { study, failures, changed } = match ranked {
        Err(EvaluationError::Ranking(error @ RankingError::NoVerdicts { .. })) => {
            return Err(error).context("pass --verdicts masks");
        }
        ranked => ranked?,
    };
    if let Some(finding) = INPUTS_CHANGED.about(&changed) {
        findings::print("rank", &[finding]);
    }
    for (id, error) in failures.iter().take(5) {
        eprintln!("{id} is skipped: {error}");
    }
    let mut lines = class_table(&study);
    lines.extend(agreement_lines(&study));
    if page {
        let mut page = with_progress("images of the page", |progress| features.ranking_page(&study, progress))?;
        page.findings = found;
        let path = args.output.join("rank.html");
        options::write(&path, ranks_html(&page))?;
        lines.push(format!("page: {}", options::absolute(&path).display()));
    }
    options::print(&lines)?;
    Ok(Ending::of_samples(failures.len(), dataset.len(), args.max_failed.max_failed))
}

/// Shows a progress bar during some work.
fn with_progress<T>(
    label: impl Into<String>,
    work: impl FnOnce(&mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> T,
) -> T {
    let mut bar = Progress::new(label);
    let result = work(&mut |done, total| {
        bar.count(done, total);
        ControlFlow::Continue(())
    });
    bar.finish();
    result
}

fn class_table(study: &RankingStudy) -> Vec<String> {
    let mut lines = vec![format!("{:24} {:>8} {:>6} {:>6}", "class", "spurious", "core", "share")];
    for class in &study.classes {
        let share = class.share.map_or("–".to_owned(), |share| format!("{share:.2}"));
        let name = &study.bank.identity.classes[class.class as usize];
        let mark = if class.is_hard() { "  hard" } else { "" };
        lines.push(format!("{name:24} {:8} {:6} {share:>6}{mark}", class.spurious, class.core));
    }
    lines
}

fn agreement_lines(study: &RankingStudy) -> Vec<String> {
    let first = study.sources.first().map_or("", |source| source.name.as_str());
    let line = |(other, agreement): (&str, hard_imagenet::ranking::Agreement)| {
        let both: usize = agreement.table.iter().flatten().sum();
        let kappa = agreement.kappa.map_or("undefined".to_owned(), |kappa| format!("{kappa:.2}"));
        let disagreements = agreement.disagreements.len();
        format!("{first} and {other}: κ {kappa}; both decide {both} features and disagree on {disagreements}")
    };
    study.agreements().into_iter().map(line).collect()
}

fn compare(args: &Compare) -> Result<()> {
    let (first, second) = (read(&args.first)?, read(&args.second)?);
    let comparisons = first.compare(&second, args.first_k);
    if comparisons.is_empty() {
        bail!("{} and {} have no class in common", args.first.display(), args.second.display());
    }
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    let first_k = format!("first {}", args.first_k);
    let mut lines = vec![format!("{:24} {:>6} {:>9} {:>8} {first_k:>12}", "class", "common", "Spearman", "Kendall")];
    for one in &comparisons {
        let (spearman, kendall, overlap) = (number(one.spearman), number(one.kendall), number(one.overlap));
        lines.push(format!("{:24} {:6} {spearman:>9} {kendall:>8} {overlap:>12}", one.class, one.common));
    }
    options::print(&lines)
}

fn ends(args: &Ends) -> Result<()> {
    let run = Run::open(&args.run)?;
    let ends = compare_ends(run.records(), args.k, &Options::default());
    let mut ends = ends.with_context(|| {
        let folder = args.run.display();
        format!("no image of {folder} has a place in a ranking: evaluate the model again with --ranks FILE")
    })?;
    let conditions = Conditions::new([run.description()]);
    ends.strongest.sort_conditions(|a, b| conditions.compare(a, b));
    let mut lines = vec![format!("{:14} {:18} {:>9} {:>9}  difference", "metric", "condition", "strongest", "weakest")];
    for metric in &ends.strongest.metrics {
        for score in &metric.scores {
            let of = |scores: &Scores| scores.headline(&metric.id, &score.condition);
            let average = if metric.id == "rfs" { Averaging::Class } else { Averaging::Sample };
            let difference = ends.difference.get(&metric.id, &score.condition).and_then(|d| d.mean(average));
            if let (Some(first), Some(last), Some(d)) = (of(&ends.strongest), of(&ends.weakest), difference) {
                let (id, condition) = (&metric.id, &score.condition);
                lines.push(format!(
                    "{id:14} {condition:18} {:9.3} {:9.3}  {:.3} [{:.3}, {:.3}]",
                    first.value, last.value, d.value, d.low, d.high
                ));
            }
        }
    }
    options::print(&lines)
}

/// Reads a ranking in either published form.
fn read(path: &Path) -> Result<Ranking> {
    Ok(Ranking::from_lists(Rankings::read(path)?.lists()))
}

//! `hard-imagenet rank`: which features of a model are spurious, which classes are hard, which pictures show the cue.

use crate::options::{self, Compute};
use crate::progress::Progress;
use crate::sources::Source;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use hard_imagenet::datasets::{Dataset, FeatureAnswers, Rankings, read_answers};
use hard_imagenet::evaluation::Features;
use hard_imagenet::images::Rgb8;
use hard_imagenet::metrics::{Averaging, Estimate, Options, Scores, compare_ends};
use hard_imagenet::ranking::{
    Aggregate, Agreement, ClassHardness, FeatureBank, FeatureId, MaskCriterion, RankedImage, Ranking, Verdict,
    Verdicts, VoteTable, Votes, accuracy_by_decile, class_importance, measure_agreement, published_votes, rank_classes,
    read_verdicts, top_features, top_images, verdicts_from_votes,
};
use hard_imagenet::report::{RankClass, RankFeature, RankInput, Thumbnail, ranks_html};
use hard_imagenet::runs::{Conditions, Run};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
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
    /// How many of the important features of each class are spurious: which classes are hard
    Classes(Box<Make>),
    /// The first of each class in a ranking against the last, under every condition of a run that was judged with --ranks
    Ends(Ends),
    /// How alike two rankings are: paths_by_rank.pkl or .json, the first of a class being the strongest
    Compare(Compare),
}

#[derive(clap::Args)]
struct Make {
    /// The model whose features are looked at; the original takes an l2-robust ResNet-50 (weights imagenet_l2_3_0)
    #[arg(short, long, default_value = "resnet50.robust_l2_eps3")]
    model: String,
    /// A weights file, a folder that holds MODEL.safetensors, or a place on the Hugging Face hub as for eval
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Important features of each class that are looked at
    #[arg(long, default_value_t = 5, value_name = "N")]
    features: usize,
    /// Who says which features are spurious: masks, votes (published, of the robust ResNet-50, for 15 classes), or a CSV: one's
    /// own with the columns class, feature, verdict (core or spurious), or Salient ImageNet's answers of workers
    #[arg(long, default_value = "masks", value_name = "WORD|FILE")]
    verdicts: String,
    /// How the activations of several features become one score: sum, weighted-sum, maximum, z-score, mean-rank,
    /// advantage
    #[arg(long, default_value = "sum", value_name = "WORD")]
    by: String,
    #[command(flatten)]
    compute: Compute,
    /// Pictures in one pass of the network
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch_size: usize,
    /// Folder for features.safetensors, features.csv, classes.csv, paths_by_rank.json and .pkl, and rank.html
    #[arg(short, long, value_name = "FOLDER", default_value = "runs/rank")]
    output: PathBuf,
}

#[derive(clap::Args)]
struct Ends {
    /// A run folder of eval
    run: PathBuf,
    /// So many pictures of each class at either end
    #[arg(short, default_value_t = 100)]
    k: usize,
}

#[derive(clap::Args)]
struct Compare {
    first: PathBuf,
    second: PathBuf,
    /// The overlap is of so many pictures with the strongest cues
    #[arg(long, default_value_t = 100, value_name = "K")]
    first_k: usize,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Compare(compare)) => self::compare(compare),
        Some(Command::Ends(ends)) => self::ends(ends),
        Some(Command::Classes(make)) => rank(make, false),
        None => rank(&args.make, true),
    }
}

/// A source of verdicts and its name.
type Named = (String, Verdicts);

fn rank(args: &Make, page: bool) -> Result<()> {
    let words = Aggregate::ALL.map(|(word, _)| word).join(", ");
    let aggregate = Aggregate::parse(&args.by).with_context(|| format!("--by is one of {words}, not '{}'", args.by))?;
    let dataset = args.source.open()?;
    let model = options::load(&args.model, args.weights.as_deref(), &args.compute.device()?, args.compute.dtype())?;
    let features = Features::new(&*dataset, &model, args.batch_size)?;
    let mut progress = Progress::new(format!("features of {} on {}", model.spec().name, dataset.info().name));
    let extracted = features.extract(&args.output, &mut |done, of| {
        progress.count(done, of);
        ControlFlow::Continue(())
    });
    progress.finish();
    let extracted = extracted?;
    for (id, error) in extracted.failures.iter().take(5) {
        eprintln!("{id} is left out: {error}");
    }
    let bank = extracted.bank;

    let important = important(&bank, args.features);
    let sources = sources(args, &*dataset, &bank, &important)?;
    let verdicts = &sources[0].1;
    let classes = rank_classes(&bank, verdicts, args.features);
    let ranking = Ranking::new(&bank, |class| of_the_important(verdicts, &important, class), aggregate);
    let write = |name: &str, bytes: &[u8]| options::write(&args.output.join(name), bytes);
    write("features.csv", features_csv(&bank, &important, &sources).as_bytes())?;
    write("classes.csv", classes_csv(&bank, &classes).as_bytes())?;
    write("paths_by_rank.json", ranking.to_json().as_bytes())?;
    write("paths_by_rank.pkl", &ranking.to_pickle())?;

    let mut lines = vec![format!("{:24} {:>8} {:>6} {:>6}", "class", "spurious", "core", "share")];
    for class in &classes {
        let share = class.share.map_or("–".to_owned(), |share| format!("{share:.2}"));
        let name = &bank.identity.classes[class.class as usize];
        let mark = if class.is_hard() { "  hard" } else { "" };
        lines.push(format!("{name:24} {:8} {:6} {share:>6}{mark}", class.spurious, class.core));
    }
    for (name, other) in &sources[1..] {
        let Agreement { table, kappa, disagreements } = measure_agreement(verdicts, other);
        let both: usize = table.iter().flatten().sum();
        let kappa = kappa.map_or("not defined".to_owned(), |kappa| format!("{kappa:.2}"));
        let first = &sources[0].0;
        lines.push(format!(
            "{first} and {name}: κ {kappa}; both decide {both} features and disagree on {}",
            disagreements.len()
        ));
    }
    if page {
        let input = page_input(args, &features, &bank, &classes, &sources, &ranking)?;
        write("rank.html", ranks_html(&input).as_bytes())?;
        lines.push(format!("page: {}", options::absolute(&args.output.join("rank.html")).display()));
    }
    options::print(&lines)
}

/// The most important features of each class.
fn important(bank: &FeatureBank, n: usize) -> BTreeMap<u32, Vec<(u32, f64)>> {
    let of = |class| {
        let importance = class_importance(bank, class)?;
        let features = top_features(&importance, n).into_iter().map(|feature| (feature, importance[feature as usize]));
        Some((class, features.collect()))
    };
    (0..bank.identity.classes.len() as u32).filter_map(of).collect()
}

/// Those that rank: the important ones that are spurious; with published votes all that were voted on.
fn of_the_important(verdicts: &Verdicts, important: &BTreeMap<u32, Vec<(u32, f64)>>, class: u32) -> Vec<u32> {
    let spurious = verdicts.spurious(class);
    let own = important.get(&class).map_or(&[][..], Vec::as_slice);
    let among: Vec<u32> = own.iter().map(|(feature, _)| *feature).filter(|f| spurious.contains(f)).collect();
    if among.is_empty() { spurious } else { among }
}

/// What was asked for first, then the others that have something to say.
fn sources(
    args: &Make,
    dataset: &dyn Dataset,
    bank: &FeatureBank,
    important: &BTreeMap<u32, Vec<(u32, f64)>>,
) -> Result<Vec<Named>> {
    let ids = important
        .iter()
        .flat_map(|(&class, features)| features.iter().map(move |&(feature, _)| FeatureId { class, feature }));
    let classes = &dataset.info().classes;
    let wnids = || classes.iter().map(|class| class.wnid.as_deref().unwrap_or(&class.name));
    let votes = verdicts_from_votes(&published_votes(), wnids());
    // What was voted on is looked at by masks too, so that the two can be compared.
    let robust = bank.identity.model.starts_with("resnet50.robust_l2_eps3");
    let voted: Vec<FeatureId> =
        votes.iter().map(|(id, _)| *id).filter(|id| robust && (id.feature as usize) < bank.width).collect();
    let masks = MaskCriterion::default().verdicts(bank, ids.chain(voted));
    let mut sources = vec![("masks".to_owned(), masks)];
    if robust && !votes.is_empty() {
        sources.push(("votes".to_owned(), votes));
    }
    match args.verdicts.as_str() {
        "masks" => {}
        "votes" if sources.len() == 2 => sources.swap(0, 1),
        "votes" => bail!(
            "the published votes are on features of resnet50.robust_l2_eps3 (the weights imagenet_l2_3_0) for the classes of Hard ImageNet; \
             {} on {} has none: take --verdicts masks",
            bank.identity.model,
            bank.identity.dataset
        ),
        file => {
            let path = Path::new(file);
            let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
            // The workers' answers as published, or verdicts.
            let head = std::fs::read(path).unwrap_or_default();
            let head = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let own = if String::from_utf8_lossy(head).contains("Answer.main") {
                verdicts_from_votes(&read_votes(path)?, wnids()).with_features_below(bank.width)
            } else {
                read_verdicts(path, &names, bank.width)?
            };
            sources.insert(0, (file.to_owned(), own));
        }
    }
    Ok(sources)
}

/// Reads the published answers of workers as votes.
fn read_votes(path: &Path) -> Result<VoteTable> {
    let votes = |answers: FeatureAnswers| Votes {
        main_object: answers.main_object,
        separate_object: answers.separate_object,
        background: answers.background,
    };
    Ok(read_answers(path)?.into_iter().map(|(key, answers)| (key, votes(answers))).collect())
}

fn features_csv(bank: &FeatureBank, important: &BTreeMap<u32, Vec<(u32, f64)>>, sources: &[Named]) -> String {
    let mut out = String::from("class,feature,rank,importance,focus,focus_low,focus_high,pictures");
    sources.iter().for_each(|(name, _)| _ = write!(out, ",\"{name}\""));
    out.push('\n');
    for (&class, features) in important {
        for (rank, &(feature, importance)) in features.iter().enumerate() {
            let id = FeatureId { class, feature };
            let name = bank.identity.classes[class as usize].replace('"', "'");
            let _ = write!(out, "\"{name}\",{feature},{},{importance}", rank + 1);
            match MaskCriterion::default().focus(bank, id) {
                Some(Estimate { value, low, high, n }) => _ = write!(out, ",{value},{low},{high},{n}"),
                None => out.push_str(",,,,"),
            }
            sources.iter().for_each(|(_, verdicts)| _ = write!(out, ",{}", word(verdicts.get(id))));
            out.push('\n');
        }
    }
    out
}

fn word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Spurious) => "spurious",
        Some(Verdict::Core) => "core",
        None => "",
    }
}

fn classes_csv(bank: &FeatureBank, classes: &[ClassHardness]) -> String {
    let mut out = String::from("class,spurious,core,features,share,hard\n");
    for class in classes {
        let name = bank.identity.classes[class.class as usize].replace('"', "'");
        let share = class.share.map_or(String::new(), |share| share.to_string());
        let (spurious, core, all) = (class.spurious, class.core, class.features.len());
        let _ = writeln!(out, "\"{name}\",{spurious},{core},{all},{share},{}", class.is_hard());
    }
    out
}

/// Pictures at each end of a ranking, and those that show a feature best.
const ENDS: usize = 8;
const SHOWN: usize = 5;

fn page_input(
    args: &Make,
    features: &Features<'_>,
    bank: &FeatureBank,
    classes: &[ClassHardness],
    sources: &[Named],
    ranking: &Ranking,
) -> Result<RankInput> {
    let mut input = RankInput {
        model: bank.identity.model.clone(),
        dataset: bank.identity.dataset.clone(),
        facts: vec![
            ("Features".to_owned(), format!("{} of {}", bank.width, bank.identity.feature_node)),
            ("Maps".to_owned(), bank.identity.map_node.clone()),
            ("Pictures".to_owned(), bank.len().to_string()),
            ("Verdicts by".to_owned(), sources[0].0.clone()),
            ("Ranked by".to_owned(), args.by.clone()),
            ("Weights".to_owned(), bank.identity.weights_sha256.clone()),
        ],
        classes: Vec::new(),
    };
    let mut progress = Progress::new("pictures of the page");
    for (done, class) in classes.iter().enumerate() {
        progress.count(done, classes.len());
        let name = bank.identity.classes[class.class as usize].clone();
        let importance = class_importance(bank, class.class).unwrap_or_default();
        let mut shown: Vec<RankFeature> = class
            .features
            .iter()
            .map(|&feature| {
                let id = FeatureId { class: class.class, feature };
                let said = |(name, verdicts): &Named| (name.clone(), verdicts.get(id).map(|v| v == Verdict::Spurious));
                RankFeature {
                    feature,
                    importance: importance.get(feature as usize).copied().unwrap_or_default(),
                    focus: MaskCriterion::default().focus(bank, id),
                    verdicts: sources.iter().map(said).collect(),
                    images: Vec::new(),
                }
            })
            .collect();
        // Features share their best pictures: each is seen once.
        let best: Vec<Vec<usize>> =
            class.features.iter().map(|&feature| top_images(bank, class.class, feature, SHOWN)).collect();
        let mut drawn: BTreeMap<usize, Vec<Rgb8>> = BTreeMap::new();
        for &row in best.iter().flatten() {
            if let Entry::Vacant(place) = drawn.entry(row) {
                let pictures = features.overlay_maps(&bank.ids[row], &class.features)?;
                place.insert(pictures.map_or(Vec::new(), |(_, maps)| maps));
            }
        }
        for (at, (feature, rows)) in shown.iter_mut().zip(&best).enumerate() {
            for row in rows {
                let title = format!("{}: {:.2}", bank.ids[*row], bank.features(*row)[feature.feature as usize]);
                feature.images.extend(drawn[row].get(at).map(|map| thumbnail(map, title)).transpose()?);
            }
        }
        let ranked = ranking.classes.get(&name).map_or(&[][..], Vec::as_slice);
        let some = |ranked: &[RankedImage]| -> Result<Vec<Thumbnail>> {
            let mut all = Vec::new();
            for one in ranked {
                let picture = features.overlay_maps(&one.id, &[])?;
                all.extend(picture.map(|(picture, _)| thumbnail(&picture, one.id.clone())).transpose()?);
            }
            Ok(all)
        };
        let half = ENDS.min(ranked.len() / 2);
        input.classes.push(RankClass {
            hard: class.is_hard(),
            features: shown,
            strongest: some(&ranked[..half])?,
            weakest: some(&ranked[ranked.len() - half..])?,
            deciles: accuracy_by_decile(bank, ranked),
            name,
        });
    }
    progress.finish();
    Ok(input)
}

fn thumbnail(picture: &Rgb8, title: String) -> Result<Thumbnail> {
    Ok(Thumbnail { jpeg: picture.encode_jpeg(80)?, title })
}

fn compare(args: &Compare) -> Result<()> {
    let (first, second) = (read(&args.first)?, read(&args.second)?);
    let all = first.compare(&second, args.first_k);
    if all.is_empty() {
        bail!("{} and {} have no class in common", args.first.display(), args.second.display());
    }
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    let mut lines = vec![format!(
        "{:24} {:>6} {:>9} {:>8} {:>12}",
        "class",
        "common",
        "Spearman",
        "Kendall",
        format!("first {}", args.first_k)
    )];
    for one in &all {
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
        format!("no picture of {folder} has a place in a ranking: judge the model again with --ranks FILE")
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

/// A ranking from either form.
fn read(path: &Path) -> Result<Ranking> {
    Ok(Ranking::from_lists(Rankings::read(path)?.lists()))
}

//! `hard-imagenet datasets`: lists the datasets, and measures the size and position of their objects.

use crate::options::{self, PresetName};
use crate::progress::Progress;
use crate::sources::Source;
use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use hard_imagenet::datasets::{DATASETS, DatasetEntry, DatasetStatistics, PathUse, Retention, SampleStatistics};
use hard_imagenet::images::{MaskRule, PairedTransform, Preprocessing, RandomResizedCrop};
use hard_imagenet::masks::Heatmap;
use hard_imagenet::report::{self, MaskClass, MaskRow, MaskStats};
use safetensors::tensor::{Dtype, TensorView};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the datasets and the paths that they need
    List,
    /// Measure the masks of a dataset: size and position of the objects, what the crop keeps of them, mean masks
    Stats(Box<Stats>),
}

#[derive(clap::Args)]
struct Stats {
    #[command(flatten)]
    source: Source,
    /// Transform and mask threshold: those of the paper, or the usual ones of ImageNet models with masks thresholded at
    /// half
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    /// Definition of the retained share; by default published for the paper preset and transform for strict (Q15)
    #[arg(long, value_enum)]
    retained: Option<Retained>,
    /// Measure N random resized crops of each image, as in training, instead of the center crop
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "retained")]
    random_crops: Option<u32>,
    /// stats.json files of other datasets to draw next to this one
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// Formats to write
    #[arg(long, value_enum, value_delimiter = ',', default_value = "html,json")]
    format: Vec<Format>,
    /// Folder for stats.html, stats.json, and so on, and for average_masks.safetensors
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Retained {
    /// A tensor resize of the shorter side to 256 without antialiasing and a center crop of 224, as in 2022
    Published,
    /// The same with antialiasing, as in current torchvision
    PublishedAntialiased,
    /// The crop of the transform itself
    Transform,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One page that works offline
    Html,
    /// Markdown tables with a row for each class
    Md,
    /// A table with a row for each mask
    Csv,
    /// All numbers, which --against reads
    Json,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::List => {
            let lines: Vec<String> = DATASETS.iter().flat_map(|entry| describe(entry)).collect();
            options::print(&lines)
        }
        Command::Stats(args) => stats(args),
    }
}

/// The lines about one dataset: its word and summary, then the paths that it needs.
fn describe(entry: &DatasetEntry) -> Vec<String> {
    let path = |option: &str, path: PathUse| {
        let optional = if matches!(path, PathUse::Optional(_)) { " (optional)" } else { "" };
        Some(format!("{:26} {option}: {}{optional}", "", path.contents()?))
    };
    let paths = [path("--masks", entry.masks), path("--images", entry.images)];
    std::iter::once(format!("{:26} {}", entry.word, entry.summary)).chain(paths.into_iter().flatten()).collect()
}

fn stats(args: &Stats) -> Result<()> {
    let mut others = Vec::new();
    for path in &args.against {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let read =
            report::masks_from_json(&text).with_context(|| format!("{} is not a stats.json file", path.display()))?;
        others.extend(read);
    }
    let data = args.source.open()?;
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot create the folder {}", args.output.display()))?;
    let (transform, description) = transform(args.preset);
    let retained = args.retained.unwrap_or(match args.preset {
        PresetName::Paper => Retained::Published,
        PresetName::Strict => Retained::Transform,
    });
    let mut progress = Progress::new(format!("masks of {}", data.info().name));
    let tick = |done| progress.count(done, data.len());
    let (statistics, description, retained) = match args.random_crops {
        Some(crops) => {
            let crop = RandomResizedCrop { mask_rule: transform.mask_rule, ..RandomResizedCrop::imagenet() };
            let rule = description.split_once("; ").map_or("", |(_, rule)| rule);
            let description =
                format!("random resized crops to 224 of 8 to 100 % of the image, {crops} of each image; {rule}");
            (
                DatasetStatistics::measure_crops(&*data, &crop, crops, tick),
                description,
                "the random crops themselves".to_owned(),
            )
        }
        None => {
            let word = retained.to_possible_value();
            let help = word.as_ref().and_then(|word| word.get_help()).map(ToString::to_string).unwrap_or_default();
            (DatasetStatistics::measure(&*data, &transform, retained.into(), tick), description.to_owned(), help)
        }
    };
    progress.finish();

    let facts = [("transform", description), ("kept by the crop", retained)];
    let facts = facts.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let mut all = vec![input(&statistics, facts)];
    write_averages(&statistics, &args.output.join("average_masks.safetensors"))?;
    for format in &args.format {
        // The JSON file contains only this dataset, not the ones it is drawn with.
        if let Format::Json = format {
            let path = args.output.join("stats.json");
            options::write(&path, report::masks_json(&all[..1])?)?;
            println!("{}", options::absolute(&path).display());
        }
    }
    all.append(&mut others);
    for format in &args.format {
        let (ending, text) = match format {
            Format::Html => ("html", report::masks_html(&all)),
            Format::Md => ("md", report::masks_markdown(&all)),
            Format::Csv => ("csv", report::masks_csv(&all)),
            Format::Json => continue,
        };
        let path = args.output.join("stats").with_extension(ending);
        options::write(&path, text)?;
        println!("{}", options::absolute(&path).display());
    }
    Ok(())
}

/// Returns the transform of a preset for networks of 224 × 224, and its description.
pub(crate) fn transform(preset: PresetName) -> (PairedTransform, &'static str) {
    match preset {
        PresetName::Paper => (
            Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk),
            "squash to 256 × 256, center crop of 224; every value above 0 is object",
        ),
        PresetName::Strict => (
            Preprocessing::imagenet().paired_transform(MaskRule::Half),
            "shorter side to 256, center crop of 224; values of 128 and more are object",
        ),
    }
}

impl From<Retained> for Retention {
    fn from(retained: Retained) -> Self {
        match retained {
            Retained::Published => Retention::Published,
            Retained::PublishedAntialiased => Retention::PublishedAntialiased,
            Retained::Transform => Retention::Transform,
        }
    }
}

/// Converts the statistics to the input of the report.
fn input(statistics: &DatasetStatistics, facts: Vec<(String, String)>) -> MaskStats {
    let average = |map: &Option<Heatmap>| map.as_ref().map_or_else(Vec::new, coarse);
    let classes = statistics.classes.iter().zip(&statistics.averages);
    MaskStats {
        dataset: statistics.dataset.clone(),
        facts,
        classes: classes.map(|(c, map)| MaskClass { name: c.name.clone(), average: average(map) }).collect(),
        masks: statistics.samples.iter().map(row).collect(),
    }
}

fn row(sample: &SampleStatistics) -> MaskRow {
    let numbers = sample.numbers.as_ref().ok();
    MaskRow {
        sample: sample.id.clone(),
        class: sample.class,
        raw: numbers.map(|n| n.raw),
        transformed: numbers.map(|n| n.transformed),
        retained: numbers.and_then(|n| n.retained),
        // Convert the index of a pixel to the position of its center as a share of the side.
        centroid: numbers.and_then(|n| n.centroid).map(|(row, column)| ((row + 0.5) / SIDE, (column + 0.5) / SIDE)),
        eccentricity: numbers.and_then(|n| n.eccentricity),
        components: numbers.map(|n| n.components),
        at_border: numbers.and_then(|n| n.at_border),
        error: sample.numbers.as_ref().err().cloned(),
    }
}

/// The side of the transformed masks.
const SIDE: f64 = 224.0;
/// The side of the square whose mean is a cell of the mean masks on the page.
const CELL: usize = 8;

/// Averages a mean mask over squares.
fn coarse(map: &Heatmap) -> Vec<Vec<f32>> {
    let (width, area) = (map.width(), (CELL * CELL) as f32);
    let cell = |row: usize, column: usize| {
        let line = |r: usize| &map.as_slice()[r * width + column * CELL..][..CELL];
        (row * CELL..(row + 1) * CELL).map(|r| line(r).iter().sum::<f32>()).sum::<f32>() / area
    };
    (0..map.height() / CELL).map(|row| (0..width / CELL).map(|column| cell(row, column)).collect()).collect()
}

/// Writes the mean masks: an array (H, W) of f32 for each class, by its name.
fn write_averages(statistics: &DatasetStatistics, path: &Path) -> Result<()> {
    let mut arrays = Vec::new();
    for (class, map) in statistics.classes.iter().zip(&statistics.averages) {
        let Some(map) = map else { continue };
        let bytes: Vec<u8> = map.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect();
        arrays.push((class.name.clone(), [map.height(), map.width()], bytes));
    }
    let mut views = Vec::new();
    for (name, shape, bytes) in &arrays {
        views.push((name.clone(), TensorView::new(Dtype::F32, shape.to_vec(), bytes)?));
    }
    options::write(path, safetensors::serialize(views, None)?)
}

//! `hard-imagenet report`: run folders → tables and pages. Scores again, draws again, computes no model.

use crate::options;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hard_imagenet::metrics::{self, Options};
use hard_imagenet::report::{self, CaseKind, GalleryCase, INCOMPLETE, Picture, RunInput};
use hard_imagenet::runs::{Exhibit, ExhibitKind, Panel, Run, RunDescription};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run folders (with run.json), or folders of run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_delimiter = ',', default_value = "html")]
    format: Vec<Format>,
    /// Folder for the files report.html, report.md, ..; by default the first RUN
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that works offline
    Html,
    /// Markdown tables
    Md,
    /// One row a score
    Csv,
    /// All scores
    Json,
    /// A booktabs table
    Latex,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut folders = Vec::new();
    for given in &args.runs {
        let found = run_folders(given)?;
        if found.is_empty() {
            bail!("{} is not a run folder and holds none (a run folder has a run.json)", given.display());
        }
        folders.extend(found);
    }
    let inputs = folders.iter().map(|folder| input(&Run::open(folder)?)).collect::<Result<Vec<_>>>()?;
    let output = args.output.as_deref().unwrap_or(&args.runs[0]);
    std::fs::create_dir_all(output).with_context(|| format!("cannot make the folder {}", output.display()))?;
    for format in &args.format {
        let path = write(&inputs, *format, output)?;
        println!("{}", options::absolute(&path).display());
    }
    Ok(())
}

/// Writes `report` with the format's ending into a folder.
fn write(inputs: &[RunInput], format: Format, folder: &Path) -> Result<PathBuf> {
    let (ending, text) = match format {
        Format::Html => ("html", report::html(inputs)),
        Format::Md => ("md", report::markdown(inputs)),
        Format::Csv => ("csv", report::csv(inputs)),
        Format::Json => ("json", report::json(inputs)),
        Format::Latex => ("tex", report::latex(inputs)),
    };
    let path = folder.join("report").with_extension(ending);
    options::write(&path, text)?;
    Ok(path)
}

/// Writes everything but the page.
pub(crate) fn tables(runs: &[Run], folder: &Path) -> Result<()> {
    let inputs = runs.iter().map(input).collect::<Result<Vec<_>>>()?;
    for format in [Format::Md, Format::Csv, Format::Json, Format::Latex] {
        write(&inputs, format, folder)?;
    }
    Ok(())
}

/// Writes the page over runs that have just ended, and says the main numbers and where the page is.
pub(crate) fn finish(runs: &[Run], page: &Path) -> Result<()> {
    let inputs = runs.iter().map(input).collect::<Result<Vec<_>>>()?;
    options::write(page, report::html(&inputs))?;
    println!("{}", report::markdown(&inputs));
    println!("report: {}", options::absolute(page).display());
    Ok(())
}

/// The folder itself or the run folders in it, at any depth, sorted.
fn run_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.join("run.json").is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut inner: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    inner.sort();
    let found = inner.iter().map(|path| run_folders(path)).collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// What the report needs to know of a run; scores are computed from the records.
fn input(run: &Run) -> Result<RunInput> {
    let description = run.description();
    let gallery = match run.gallery()? {
        Some(gallery) => gallery.exhibits.iter().map(|case| gallery_case(run.folder(), case)).collect::<Result<_>>()?,
        None => Vec::new(),
    };
    Ok(RunInput {
        model: description.model.clone(),
        dataset: description.dataset.name.clone(),
        preset: description.preset.clone(),
        explainer: description.protocol.explainers.first().cloned(),
        facts: facts(run, description),
        scores: metrics::score(run.records(), &Options::default()),
        records: run.records().to_vec(),
        gallery,
    })
}

fn facts(run: &Run, description: &RunDescription) -> Vec<(String, String)> {
    let protocol = &description.protocol;
    let conditions: Vec<&str> = protocol.conditions.iter().map(|condition| condition.id.as_str()).collect();
    let mut facts = vec![
        ("samples", description.dataset.samples.to_string()),
        ("pictures a sample", protocol.images_per_sample().to_string()),
        ("conditions", conditions.join(", ")),
        ("explainers", if protocol.explainers.is_empty() { "none".into() } else { protocol.explainers.join(", ") }),
        ("weights (sha256)", description.weights_sha256.clone()),
        ("precision", description.dtype.clone()),
        ("seed", description.seed.to_string()),
        ("version", description.version.clone()),
    ];
    if !run.is_complete() {
        let (missing, all) = (run.missing_parts().len(), description.parts());
        facts.push((INCOMPLETE, format!("{missing} of {all} parts are missing; run the same command again to go on")));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn gallery_case(folder: &Path, case: &Exhibit) -> Result<GalleryCase> {
    let mut pictures = Vec::new();
    for panel in &case.panels {
        let path = folder.join(&panel.file);
        let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        pictures.push(Picture { label: label(panel), file });
    }
    Ok(GalleryCase {
        title: case.title.clone(),
        caption: case.caption.clone(),
        kind: match case.kind {
            ExhibitKind::Best => CaseKind::Best,
            ExhibitKind::Worst => CaseKind::Worst,
        },
        pictures,
    })
}

/// "Object gray: cross, 98 %": what the model made of it, and its confidence in the true class.
fn label(panel: &Panel) -> String {
    match (&panel.prediction, panel.confidence) {
        (Some(said), Some(confidence)) if panel.correct == Some(true) => {
            format!("{}: {said}, {:.0}\u{a0}%", panel.title, 100.0 * confidence)
        }
        (Some(said), Some(confidence)) => {
            format!("{}: {said} (true class {:.0}\u{a0}%)", panel.title, 100.0 * confidence)
        }
        _ => panel.title.clone(),
    }
}

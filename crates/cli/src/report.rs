//! `hard-imagenet report`: writes tables and pages from run folders. The records are scored again; no model is run.

use crate::ending::{Ending, MaxFailed};
use crate::{findings, options};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hard_imagenet::report::Report;
use hard_imagenet::runs::{Run, find_run_folders};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run folders (with run.json), or folders that contain run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The files to write
    #[arg(long, value_enum, value_delimiter = ',', default_value = "html")]
    format: Vec<Format>,
    /// The folder for the files report.html, report.md, ..; the default is the first RUN
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    #[command(flatten)]
    max_failed: MaxFailed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that works offline
    Html,
    /// Markdown tables
    Md,
    /// One line for each score
    Csv,
    /// All scores
    Json,
    /// A table for the LaTeX package booktabs
    Latex,
}

pub(crate) fn run(args: &Args) -> Result<Ending> {
    let mut runs = Vec::new();
    for given in &args.runs {
        let found = find_run_folders(given)?;
        if found.is_empty() {
            bail!("{} is not a run folder and contains none (a run folder has a run.json)", given.display());
        }
        for folder in found {
            runs.push(Run::open(folder)?);
        }
    }
    for run in &runs {
        findings::print_suspicious(&run.folder().display().to_string(), run.findings());
    }
    let report = Report::new(&runs);
    let output = args.output.as_deref().unwrap_or(&args.runs[0]);
    std::fs::create_dir_all(output).with_context(|| format!("cannot create the folder {}", output.display()))?;
    for format in &args.format {
        let path = write(&report, *format, output)?;
        println!("{}", options::absolute(&path).display());
    }
    Ok(Ending::of_runs(&runs, args.max_failed.max_failed))
}

/// Writes `report` with the extension of the format into a folder.
fn write(report: &Report, format: Format, folder: &Path) -> Result<PathBuf> {
    let (extension, text) = match format {
        Format::Html => ("html", report.html()?),
        Format::Md => ("md", report.markdown()),
        Format::Csv => ("csv", report.csv()),
        Format::Json => ("json", report.json()),
        Format::Latex => ("tex", report.latex()),
    };
    let path = folder.join("report").with_extension(extension);
    options::write(&path, text)?;
    Ok(path)
}

/// Writes everything except the page.
pub(crate) fn tables(runs: &[Run], folder: &Path) -> Result<()> {
    let report = Report::new(runs);
    for format in [Format::Md, Format::Csv, Format::Json, Format::Latex] {
        write(&report, format, folder)?;
    }
    Ok(())
}

/// Writes the page of finished runs and prints the main numbers and where the page is.
pub(crate) fn finish(runs: &[Run], page: &Path) -> Result<()> {
    let report = Report::new(runs);
    options::write(page, report.html()?)?;
    println!("{}", report.markdown());
    println!("report: {}", options::absolute(page).display());
    Ok(())
}

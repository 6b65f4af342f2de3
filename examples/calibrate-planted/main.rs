//! Finds out which scores order models by how much they rely on the surroundings.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin calibrate-planted -- FOLDER
//! ```
//!
//! The program trains small networks of two kinds on planted cues, where we decide how reliably the scene reveals the class,
//! and scores them like any other model. Because the truth is known, the scores can be judged. `docs/CALIBRATION.md` has
//! the results.
//!
//! The folder holds `models/` and `runs/` with finished work, so that an interrupted study resumes; `scores.csv` with every
//! score of every model; and `judgements.csv`, `tables.md` and `figure.svg` with the quality of the scores. The study is
//! deterministic: a second one on the same machine writes the same files.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

mod figure;
mod hybrid;
mod judge;
mod ranking;
mod section;
mod statistics;
mod subject;
mod table;
#[path = "../planted/training.rs"]
mod training;
mod trial;
mod workers;

use judge::{Group, is_headline, is_other};
use section::Section;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;
use subject::{KINDS, Subject};
use training::Result;
use trial::{Outcome, PRESETS};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = &arguments[..] else { return Err("usage: calibrate-planted FOLDER".into()) };
    if let Some(code) = workers::restart_configured()? {
        return Ok(code);
    }
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(folder.join("models"))?;

    let subjects = Subject::all();
    train(&subjects, &folder)?;
    let outcomes = evaluate(&subjects, &folder)?;
    write(&subjects, &outcomes, &folder)?;
    Ok(ExitCode::SUCCESS)
}

/// Trains the models that the folder lacks.
fn train(subjects: &[Subject], folder: &Path) -> Result<()> {
    let untrained: Vec<&Subject> = subjects.iter().filter(|subject| !subject.is_trained(folder)).collect();
    println!("{} models, {} to be trained", subjects.len(), untrained.len());
    workers::for_each(&untrained, |subject| {
        let started = Instant::now();
        let (loss, accuracy) = subject.train(folder)?;
        let seconds = started.elapsed().as_secs_f64();
        println!("{:18} loss {loss:.3}, accuracy {accuracy:.3} at the end, {seconds:.0} s", subject.name());
        Ok(())
    })
}

/// Evaluates every model on each preset.
fn evaluate(subjects: &[Subject], folder: &Path) -> Result<Vec<[Outcome; 2]>> {
    println!("evaluating {} models", subjects.len());
    let places: Vec<usize> = (0..subjects.len()).collect();
    let results = Mutex::new(Vec::new());
    workers::for_each(&places, |&place| {
        let started = Instant::now();
        let [hard, easy] = PRESETS.map(|preset| trial::evaluate(&subjects[place], preset, folder));
        let (hard, easy) = (hard?, easy?);
        println!(
            "{:18} cost of the scene {:.3} (hard) and {:.3} (easy), {:.0} s",
            subjects[place].name(),
            hard.cost,
            easy.cost,
            started.elapsed().as_secs_f64()
        );
        results.lock().map_err(|_| "a worker panicked")?.push((place, [hard, easy]));
        Ok(())
    })?;
    let mut results = results.into_inner().map_err(|_| "a worker panicked")?;
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, outcomes)| outcomes).collect())
}

/// Judges the scores and writes the tables and the figure.
fn write(subjects: &[Subject], outcomes: &[[Outcome; 2]], folder: &Path) -> Result<()> {
    let (mut groups, mut sections) = (Vec::new(), Vec::new());
    for kind in &KINDS {
        for (at, preset) in PRESETS.into_iter().enumerate() {
            let models = subjects.iter().zip(outcomes).filter(|(subject, _)| subject.kind.name == kind.name);
            let group: Group<'_> = models.map(|(subject, both)| (subject, &both[at])).collect();
            sections.push(Section::new(kind.name, preset, &group));
            groups.push(group);
        }
    }
    let select = |keep| sections.iter().map(|section: &Section| section.select(keep)).collect::<Vec<Section>>();
    let (headlines, others) = (select(is_headline), select(is_other));

    let both =
        subjects.iter().zip(outcomes).flat_map(|(s, both)| PRESETS.into_iter().zip(both).map(move |(p, o)| (s, p, o)));
    std::fs::write(folder.join("scores.csv"), table::scores_csv(&both.collect::<Vec<_>>()))?;
    std::fs::write(folder.join("judgements.csv"), table::judgments_csv(&sections))?;
    let (singles, pairs) = (ranking::rank_scores(&headlines), ranking::rank_pairs(&groups, &headlines));
    let tables = table::markdown(&headlines, &singles, &ranking::rank_scores(&others), &pairs);
    std::fs::write(folder.join("tables.md"), tables)?;
    std::fs::write(folder.join("figure.svg"), figure::figure(&headlines))?;
    println!("wrote scores.csv, judgements.csv, tables.md, figure.svg in {}", folder.display());
    Ok(())
}

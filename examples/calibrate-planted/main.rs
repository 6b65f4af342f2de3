//! Which score orders models by how much they lean on the surroundings?
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin calibrate-planted -- FOLDER
//! ```
//!
//! Trains small networks of two kinds on planted cues, where we decide how well the scene tells the class, and scores
//! them as any model would be scored. Since the truth is known, the scores can be judged. `docs/CALIBRATION.md` has the
//! results.
//!
//! In the folder: `models/` and `runs/` of what is done already, so that a study that was broken off goes on where it
//! stood; `scores.csv` with every score of every model; `judgements.csv`, `tables.md` and `figure.svg` with how the
//! scores did. Nothing is left to chance: a second study on the same machine writes the same files.
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
use trial::{Outcome, PRESETS, outcome};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = &arguments[..] else { return Err("usage: calibrate-planted FOLDER".into()) };
    if let Some(code) = workers::set_up()? {
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

/// Trains the models that are not there.
fn train(subjects: &[Subject], folder: &Path) -> Result<()> {
    let untrained: Vec<&Subject> = subjects.iter().filter(|subject| !subject.is_trained(folder)).collect();
    println!("{} models, {} to be trained", subjects.len(), untrained.len());
    workers::each(&untrained, |subject| {
        let started = Instant::now();
        let (loss, accuracy) = subject.train(folder)?;
        let seconds = started.elapsed().as_secs_f64();
        println!("{:18} loss {loss:.3}, accuracy {accuracy:.3} at the end, {seconds:.0} s", subject.name());
        Ok(())
    })
}

/// What comes of each model on each preset.
fn evaluate(subjects: &[Subject], folder: &Path) -> Result<Vec<[Outcome; 2]>> {
    println!("evaluating {} models", subjects.len());
    let places: Vec<usize> = (0..subjects.len()).collect();
    let results = Mutex::new(Vec::new());
    workers::each(&places, |&place| {
        let started = Instant::now();
        let [hard, easy] = PRESETS.map(|preset| outcome(&subjects[place], preset, folder));
        let (hard, easy) = (hard?, easy?);
        println!(
            "{:18} the scene is worth {:.3} (hard) and {:.3} (easy), {:.0} s",
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

/// Judges the scores and writes all that comes of it.
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
    let some = |keep| sections.iter().map(|section: &Section| section.only(keep)).collect::<Vec<Section>>();
    let (headlines, others) = (some(is_headline), some(is_other));

    let both =
        subjects.iter().zip(outcomes).flat_map(|(s, both)| PRESETS.into_iter().zip(both).map(move |(p, o)| (s, p, o)));
    std::fs::write(folder.join("scores.csv"), table::scores_csv(&both.collect::<Vec<_>>()))?;
    std::fs::write(folder.join("judgements.csv"), table::judgements_csv(&sections))?;
    let (singles, pairs) = (ranking::singles(&headlines), ranking::pairs(&groups, &headlines));
    let tables = table::markdown(&headlines, &singles, &ranking::singles(&others), &pairs);
    std::fs::write(folder.join("tables.md"), tables)?;
    std::fs::write(folder.join("figure.svg"), figure::figure(&headlines))?;
    println!("written: scores.csv, judgements.csv, tables.md, figure.svg in {}", folder.display());
    Ok(())
}

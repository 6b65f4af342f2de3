//! Which score orders models by how much they lean on the surroundings?
mod subject;
#[path = "../planted/training.rs"]
mod training;
mod workers;

use std::path::PathBuf;
use std::time::Instant;
use subject::Subject;
use training::Result;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = &arguments[..] else { return Err("usage: calibrate-planted FOLDER".into()) };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(folder.join("models"))?;

    let subjects = Subject::all();
    let untrained: Vec<&Subject> = subjects.iter().filter(|subject| !subject.is_trained(&folder)).collect();
    println!("{} models, {} to be trained", subjects.len(), untrained.len());
    workers::each(&untrained, |subject| {
        let started = Instant::now();
        let accuracy = subject.train(&folder)?;
        println!("{:14} accuracy in training {accuracy:.3}, {:.0} s", subject.name(), started.elapsed().as_secs_f64());
        Ok(())
    })?;
    Ok(())
}

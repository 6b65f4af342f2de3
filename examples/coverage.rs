//! How often do the intervals hold the truth? Takes the samples of a large run as the whole population, draws small runs
//! from it again and again, and counts the intervals that hold the population's value.
//!
//! ```sh
//! cargo run --release -- eval -m planted_resnet.cue planted_resnet.object -d planted-hard --limit 4000 --preset strict \
//!     --protocol quick -o runs/population
//! cargo run --release -p hard-imagenet-examples --bin coverage -- runs/population/planted_resnet.object 200 1000
//! ```
//!
//! The arguments: a run folder, samples a draw, draws. A 95 % interval should hold the truth in 93 to 97 % of the draws;
//! of 1000 draws the share itself is known to 1.4 points.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use hard_imagenet::metrics::{Averaging, Estimate, Options, Record, Scores, meta, score};
use hard_imagenet::perturbations::NoiseKey;
use hard_imagenet::runs::Run;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The metrics that people quote.
const QUOTED: [&str; 7] = ["accuracy", "drop", "relative-drop", "confidence-drop", "rfs", "iou", "delta-density"];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, samples, draws] = &arguments[..] else { return Err("usage: coverage RUN SAMPLES DRAWS".into()) };
    let (samples, draws): (usize, u64) = (samples.parse()?, draws.parse()?);
    let run = Run::open(folder)?;
    let population = Population::new(run.records());
    let truth = score(run.records(), &Options { resamples: 0, ..Options::default() });

    // For each score how many intervals there were, and how many held the truth.
    let counts = (0..draws)
        .into_par_iter()
        .map(|draw| {
            let options = Options { resamples: 400, seed: draw, ..Options::default() };
            held(&truth, &score(&population.draw(samples, draw), &options))
        })
        .reduce(BTreeMap::new, |mut all, some| {
            for (key, (intervals, held)) in some {
                let count = all.entry(key).or_insert((0, 0));
                *count = (count.0 + intervals, count.1 + held);
            }
            all
        });

    println!("{samples} samples a draw, {draws} draws from {}\n", population.samples());
    println!("| metric | condition | average | truth | intervals that hold it |\n|:--|:--|:--|--:|--:|");
    for ((metric, condition, average), (intervals, held)) in &counts {
        let value =
            truth.get(metric, condition).and_then(|score| score.mean(of(average))).map_or(f64::NAN, |e| e.value);
        let share = 100.0 * *held as f64 / *intervals as f64;
        println!("| {metric} | {condition} | {average} | {value:.3} | {share:.1} % |");
    }
    Ok(())
}

/// Metric, condition, average.
type Key = (String, String, &'static str);

/// One interval each, and whether it held the truth.
fn held(truth: &Scores, found: &Scores) -> BTreeMap<Key, (u64, u64)> {
    let mut counts = BTreeMap::new();
    for metric in
        found.metrics.iter().filter(|metric| QUOTED.contains(&metric.id.as_str()) && meta(&metric.id).is_some())
    {
        for score in &metric.scores {
            for average in ["class", "sample"] {
                let one = |scores: &Scores| -> Option<Estimate> {
                    scores.get(&metric.id, &score.condition)?.mean(of(average))
                };
                if let (Some(truth), Some(found)) = (one(truth), one(found)) {
                    let key = (metric.id.clone(), score.condition.clone(), average);
                    counts.insert(key, (1, u64::from((found.low..=found.high).contains(&truth.value))));
                }
            }
        }
    }
    counts
}

fn of(average: &str) -> Averaging {
    if average == "class" { Averaging::Class } else { Averaging::Sample }
}

/// The records of each sample, class by class.
struct Population<'a> {
    classes: Vec<Vec<Vec<&'a Record>>>,
}

impl<'a> Population<'a> {
    fn new(records: &'a [Record]) -> Self {
        let mut classes: BTreeMap<u32, BTreeMap<&str, Vec<&Record>>> = BTreeMap::new();
        for record in records.iter().filter(|record| record.error.is_none()) {
            classes.entry(record.label).or_default().entry(&record.sample).or_default().push(record);
        }
        Self { classes: classes.into_values().map(|samples| samples.into_values().collect()).collect() }
    }

    fn samples(&self) -> usize {
        self.classes.iter().map(Vec::len).sum()
    }

    /// As many samples of each class, with replacement, under names of their own.
    fn draw(&self, samples: usize, seed: u64) -> Vec<Record> {
        let key = NoiseKey::new(seed, "coverage", 0);
        let each = samples / self.classes.len().max(1);
        let mut drawn = Vec::new();
        for (label, class) in self.classes.iter().enumerate() {
            let mut names: HashMap<&str, usize> = HashMap::new();
            for place in 0..each {
                let sample = &class[key.below((label * each + place) as u64, class.len() as u64) as usize];
                let copy = names.entry(&sample[0].sample).or_default();
                *copy += 1;
                let name = format!("{}#{copy}", sample[0].sample);
                drawn.extend(sample.iter().map(|record| Record { sample: name.clone(), ..(*record).clone() }));
            }
        }
        drawn
    }
}

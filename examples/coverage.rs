//! Counts how often intervals contain the truth. It takes the samples of a large run as the whole population, draws small runs
//! from it again and again, and counts the intervals that contain the population's value.
//!
//! ```sh
//! cargo run --release -- eval -m planted_resnet.cue planted_resnet.object -d planted-hard --limit 4000 --preset strict \
//!     --protocol quick -o runs/population
//! cargo run --release -p hard-imagenet-examples --bin coverage -- runs/population/planted_resnet.object 200 1000
//! ```
//!
//! The arguments are a run folder, the number of samples in a draw and the number of draws. A 95 % interval should contain the
//! truth in 93 to 97 % of the draws. With 1000 draws the share itself is known to within 1.4 points.
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

    // For each score: the number of intervals, and how many of them contain the truth.
    let counts = (0..draws)
        .into_par_iter()
        .map(|draw| {
            let options = Options { resamples: 400, seed: draw, ..Options::default() };
            count_hits(&truth, &score(&population.draw(samples, draw), &options))
        })
        .reduce(BTreeMap::new, |mut all, some| {
            for (key, (intervals, hits)) in some {
                let count = all.entry(key).or_insert((0, 0));
                *count = (count.0 + intervals, count.1 + hits);
            }
            all
        });

    println!("{draws} draws of {samples} samples from {}\n", population.sample_count());
    println!("| metric | condition | average | truth | intervals that contain it |\n|:--|:--|:--|--:|--:|");
    for ((metric, condition, average), (intervals, hits)) in &counts {
        let value = truth
            .get(metric, condition)
            .and_then(|score| score.mean(parse_average(average)))
            .map_or(f64::NAN, |e| e.value);
        let share = 100.0 * *hits as f64 / *intervals as f64;
        println!("| {metric} | {condition} | {average} | {value:.3} | {share:.1} % |");
    }
    Ok(())
}

/// Metric, condition, and the word of the average.
type Key = (String, String, &'static str);

/// Returns for each score one interval, and whether it contains the truth.
fn count_hits(truth: &Scores, found: &Scores) -> BTreeMap<Key, (u64, u64)> {
    let mut counts = BTreeMap::new();
    for metric in
        found.metrics.iter().filter(|metric| QUOTED.contains(&metric.id.as_str()) && meta(&metric.id).is_some())
    {
        for score in &metric.scores {
            for average in ["class", "sample"] {
                let one = |scores: &Scores| -> Option<Estimate> {
                    scores.get(&metric.id, &score.condition)?.mean(parse_average(average))
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

fn parse_average(average: &str) -> Averaging {
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

    fn sample_count(&self) -> usize {
        self.classes.iter().map(Vec::len).sum()
    }

    /// Draws the same number of samples from each class, with replacement. Every copy gets a name of its own.
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

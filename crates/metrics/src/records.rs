use crate::condition::{condition_order, is_map};
use crate::{CLEAN, Record};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The sum and the count of a sample's values, which is all that an average needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Contribution {
    /// The sum of the values.
    pub sum: f64,
    /// The number of values. If it is 0, the sample does not contribute.
    pub count: f64,
}

impl Contribution {
    /// Returns the contribution of a single value.
    pub fn one(value: f64) -> Self {
        Self { sum: value, count: 1.0 }
    }

    /// Returns the sample's own mean, or `None` if it does not contribute.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }

    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            self.sum += value;
            self.count += 1.0;
        }
    }
}

/// What samples contribute under two conditions, a value for each sample. A sample has both values or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The second condition.
    pub condition: String,
    /// Under the first condition.
    pub first: Vec<Contribution>,
    /// Under the second condition.
    pub second: Vec<Contribution>,
}

impl Pair {
    /// Returns first minus second for each sample.
    pub fn differences(&self) -> Vec<Contribution> {
        let difference = |(first, second): (&Contribution, &Contribution)| Contribution {
            sum: first.sum - second.sum,
            count: first.count,
        };
        self.first.iter().zip(&self.second).map(difference).collect()
    }

    /// Returns whether any sample has values.
    pub fn has_any(&self) -> bool {
        self.first.iter().any(|one| one.count > 0.0)
    }
}

/// What is known of one sample under one condition, over its trials.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Number of records, which is the number of trials.
    pub records: u32,
    /// Right predictions among the trials. A missing prediction, which means that the logits are NaN, is wrong.
    pub correct: Contribution,
    /// Trials with fewer than five classes before the label.
    pub among_five: Contribution,
    /// Trials with none of the dataset's other classes before the label.
    pub correct_within: Contribution,
    /// Softmax of the label.
    pub confidence: Contribution,
    /// Softmax of the prediction and whether it is right, for trials that have both.
    pub certainty: Vec<(f32, bool)>,
    /// The share of the input that is object.
    pub object_fraction: Contribution,
    /// Scores of the saliency map in the order of [`map_scores`](crate::map_scores); empty if there is no map.
    pub map: Vec<Option<f32>>,
}

impl Cell {
    fn add(&mut self, record: &Record) {
        let truth = |is: bool| Some(f64::from(u8::from(is)));
        self.records += 1;
        if record.map.has_any() {
            self.map = record.map.as_slice().to_vec();
        }
        if is_map(&record.condition) {
            return;
        }
        self.correct.add(truth(record.correct == Some(true)));
        self.among_five.add(record.rank.and_then(|rank| truth(rank < 5)));
        self.correct_within.add(record.rank_within.and_then(|rank| truth(rank == 0)));
        self.confidence.add(record.confidence.map(f64::from));
        self.certainty.extend(record.certainty.zip(record.correct));
        self.object_fraction.add(record.object_fraction.map(f64::from));
    }
}

/// A class of the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its label in the records.
    pub label: u32,
    /// Its name.
    pub name: String,
    /// Number of its samples that were evaluated.
    pub samples: usize,
}

/// Why a sample was not evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failure {
    /// The sample's id.
    pub sample: String,
    /// The condition under which it failed.
    pub condition: String,
    /// What went wrong.
    pub message: String,
}

/// Records grouped by condition and sample, as a [`Metric`](crate::Metric) sees them.
///
/// Nothing depends on the order of the records: samples are sorted by label and id, conditions by
/// [`condition_order`](crate::condition_order). A record that repeats the sample, condition and trial of an earlier one
/// is dropped and counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    classes: Vec<Class>,
    samples: Vec<String>,
    conditions: Vec<String>,
    /// Cells by condition, then by sample.
    cells: Vec<Vec<Cell>>,
    failures: Vec<Failure>,
    duplicates: usize,
}

impl Records {
    /// Groups records in one pass.
    pub fn new(records: &[Record]) -> Self {
        let good = || records.iter().filter(|r| r.error.is_none());

        // The first record of a sample determines its label, the first record of a label its name.
        let mut names = BTreeMap::new();
        let mut labels = HashMap::new();
        for record in records {
            names.entry(record.label).or_insert(&record.class);
        }
        for record in good() {
            labels.entry(record.sample.as_str()).or_insert(record.label);
        }
        let mut samples: Vec<(u32, &str)> = labels.into_iter().map(|(sample, label)| (label, sample)).collect();
        samples.sort_unstable();
        let row: HashMap<&str, usize> = samples.iter().enumerate().map(|(i, s)| (s.1, i)).collect();
        let classes = names
            .into_iter()
            .map(|(label, name)| {
                let from = samples.partition_point(|s| s.0 < label);
                let to = samples.partition_point(|s| s.0 <= label);
                Class { label, name: name.clone(), samples: to - from }
            })
            .collect();

        let mut conditions: Vec<&str> =
            good().map(|r| r.condition.as_str()).collect::<HashSet<_>>().into_iter().collect();
        conditions.sort_unstable_by(|a, b| condition_order(a, b));
        let column: HashMap<&str, usize> = conditions.iter().enumerate().map(|(i, c)| (*c, i)).collect();

        let mut cells = vec![vec![Cell::default(); samples.len()]; conditions.len()];
        let mut seen = HashSet::new();
        let mut duplicates = 0;
        for record in good() {
            let (c, s) = (column[record.condition.as_str()], row[record.sample.as_str()]);
            if !seen.insert((c, s, record.trial)) {
                duplicates += 1;
                continue;
            }
            cells[c][s].add(record);
        }

        let mut failures: Vec<Failure> = records
            .iter()
            .filter_map(|r| {
                let message = r.error.clone()?;
                Some(Failure { sample: r.sample.clone(), condition: r.condition.clone(), message })
            })
            .collect();
        failures.sort();
        failures.dedup();

        Self {
            classes,
            samples: samples.into_iter().map(|s| s.1.to_owned()).collect(),
            conditions: conditions.into_iter().map(str::to_owned).collect(),
            cells,
            failures,
            duplicates,
        }
    }

    /// Returns the classes, sorted by label.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Returns the ids of the samples that have at least one record without an error, class after class.
    pub fn samples(&self) -> &[String] {
        &self.samples
    }

    /// Returns the names of the conditions: clean first, then changes, then noise by strength.
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }

    /// Returns what is known under a condition, a cell for each of [`samples`](Self::samples), or `None` if it was not
    /// run.
    pub fn cells(&self, condition: &str) -> Option<&[Cell]> {
        let index = self.conditions.iter().position(|c| c == condition)?;
        Some(&self.cells[index])
    }

    /// Returns, for every condition except the clean one, what samples contribute under the clean condition and under
    /// this one: the mean over trials, of samples that have both values. Conditions without such a sample are absent.
    pub fn paired_with_clean(&self, value: impl Fn(&Cell) -> Contribution) -> Vec<Pair> {
        let conditions = self.conditions.iter().filter(|condition| *condition != CLEAN);
        conditions.filter_map(|condition| self.pair(CLEAN, condition, &value)).filter(Pair::has_any).collect()
    }

    /// Returns what samples contribute under two conditions: the mean over trials, of samples that have both values.
    /// `None` if one of the conditions was not run. [`Pair::condition`] is the second condition.
    pub fn pair(&self, first: &str, second: &str, value: impl Fn(&Cell) -> Contribution) -> Option<Pair> {
        let cells = self.cells(first)?.iter().zip(self.cells(second)?);
        let both = |(a, b): (&Cell, &Cell)| match (value(a).mean(), value(b).mean()) {
            (Some(a), Some(b)) => (Contribution::one(a), Contribution::one(b)),
            _ => Default::default(),
        };
        let (first, second_column) = cells.map(both).unzip();
        Some(Pair { condition: second.to_owned(), first, second: second_column })
    }

    /// Returns what is known of unchanged images, or `None` if they were not run.
    pub fn clean(&self) -> Option<&[Cell]> {
        self.cells(CLEAN)
    }

    /// Returns the errors, sorted by sample.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Returns the number of records that were dropped because they repeat the sample, condition and trial of another.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// Returns the number of samples with as many trials under every condition as any other sample.
    pub fn complete(&self) -> usize {
        let most = |cells: &Vec<Cell>| cells.iter().map(|cell| cell.records).max().unwrap_or(0);
        let trials: Vec<u32> = self.cells.iter().map(most).collect();
        let whole = |s: &usize| self.cells.iter().zip(&trials).all(|(cells, trials)| cells[*s].records == *trials);
        (0..self.samples.len()).filter(whole).count()
    }
}

use crate::difference::{difference, pair};
use crate::estimate::{estimate, ranges};
use crate::quantity::Quantity;
use crate::{Class, Difference, Measure, Metric, Options, Record, Records, metrics};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// The differences between two runs on the samples they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// How intervals and p-values were computed.
    pub options: Options,
    /// Number of samples in both runs. Other samples are ignored.
    pub samples: usize,
    /// The classes of the first run, in the order of every [`Difference::classes`].
    pub classes: Vec<Class>,
    /// First minus second, for each metric under each condition that both runs have.
    pub metrics: Vec<MetricDifferences>,
}

/// The differences of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricDifferences {
    /// The metric's id; [`meta`](crate::meta) describes it.
    pub id: String,
    /// One difference for each condition that both runs have.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Returns the difference of a metric under a condition, or `None` if either run did not measure it.
    pub fn get(&self, metric: &str, condition: &str) -> Option<&Difference> {
        let metric = self.metrics.iter().find(|m| m.id == metric)?;
        metric.differences.iter().find(|d| d.condition == condition)
    }

    /// Sorts the differences of each metric by condition. Equal conditions keep their order.
    pub fn sort_conditions(&mut self, order: impl Fn(&str, &str) -> Ordering) {
        for metric in &mut self.metrics {
            metric.differences.sort_by(|a, b| order(&a.condition, &b.condition));
        }
    }
}

/// Computes first minus second, paired by sample, with intervals, tests and the number of images needed.
///
/// Both runs are resampled together. What makes a sample hard for both models cancels out, so the intervals are
/// narrower than those of two separate runs.
pub fn compare(first: &[Record], second: &[Record], options: &Options) -> Comparison {
    compare_with(first, second, options, &metrics().collect::<Vec<_>>())
}

/// Runs [`compare`] with the given metrics, built in or not.
pub fn compare_with(first: &[Record], second: &[Record], options: &Options, metrics: &[&dyn Metric]) -> Comparison {
    let ids = |records: &[Record]| -> HashSet<String> {
        records.iter().filter(|r| r.error.is_none()).map(|r| r.sample.clone()).collect()
    };
    let shared: HashSet<String> = ids(first).intersection(&ids(second)).cloned().collect();
    let keep = |records: &[Record]| -> Records {
        Records::new(&records.iter().filter(|r| shared.contains(&r.sample)).cloned().collect::<Vec<_>>())
    };
    let (first, second) = (keep(first), keep(second));
    // The runs may use different labels and therefore sort samples differently.
    let order: Vec<usize> = {
        let place: HashMap<&str, usize> = second.samples().iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect();
        first.samples().iter().map(|s| place[s.as_str()]).collect()
    };

    let mut pairs: Vec<(&str, Measure, Measure)> = Vec::new();
    for metric in metrics {
        let others = metric.measure(&second);
        for a in metric.measure(&first) {
            let Some(b) = others.iter().find(|b| b.condition == a.condition) else { continue };
            let mut b = b.clone();
            for column in &mut b.columns {
                *column = order.iter().map(|&s| column[s]).collect();
            }
            pairs.push((metric.meta().id, a, b));
        }
    }
    let mut found: Vec<MetricDifferences> = Vec::new();
    let ids: Vec<&str> = pairs.iter().map(|(id, ..)| *id).collect();
    let measures = pairs.into_iter().map(|(_, a, b)| (a.condition.clone(), a, b)).collect();
    for (id, difference) in ids.into_iter().zip(differences(measures, &first, options)) {
        if found.last().is_none_or(|m| m.id != id) {
            found.push(MetricDifferences { id: id.to_owned(), differences: Vec::new() });
        }
        if let Some(metric) = found.last_mut() {
            metric.differences.push(difference);
        }
    }
    Comparison { options: *options, samples: shared.len(), classes: first.classes().to_vec(), metrics: found }
}

/// Compares one metric under two conditions of one run, first minus second, paired by sample. Returns `None` if the run
/// does not have both.
///
/// The condition of the result is "first − second".
pub fn compare_conditions(
    records: &[Record],
    metric: &str,
    first: &str,
    second: &str,
    options: &Options,
) -> Option<Difference> {
    let records = Records::new(records);
    let measures = metrics().find(|m| m.meta().id == metric)?.measure(&records);
    let find = |condition: &str| measures.iter().find(|m| m.condition == condition).cloned();
    let pair = (format!("{first} − {second}"), find(first)?, find(second)?);
    differences(vec![pair], &records, options).pop()
}

/// Computes the differences of measures on the same samples, in the order of the records.
fn differences(mut pairs: Vec<(String, Measure, Measure)>, records: &Records, options: &Options) -> Vec<Difference> {
    pairs.iter_mut().for_each(|(_, a, b)| pair(a, b));
    let quantities: Vec<Quantity> = pairs.iter().map(|(_, a, b)| Quantity { measure: a, minus: Some(b) }).collect();
    let classes = ranges(records);
    estimate(&quantities, records, options)
        .into_iter()
        .zip(&quantities)
        .zip(&pairs)
        .map(|((estimates, quantity), (condition, ..))| {
            difference(condition.clone(), quantity, estimates, &classes, options)
        })
        .collect()
}

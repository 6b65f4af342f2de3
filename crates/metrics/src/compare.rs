use crate::estimate::{Quantity, estimate};
use crate::score::to_score;
use crate::{Measure, MetricScores, Options, Part, Record, Records, metrics};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Differences between two runs on the samples they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Samples in both runs; only they take part.
    pub samples: usize,
    /// First minus second, for each metric under each condition that both runs have. Differences are in
    /// [`Score::sample_mean`](crate::Score::sample_mean), [`class_mean`](crate::Score::class_mean) and
    /// [`classes`](crate::Score::classes) of the first run's labels.
    pub metrics: Vec<MetricScores>,
}

/// First minus second, paired by sample, with intervals.
///
/// Both runs are resampled together, so what makes a sample hard for both cancels and the intervals are narrower than
/// those of two runs apart.
pub fn compare(first: &[Record], second: &[Record], options: &Options) -> Comparison {
    let ids = |records: &[Record]| -> HashSet<String> {
        records.iter().filter(|r| r.error.is_none()).map(|r| r.sample.clone()).collect()
    };
    let shared: HashSet<String> = ids(first).intersection(&ids(second)).cloned().collect();
    let keep = |records: &[Record]| -> Records {
        Records::new(&records.iter().filter(|r| shared.contains(&r.sample)).cloned().collect::<Vec<_>>())
    };
    let (first, second) = (keep(first), keep(second));
    // The runs may judge against different labels and so sort samples differently.
    let order: Vec<usize> = {
        let place: std::collections::HashMap<&str, usize> =
            second.samples().iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect();
        first.samples().iter().map(|s| place[s.as_str()]).collect()
    };

    let mut pairs: Vec<(&str, Measure, Measure)> = Vec::new();
    for metric in metrics() {
        let others = metric.measure(&second);
        for mut a in metric.measure(&first) {
            let Some(b) = others.iter().find(|b| b.condition == a.condition) else { continue };
            let mut b = b.clone();
            for column in &mut b.columns {
                *column = order.iter().map(|&s| column[s]).collect();
            }
            pair(&mut a, &mut b);
            pairs.push((metric.meta().id, a, b));
        }
    }
    let quantities: Vec<Quantity> = pairs.iter().map(|(_, a, b)| Quantity { measure: a, minus: Some(b) }).collect();
    let mut scores: Vec<MetricScores> = Vec::new();
    for ((id, measure, _), estimates) in pairs.iter().zip(estimate(&quantities, &first, options)) {
        if scores.last().is_none_or(|m| m.id != *id) {
            scores.push(MetricScores { id: (*id).to_owned(), scores: Vec::new() });
        }
        if let Some(metric) = scores.last_mut() {
            metric.scores.push(to_score(measure, estimates));
        }
    }
    Comparison { samples: shared.len(), metrics: scores }
}

/// Leaves only samples that both have in all columns.
fn pair(a: &mut Measure, b: &mut Measure) {
    let samples = a.columns.first().map_or(0, Vec::len);
    for sample in 0..samples {
        let columns = || a.columns.iter().chain(&b.columns);
        if columns().any(|c| c[sample].count == 0.0) {
            for column in a.columns.iter_mut().chain(&mut b.columns) {
                column[sample] = Part::default();
            }
        }
    }
}

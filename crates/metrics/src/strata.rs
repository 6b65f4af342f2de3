use crate::{CLEAN, Metric, Options, Record, Scores, metrics, score_with};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Scores of groups of samples that differ in one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strata {
    /// The property: "object-size", "eccentricity", "components" or "cue-rank".
    pub by: String,
    /// The property's title for tables: "Size of the object".
    pub title: String,
    /// The groups, from the lowest values to the highest.
    pub strata: Vec<Stratum>,
}

/// One group of samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stratum {
    /// The lowest and the highest value in the group.
    pub range: (f64, f64),
    /// The scores of the group by [`STRATA_METRICS`].
    pub scores: Scores,
}

/// The metrics that are computed for each group.
pub const STRATA_METRICS: [&str; 6] = ["accuracy", "drop", "relative-drop", "rfs", "iou", "delta-density"];

/// One way to group samples.
struct Division {
    by: &'static str,
    title: &'static str,
    value: fn(&Record) -> Option<f64>,
    cut: Cut,
}

enum Cut {
    /// This many groups of equal size. Equal values stay together.
    Quantiles(usize),
    /// One group per whole number up to this one, which also stands for all greater numbers.
    Counts(u32),
}

static DIVISIONS: [Division; 4] = [
    Division {
        by: "object-size",
        title: "Size of the object",
        value: |record| record.object_fraction.filter(|&share| share > 0.0).map(f64::from),
        cut: Cut::Quantiles(4),
    },
    Division {
        by: "eccentricity",
        title: "Distance of the object from the center",
        value: |record| record.eccentricity.map(f64::from),
        cut: Cut::Quantiles(4),
    },
    Division {
        by: "components",
        title: "Pieces of the object",
        value: |record| record.components.filter(|&pieces| pieces > 0).map(f64::from),
        cut: Cut::Counts(3),
    },
    Division {
        by: "cue-rank",
        title: "Place in the ranking by spurious cues",
        value: |record| record.cue_rank.map(f64::from),
        cut: Cut::Quantiles(10),
    },
];

/// Scores samples by the size of the object, its distance from the center, its number of pieces, and its place in a
/// ranking, as far as the records state them.
///
/// Samples without an object, or without a place, are left out. A property that would put all samples into a single
/// group is left out too. The intervals are those of each group by itself; see [`score`](crate::score()).
pub fn score_strata(records: &[Record], options: &Options) -> Vec<Strata> {
    let chosen: Vec<&dyn Metric> = metrics().filter(|metric| STRATA_METRICS.contains(&metric.meta().id)).collect();
    DIVISIONS.iter().filter_map(|division| divide(division, records, options, &chosen)).collect()
}

fn divide(division: &Division, records: &[Record], options: &Options, metrics: &[&dyn Metric]) -> Option<Strata> {
    let clean = records.iter().filter(|record| record.condition == CLEAN && record.error.is_none());
    let values: HashMap<&str, f64> =
        clean.filter_map(|record| Some((record.sample.as_str(), (division.value)(record)?))).collect();
    let ranges = division.cut.ranges(values.values().copied().collect());
    let of = |&(from, to): &(f64, f64)| {
        let inside = |record: &&Record| values.get(record.sample.as_str()).is_some_and(|v| (from..=to).contains(v));
        let records: Vec<Record> = records.iter().filter(inside).cloned().collect();
        Stratum { range: (from, to), scores: score_with(&records, options, metrics) }
    };
    (ranges.len() > 1).then(|| Strata {
        by: division.by.to_owned(),
        title: division.title.to_owned(),
        strata: ranges.iter().map(of).collect(),
    })
}

impl Cut {
    /// Returns the lowest and the highest value of each group, in order.
    fn ranges(&self, mut values: Vec<f64>) -> Vec<(f64, f64)> {
        values.sort_unstable_by(f64::total_cmp);
        let part = |at: usize, value: f64| match self {
            // All equal values belong to the group of the first one.
            Self::Quantiles(parts) => values.partition_point(|v| *v < value).min(at) * parts / values.len(),
            Self::Counts(last) => value.min(f64::from(*last)) as usize,
        };
        let parts: Vec<(usize, f64)> =
            values.iter().enumerate().map(|(at, value)| (part(at, *value), *value)).collect();
        parts.chunk_by(|a, b| a.0 == b.0).map(|part| (part[0].1, part[part.len() - 1].1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts() {
        let check = |cut: Cut, values: &[f64], expected: &[(f64, f64)]| {
            assert_eq!(cut.ranges(values.to_vec()), expected, "{values:?}");
        };
        check(
            Cut::Quantiles(4),
            &[8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            &[(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0)],
        );
        check(Cut::Quantiles(2), &[0.0, 0.0, 0.0, 1.0], &[(0.0, 0.0), (1.0, 1.0)]);
        check(Cut::Quantiles(4), &[5.0, 5.0], &[(5.0, 5.0)]);
        check(Cut::Quantiles(4), &[], &[]);
        check(Cut::Counts(3), &[1.0, 9.0, 1.0, 3.0, 2.0], &[(1.0, 1.0), (2.0, 2.0), (3.0, 9.0)]);
    }

    fn records() -> Vec<Record> {
        let of = |sample: u32| {
            let record = |condition: &str, right: bool| Record {
                sample: format!("val/{sample:02}"),
                label: sample % 2,
                condition: condition.into(),
                correct: Some(right),
                object_fraction: (condition == CLEAN).then_some(sample as f32 / 100.0),
                ..Record::default()
            };
            [record(CLEAN, true), record("gray", sample <= 20)]
        };
        (0..41).flat_map(of).collect()
    }

    #[test]
    fn small_objects_apart_from_large_ones() {
        let strata = score_strata(&records(), &Options::default());
        assert_eq!(strata.len(), 1, "nothing is known but sizes");
        let drops: Vec<f64> =
            strata[0].strata.iter().map(|stratum| stratum.scores.headline("drop", "gray").unwrap().value).collect();
        assert_eq!(drops, [0.0, 0.0, 1.0, 1.0]);
        // Sample 0 has no object.
        assert_eq!(strata[0].strata.iter().map(|stratum| stratum.scores.counts.samples).sum::<usize>(), 40);
    }
}

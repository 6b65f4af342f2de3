use crate::strata::STRATA_METRICS;
use crate::{CLEAN, Contrast, Metric, Options, Record, Scores, contrast, metrics, score_with};
use std::collections::{BTreeMap, HashSet};

/// Scores at both ends of a ranking by spurious cues.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    /// Scores of the samples with the strongest cues.
    pub strongest: Scores,
    /// Scores of the samples with the weakest cues.
    pub weakest: Scores,
    /// Strongest minus weakest, with intervals for different samples.
    pub difference: Contrast,
}

/// Compares the first `k` samples of each class by [`Record::cue_rank`] with the last `k`, under every condition. The
/// difference shows how much of a model's accuracy depends on the cue.
///
/// A class with fewer than `2 k` ranked samples is split in half. Returns `None` if no sample is ranked or if `k` is 0.
pub fn compare_ends(records: &[Record], k: usize, options: &Options) -> Option<Ends> {
    let mut classes: BTreeMap<u32, Vec<(f32, &str)>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.condition == CLEAN && record.error.is_none()) {
        if let Some(rank) = record.cue_rank {
            classes.entry(record.label).or_default().push((rank, &record.sample));
        }
    }
    let (mut first, mut last) = (HashSet::new(), HashSet::new());
    for ranked in classes.values_mut() {
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let k = k.min(ranked.len() / 2);
        first.extend(ranked[..k].iter().map(|one| one.1));
        last.extend(ranked[ranked.len() - k..].iter().map(|one| one.1));
    }
    if first.is_empty() {
        return None;
    }
    let of = |chosen: &HashSet<&str>| {
        let own: Vec<Record> =
            records.iter().filter(|record| chosen.contains(record.sample.as_str())).cloned().collect();
        let metrics: Vec<&dyn Metric> = metrics().filter(|metric| STRATA_METRICS.contains(&metric.meta().id)).collect();
        score_with(&own, options, &metrics)
    };
    let (strongest, weakest) = (of(&first), of(&last));
    let difference = contrast(&strongest, &weakest);
    Some(Ends { strongest, weakest, difference })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Averaging;

    #[test]
    fn the_first_against_the_last() {
        // Twenty samples of two classes. The first half of each class by rank is right; under gray only its first two
        // are.
        let record = |s: usize, condition: &str, correct: bool| Record {
            sample: format!("{s:02}"),
            label: s as u32 % 2,
            condition: condition.to_owned(),
            correct: Some(correct),
            prediction: Some(if correct { s as u32 % 2 } else { 9 }),
            cue_rank: (condition == CLEAN).then_some((s / 2) as f32 / 9.0),
            ..Record::default()
        };
        let records: Vec<Record> = (0..20).flat_map(|s| [record(s, CLEAN, s < 10), record(s, "gray", s < 4)]).collect();
        let ends = compare_ends(&records, 4, &Options::default()).unwrap();
        let value =
            |condition: &str| ends.difference.get("accuracy", condition).unwrap().mean(Averaging::Sample).unwrap();
        assert_eq!(ends.strongest.headline("accuracy", CLEAN).unwrap().n, 8);
        assert_eq!((value(CLEAN).value, value("gray").value), (1.0, 0.5));
        assert!(value(CLEAN).low > 0.3 && value("gray").low < 0.5);
        assert_eq!(compare_ends(&records, 0, &Options::default()), None);
        let unranked: Vec<Record> = records.into_iter().map(|r| Record { cue_rank: None, ..r }).collect();
        assert_eq!(compare_ends(&unranked, 4, &Options::default()), None);
    }
}

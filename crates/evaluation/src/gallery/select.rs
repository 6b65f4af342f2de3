//! Selects the samples that are worth a look.

use hard_imagenet_metrics::{CLEAN, Record};
use hard_imagenet_runs::ExhibitKind;
use std::collections::{HashMap, HashSet};

/// The number of samples at each end of each scale.
const EACH: usize = 4;

/// A sample and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected<'a> {
    pub(crate) title: &'static str,
    pub(crate) kind: ExhibitKind,
    /// Begins the names of its files: "iou-best-1".
    pub(crate) slug: String,
    pub(crate) sample: &'a str,
}

/// Selects the best and the worst samples by saliency IoU, and by the confidence that is lost under an ablation.
pub(crate) fn select<'a>(records: &'a [Record], ablation: Option<&str>) -> Vec<Selected<'a>> {
    let clean: Vec<&Record> = records.iter().filter(|r| r.condition == CLEAN && r.error.is_none()).collect();
    let ious: Vec<ScoredSample<'_>> = clean.iter().filter_map(|r| Some(scored(r, r.map.get("iou")?))).collect();
    let after: HashMap<&str, f32> = records
        .iter()
        .filter(|r| Some(r.condition.as_str()) == ablation)
        .filter_map(|r| Some((r.sample.as_str(), r.confidence?)))
        .collect();
    // A model that did not recognize the object in the first place has nothing to lose.
    let right = clean.iter().filter(|r| r.correct == Some(true));
    let drops: Vec<ScoredSample<'_>> =
        right.filter_map(|r| Some(scored(r, r.confidence? - after.get(r.sample.as_str())?))).collect();

    let groups = [
        ("Highest saliency overlap", ExhibitKind::Best, "iou-best", extremes(&ious, true)),
        ("Lowest saliency overlap", ExhibitKind::Worst, "iou-worst", extremes(&ious, false)),
        ("Most confidence lost with the object", ExhibitKind::Best, "drop-most", extremes(&drops, true)),
        ("Least confidence lost with the object", ExhibitKind::Worst, "drop-least", extremes(&drops, false)),
    ];
    let mut selected = Vec::new();
    for (title, kind, slug, samples) in groups {
        let one = |(place, sample)| Selected { title, kind, slug: format!("{slug}-{place}"), sample };
        selected.extend((1u32..).zip(samples).map(one));
    }
    selected
}

#[derive(Clone, Copy)]
struct ScoredSample<'a> {
    sample: &'a str,
    class: &'a str,
    score: f32,
}

fn scored(record: &Record, score: f32) -> ScoredSample<'_> {
    ScoredSample { sample: &record.sample, class: &record.class, score }
}

/// Returns a few samples with the highest or lowest scores. No class comes twice before every class has come once.
fn extremes<'a>(all: &[ScoredSample<'a>], highest: bool) -> Vec<&'a str> {
    let mut left: Vec<ScoredSample<'_>> = all.to_vec();
    // The sort is stable, so equal scores keep the order of the dataset.
    left.sort_by(|a, b| if highest { b.score.total_cmp(&a.score) } else { a.score.total_cmp(&b.score) });
    let mut selected = Vec::new();
    while selected.len() < EACH && !left.is_empty() {
        let mut seen = HashSet::new();
        left.retain(|scored| {
            let take = selected.len() < EACH && seen.insert(scored.class);
            if take {
                selected.push(scored.sample);
            }
            !take
        });
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::{ScoredSample, extremes, select};

    fn check(all: &[(&'static str, &'static str, f32)], highest: bool, expected: &[&str]) {
        let all: Vec<ScoredSample<'_>> =
            all.iter().map(|&(sample, class, score)| ScoredSample { sample, class, score }).collect();
        assert_eq!(extremes(&all, highest), expected);
    }

    #[test]
    fn classes_take_turns() {
        let all = [
            ("a1", "a", 0.9),
            ("a2", "a", 0.8),
            ("a3", "a", 0.7),
            ("b1", "b", 0.6),
            ("a4", "a", 0.5),
            ("a5", "a", 0.4),
        ];
        check(&all, true, &["a1", "b1", "a2", "a3"]);
        check(&all, false, &["a5", "b1", "a4", "a3"]);
        check(&all[..2], true, &["a1", "a2"]);
        check(&[], true, &[]);
    }

    #[test]
    fn without_records_nothing_is_selected() {
        assert_eq!(select(&[], Some("gray")), []);
    }
}

//! Which samples are worth a look.

use hard_imagenet_metrics::{CLEAN, Record};
use hard_imagenet_runs::ExhibitKind;
use std::collections::{HashMap, HashSet};

/// Samples for each thing that a case can stand for.
const EACH: usize = 4;

/// The ablation whose drop in confidence is looked at: the first of these that the protocol has.
const ABLATIONS: [&str; 7] = ["gray", "gray-box", "tile", "mean", "no-fg", "only-bg-t", "only-bg-b"];

/// A sample and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen<'a> {
    pub(crate) title: &'static str,
    pub(crate) kind: ExhibitKind,
    /// Begins the names of its files: "iou-best-1".
    pub(crate) slug: String,
    pub(crate) sample: &'a str,
}

/// The best and the worst by saliency IoU, and by what is left of the confidence without the object.
pub(crate) fn select(records: &[Record]) -> Vec<Chosen<'_>> {
    let clean: Vec<&Record> = records.iter().filter(|r| r.condition == CLEAN && r.error.is_none()).collect();
    let ious: Vec<Scored<'_>> = clean.iter().filter_map(|r| Some(scored(r, r.map.get("iou")?))).collect();

    let ablation = ABLATIONS.into_iter().find(|&word| records.iter().any(|r| r.condition == word));
    let after: HashMap<&str, f32> = records
        .iter()
        .filter(|r| Some(r.condition.as_str()) == ablation)
        .filter_map(|r| Some((r.sample.as_str(), r.confidence?)))
        .collect();
    // A model that did not know the object from the start has nothing to lose.
    let right = clean.iter().filter(|r| r.correct == Some(true));
    let drops: Vec<Scored<'_>> =
        right.filter_map(|r| Some(scored(r, r.confidence? - after.get(r.sample.as_str())?))).collect();

    let groups = [
        ("Highest saliency overlap", ExhibitKind::Best, "iou-best", extremes(&ious, true)),
        ("Lowest saliency overlap", ExhibitKind::Worst, "iou-worst", extremes(&ious, false)),
        ("Most confidence lost with the object", ExhibitKind::Best, "drop-most", extremes(&drops, true)),
        ("Least confidence lost with the object", ExhibitKind::Worst, "drop-least", extremes(&drops, false)),
    ];
    let mut chosen = Vec::new();
    for (title, kind, slug, samples) in groups {
        let exhibit = |(place, sample)| Chosen { title, kind, slug: format!("{slug}-{place}"), sample };
        chosen.extend((1u32..).zip(samples).map(exhibit));
    }
    chosen
}

#[derive(Clone, Copy)]
struct Scored<'a> {
    sample: &'a str,
    class: &'a str,
    score: f32,
}

fn scored(record: &Record, score: f32) -> Scored<'_> {
    Scored { sample: &record.sample, class: &record.class, score }
}

/// The highest or lowest few; no class comes again before every class has come.
fn extremes<'a>(all: &[Scored<'a>], highest: bool) -> Vec<&'a str> {
    let mut left: Vec<Scored<'_>> = all.to_vec();
    // Stable, so that equal scores keep the dataset's order.
    left.sort_by(|a, b| if highest { b.score.total_cmp(&a.score) } else { a.score.total_cmp(&b.score) });
    let mut chosen = Vec::new();
    while chosen.len() < EACH && !left.is_empty() {
        let mut seen = HashSet::new();
        left.retain(|scored| {
            let take = chosen.len() < EACH && seen.insert(scored.class);
            if take {
                chosen.push(scored.sample);
            }
            !take
        });
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::{Scored, extremes, select};

    fn check(all: &[(&'static str, &'static str, f32)], highest: bool, expected: &[&str]) {
        let all: Vec<Scored<'_>> = all.iter().map(|&(sample, class, score)| Scored { sample, class, score }).collect();
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
    fn nothing_to_choose_from() {
        assert_eq!(select(&[]), []);
    }
}

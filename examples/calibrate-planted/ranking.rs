//! Ranks scores, and pairs of scores, by how well they order models.

use crate::figure::title;
use crate::judge::{Group, judge_combined};
use crate::section::Section;

/// A score, or two combined, and the share of pairs of models that it orders correctly in each section.
pub(crate) struct Ranked {
    pub(crate) name: String,
    /// By the cue in training.
    pub(crate) by_cue: Vec<f64>,
    /// By the cost of the scene.
    pub(crate) by_behavior: Vec<f64>,
}

impl Ranked {
    fn new(name: String, shares: Vec<(f64, f64)>) -> Self {
        let (by_cue, by_behavior) = shares.into_iter().unzip();
        Self { name, by_cue, by_behavior }
    }

    /// Returns the means over the sections.
    pub(crate) fn means(&self) -> (f64, f64) {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        (mean(&self.by_cue), mean(&self.by_behavior))
    }
}

/// Returns every score that all sections have, the best first.
pub(crate) fn rank_scores(sections: &[Section<'_>]) -> Vec<Ranked> {
    let Some(first) = sections.first() else { return Vec::new() };
    let ranked = |measure| {
        let shares = |section: &Section<'_>| {
            let found = section.judgment(measure)?;
            Some((found.pairs?.value, found.behavior?.value))
        };
        Some(Ranked::new(title(measure), sections.iter().map(shares).collect::<Option<_>>()?))
    };
    sort_best_first(first.judgments.iter().filter_map(|judgment| ranked(&judgment.measure)).collect())
}

/// Returns every two scores combined, the best first.
pub(crate) fn rank_pairs(groups: &[Group<'_>], sections: &[Section<'_>]) -> Vec<Ranked> {
    let Some(first) = sections.first() else { return Vec::new() };
    let mut ranked = Vec::new();
    for (i, a) in first.judgments.iter().enumerate() {
        for b in &first.judgments[i + 1..] {
            let shares =
                groups.iter().map(|group| judge_combined(group, &a.measure, &b.measure)).collect::<Option<_>>();
            let name = format!("{} + {}", title(&a.measure), title(&b.measure));
            ranked.extend(shares.map(|shares| Ranked::new(name, shares)));
        }
    }
    sort_best_first(ranked)
}

/// Sorts by the sum of both means.
fn sort_best_first(mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    let sum = |ranked: &Ranked| ranked.means().0 + ranked.means().1;
    ranked.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    ranked
}

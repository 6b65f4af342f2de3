//! Which scores, and which two scores together, order models best.

use crate::figure::title;
use crate::judge::{Group, together};
use crate::section::Section;

/// A score, or two, and the shares of pairs of models that it orders rightly: one for each section.
pub(crate) struct Ranked {
    pub(crate) name: String,
    /// By the cue in training.
    pub(crate) by_cue: Vec<f64>,
    /// By what the scene is worth to the model.
    pub(crate) by_behaviour: Vec<f64>,
}

impl Ranked {
    fn new(name: String, shares: Vec<(f64, f64)>) -> Self {
        let (by_cue, by_behaviour) = shares.into_iter().unzip();
        Self { name, by_cue, by_behaviour }
    }

    /// Means over the sections.
    pub(crate) fn means(&self) -> (f64, f64) {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        (mean(&self.by_cue), mean(&self.by_behaviour))
    }
}

/// Every score that all sections have, the best first.
pub(crate) fn singles(sections: &[Section<'_>]) -> Vec<Ranked> {
    let Some(first) = sections.first() else { return Vec::new() };
    let ranked = |measure| {
        let of = |section: &Section<'_>| {
            let found = section.of(measure)?;
            Some((found.pairs?.value, found.behaviour?.value))
        };
        Some(Ranked::new(title(measure), sections.iter().map(of).collect::<Option<_>>()?))
    };
    best_first(first.judgements.iter().filter_map(|judgement| ranked(&judgement.measure)).collect())
}

/// Every two scores together, the best first.
pub(crate) fn pairs(groups: &[Group<'_>], sections: &[Section<'_>]) -> Vec<Ranked> {
    let Some(first) = sections.first() else { return Vec::new() };
    let mut ranked = Vec::new();
    for (i, a) in first.judgements.iter().enumerate() {
        for b in &first.judgements[i + 1..] {
            let shares = groups.iter().map(|group| together(group, &a.measure, &b.measure)).collect::<Option<_>>();
            let name = format!("{} + {}", title(&a.measure), title(&b.measure));
            ranked.extend(shares.map(|shares| Ranked::new(name, shares)));
        }
    }
    best_first(ranked)
}

/// By the sum of both means.
fn best_first(mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    let sum = |ranked: &Ranked| ranked.means().0 + ranked.means().1;
    ranked.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    ranked
}

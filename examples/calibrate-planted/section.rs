//! The results for the models of one kind on one preset.

use crate::judge::{Group, Judgment, judge, measures};
use crate::statistics::mean;
use crate::subject::CUES;
use crate::trial::{Measure, Outcome};

/// For each strength of the cue the mean and half the width of its interval, or `None` without enough values.
pub(crate) type Levels = Vec<Option<(f64, f64)>>;

/// The results for one group of models.
#[derive(Clone)]
pub(crate) struct Section<'a> {
    pub(crate) kind: &'a str,
    pub(crate) preset: &'a str,
    /// The cost of the scene: the truth by behavior.
    pub(crate) cost: Levels,
    /// Accuracy with objects in scenes that are not their own.
    pub(crate) foreign: Levels,
    pub(crate) judgments: Vec<Judgment>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(kind: &'a str, preset: &'a str, group: &Group<'_>) -> Self {
        let at = |cue: f64, value: fn(&Outcome) -> f64| -> Vec<f64> {
            group.iter().filter(|(subject, _)| subject.cue == cue).map(|(_, outcome)| value(outcome)).collect()
        };
        let levels = |value| CUES.iter().map(|&cue| mean(&at(cue, value))).collect();
        let judgments = measures(group).iter().map(|measure| judge(group, measure)).collect();
        Self { kind, preset, cost: levels(|o| o.cost), foreign: levels(|o| o.foreign), judgments }
    }

    /// Returns the section with only the scores that `keep` accepts.
    pub(crate) fn select(&self, keep: fn(&Measure) -> bool) -> Self {
        let mut selected = self.clone();
        selected.judgments.retain(|judgment| keep(&judgment.measure));
        selected
    }

    /// Returns a title such as "resnet, hard".
    pub(crate) fn title(&self) -> String {
        format!("{}, {}", self.kind, self.preset)
    }

    /// Returns the judgment of a score.
    pub(crate) fn judgment(&self, measure: &Measure) -> Option<&Judgment> {
        self.judgments.iter().find(|judgment| judgment.measure == *measure)
    }
}

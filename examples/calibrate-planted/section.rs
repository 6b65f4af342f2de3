//! The results on the models of one kind and one preset.

use crate::judge::{Group, Judgement, judge, measures};
use crate::statistics::mean;
use crate::subject::CUES;
use crate::trial::{Measure, Outcome};

/// A mean and half the width of its interval at each strength of the cue, as far as there are values.
pub(crate) type Levels = Vec<Option<(f64, f64)>>;

/// What was found on one group of models.
#[derive(Clone)]
pub(crate) struct Section<'a> {
    pub(crate) kind: &'a str,
    pub(crate) preset: &'a str,
    /// What the scene is worth: the truth by behaviour.
    pub(crate) cost: Levels,
    /// Accuracy in scenes that are not the objects' own.
    pub(crate) foreign: Levels,
    pub(crate) judgements: Vec<Judgement>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(kind: &'a str, preset: &'a str, group: &Group<'_>) -> Self {
        let at = |cue: f64, value: fn(&Outcome) -> f64| -> Vec<f64> {
            group.iter().filter(|(subject, _)| subject.cue == cue).map(|(_, outcome)| value(outcome)).collect()
        };
        let levels = |value| CUES.iter().map(|&cue| mean(&at(cue, value))).collect();
        let judgements = measures(group).iter().map(|measure| judge(group, measure)).collect();
        Self { kind, preset, cost: levels(|o| o.cost), foreign: levels(|o| o.foreign), judgements }
    }

    /// The same with some of the scores.
    pub(crate) fn only(&self, keep: fn(&Measure) -> bool) -> Self {
        let mut some = self.clone();
        some.judgements.retain(|judgement| keep(&judgement.measure));
        some
    }

    /// "resnet, hard".
    pub(crate) fn title(&self) -> String {
        format!("{}, {}", self.kind, self.preset)
    }

    /// The judgement of a score.
    pub(crate) fn of(&self, measure: &Measure) -> Option<&Judgement> {
        self.judgements.iter().find(|judgement| judgement.measure == *measure)
    }
}

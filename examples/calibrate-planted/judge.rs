//! Judges how well each score orders the models of one kind on one preset.

use crate::section::Levels;
use crate::statistics::{Estimate, bootstrap_groups, crossing, mean, pearson, ranks, share_in_order, spearman};
use crate::subject::{CUES, SEEDS, Subject};
use crate::trial::{Measure, Outcome};
use hard_imagenet::metrics::{Better, CLEAN, NoiseCondition, NoiseRegion, meta};
use hard_imagenet::perturbations::PerturbationKind;

/// Costs that differ by less are too close for the images of the truth to separate.
const SMALLEST_DIFFERENCE: f64 = 0.05;

/// The models of one kind with their outcomes on one preset.
pub(crate) type Group<'a> = Vec<(&'a Subject, &'a Outcome)>;

/// A score and its quality. Intervals cover 95 %, over seeds.
#[derive(Clone)]
pub(crate) struct Judgment {
    pub(crate) measure: Measure,
    /// Mean and half the width of its interval at each strength of the cue.
    pub(crate) levels: Levels,
    /// Spearman's correlation with the truth by training: a weaker cue means a higher truth.
    pub(crate) cue: Option<Estimate>,
    /// The same with the truth by behavior: a lower cost of the scene means a higher truth.
    pub(crate) cost: Option<Estimate>,
    /// Share of the pairs trained with different cues that it orders correctly.
    pub(crate) pairs: Option<Estimate>,
    /// The same for pairs with neighboring cues only.
    pub(crate) neighbors: Option<Estimate>,
    /// The same for pairs that differ in behavior.
    pub(crate) behavior: Option<Estimate>,
    /// Pearson's correlation with clean accuracy among models of the same cue, which differ only in their seeds.
    pub(crate) accuracy: Option<f64>,
}

/// Returns +1 if the score should be high for models that need the object, -1 if it should be low, and `None` if nobody reads it
/// in this way.
pub(crate) fn direction((metric, condition): &Measure) -> Option<f64> {
    // Accuracy that remains without the object, or with noise on it, does not come from the object.
    let noisy = NoiseCondition::parse(condition).is_some_and(|noise| noise.region == NoiseRegion::Foreground);
    let keeps_object = PerturbationKind::find(condition).is_some_and(|kind| kind.keeps_object);
    let kept = if keeps_object && !noisy { 1.0 } else { -1.0 };
    match metric.as_str() {
        "accuracy" => Some(kept),
        "drop" | "relative-drop" | "confidence-drop" => Some(-kept),
        _ => match meta(metric)?.better {
            Better::Higher => Some(1.0),
            Better::Lower => Some(-1.0),
            Better::Neither => None,
        },
    }
}

/// Returns whether people report this score by itself. The others are for looking up.
pub(crate) fn is_headline((metric, condition): &Measure) -> bool {
    match metric.as_str() {
        "accuracy" => condition == CLEAN,
        "drop" | "relative-drop" => removes_or_moves_object(condition),
        metric => ["rfs", "iou", "delta-density", "background-gap"].contains(&metric),
    }
}

/// Returns whether a condition removes the object or puts it before a foreign background. Noise is covered by RFS, and
/// `mixed-same` leaves the object with a background of its own class.
fn removes_or_moves_object(condition: &str) -> bool {
    NoiseCondition::parse(condition).is_none() && condition != "mixed-same"
}

/// Returns whether another score adds information. Accuracy without the object is contained in its drop, and IoU under RIVAL10's
/// rules in IoU.
pub(crate) fn is_other(measure: &Measure) -> bool {
    let contained = ["accuracy", "accuracy-top5", "drop", "relative-drop", "iou-rival10", "dice-rival10"];
    match measure.0.as_str() {
        "confidence-drop" => removes_or_moves_object(&measure.1),
        metric => !is_headline(measure) && !contained.contains(&metric),
    }
}

/// Returns all measures with a direction that any model of the group has.
pub(crate) fn measures(group: &Group<'_>) -> Vec<Measure> {
    let mut measures: Vec<Measure> = Vec::new();
    for (measure, _) in group.iter().flat_map(|(_, outcome)| &outcome.scores) {
        if direction(measure).is_some() && !measures.contains(measure) {
            measures.push(measure.clone());
        }
    }
    measures
}

/// Judges one score on a group.
pub(crate) fn judge(group: &Group<'_>, measure: &Measure) -> Judgment {
    let values = oriented(group, measure);
    let sign = direction(measure).unwrap_or(1.0);
    let at = |cue: f64| -> Vec<f64> {
        let of_cue = group.iter().zip(&values).filter(|((subject, _), _)| subject.cue == cue);
        of_cue.filter_map(|(_, value)| value.map(|value| sign * value)).collect()
    };
    let levels: Levels = CUES.iter().map(|&cue| mean(&at(cue))).collect();
    let over_seeds = |truth: Truth, statistic: fn(&[f64], &[f64]) -> Option<f64>| {
        bootstrap_groups(SEEDS as usize, |seeds| {
            let (truth, values) = truth.with_scores(group, &values, seeds);
            statistic(&truth, &values)
        })
    };
    Judgment {
        measure: measure.clone(),
        levels,
        cue: over_seeds(Truth::Cue, spearman),
        cost: over_seeds(Truth::Cost, spearman),
        pairs: over_seeds(Truth::Cue, pairs),
        neighbors: over_seeds(Truth::Cue, neighbors),
        behavior: over_seeds(Truth::Cost, behavior),
        accuracy: correlation_with_accuracy(group, &values).map(|r| sign * r),
    }
}

/// Returns the strengths of the cue at which means have gone 10, 50 and 90 % of their way from the weakest cue to the strongest.
pub(crate) fn crossings(levels: &[Option<(f64, f64)>]) -> [Option<f64>; 3] {
    let known = CUES.iter().zip(levels).filter_map(|(&cue, level)| Some((cue, level.as_ref()?.0)));
    let (cues, means): (Vec<f64>, Vec<f64>) = known.unzip();
    [0.1, 0.5, 0.9].map(|share| crossing(&cues, &means, share))
}

/// Combines two scores into the mean of a model's ranks in the group. Returns the share of pairs that it orders correctly, by
/// training and by behavior.
pub(crate) fn judge_combined(group: &Group<'_>, a: &Measure, b: &Measure) -> Option<(f64, f64)> {
    let ranks_by = |measure| -> Option<Vec<f64>> {
        Some(ranks(&oriented(group, measure).into_iter().collect::<Option<Vec<f64>>>()?))
    };
    let both: Vec<Option<f64>> = ranks_by(a)?.iter().zip(ranks_by(b)?).map(|(a, b)| Some(a + b)).collect();
    let seeds: Vec<usize> = (0..SEEDS as usize).collect();
    let (cues, by_cue) = Truth::Cue.with_scores(group, &both, &seeds);
    let (costs, by_cost) = Truth::Cost.with_scores(group, &both, &seeds);
    Some((pairs(&cues, &by_cue)?, behavior(&costs, &by_cost)?))
}

/// Returns the score of each model, with the sign that makes high mean that the model needs the object.
fn oriented(group: &Group<'_>, measure: &Measure) -> Vec<Option<f64>> {
    let sign = direction(measure).unwrap_or(1.0);
    let value = |outcome: &Outcome| outcome.scores.iter().find(|(m, _)| m == measure).map(|(_, value)| sign * value);
    group.iter().map(|(_, outcome)| value(outcome)).collect()
}

/// How much a model needs the object. High means a lot.
#[derive(Clone, Copy)]
enum Truth {
    /// By training: the negative strength of the cue.
    Cue,
    /// By behavior: the negative cost of the scene.
    Cost,
}

impl Truth {
    /// Returns truth and score of the models of some seeds that have a score.
    fn with_scores(self, group: &Group<'_>, values: &[Option<f64>], seeds: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let truth = |(subject, outcome): &(&Subject, &Outcome)| match self {
            Self::Cue => -subject.cue,
            Self::Cost => -outcome.cost,
        };
        let of_seed = |&seed: &usize| (0..group.len()).filter(move |&i| group[i].0.seed == seed as u64 + 1);
        seeds.iter().flat_map(of_seed).filter_map(|i| Some((truth(&group[i]), values[i]?))).unzip()
    }
}

fn pairs(cues: &[f64], values: &[f64]) -> Option<f64> {
    share_in_order(cues, values, |_, _| true)
}

fn neighbors(cues: &[f64], values: &[f64]) -> Option<f64> {
    let step = |truth: f64| CUES.iter().position(|&cue| cue == -truth).unwrap_or(0);
    share_in_order(cues, values, |a, b| step(a).abs_diff(step(b)) == 1)
}

fn behavior(costs: &[f64], values: &[f64]) -> Option<f64> {
    share_in_order(costs, values, |a, b| (a - b).abs() > SMALLEST_DIFFERENCE)
}

/// Returns the correlation of score and clean accuracy, both as distances from their means over the models of the same cue.
fn correlation_with_accuracy(group: &Group<'_>, values: &[Option<f64>]) -> Option<f64> {
    let clean = oriented(group, &("accuracy".to_owned(), CLEAN.to_owned()));
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for cue in CUES {
        let of_cue = (0..group.len()).filter(|&i| group[i].0.cue == cue);
        let (a, b): (Vec<f64>, Vec<f64>) = of_cue.filter_map(|i| Some((clean[i]?, values[i]?))).unzip();
        let center = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        x.extend(a.iter().map(|v| v - center(&a)));
        y.extend(b.iter().map(|v| v - center(&b)));
    }
    pearson(&x, &y)
}

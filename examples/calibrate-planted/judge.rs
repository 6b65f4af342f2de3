//! How well each score orders the models of one kind on one preset.

use crate::section::Levels;
use crate::statistics::{Estimate, crossing, mean, order, over_groups, pearson, ranks, spearman};
use crate::subject::{CUES, SEEDS, Subject};
use crate::trial::{Measure, Outcome};
use hard_imagenet::metrics::{Better, CLEAN, NoiseCondition, NoiseRegion, keeps_object, meta};

/// Costs that differ by less are too near to each other for the pictures of the truth to tell.
const TELLING: f64 = 0.05;

/// The models of one kind with what came of them on one preset.
pub(crate) type Group<'a> = Vec<(&'a Subject, &'a Outcome)>;

/// A score and how it did. Intervals cover 95 %, over seeds.
#[derive(Clone)]
pub(crate) struct Judgement {
    pub(crate) measure: Measure,
    /// Mean and half width of its interval at each strength of the cue.
    pub(crate) levels: Levels,
    /// Spearman's correlation with the truth by training: the weaker the cue was, the higher.
    pub(crate) cue: Option<Estimate>,
    /// The same with the truth by behaviour: the less the scene is worth to the model, the higher.
    pub(crate) cost: Option<Estimate>,
    /// Share of the pairs trained with different cues that it orders rightly.
    pub(crate) pairs: Option<Estimate>,
    /// The same of those with neighbouring cues alone.
    pub(crate) neighbours: Option<Estimate>,
    /// Share of the pairs that differ in behaviour.
    pub(crate) behaviour: Option<Estimate>,
    /// Pearson's correlation with clean accuracy among models of the same cue, where nothing but their seeds sets them
    /// apart.
    pub(crate) accuracy: Option<f64>,
}

/// +1 if the score should be high for models that need the object, -1 if low; `None` if nobody would read it so.
pub(crate) fn direction((metric, condition): &Measure) -> Option<f64> {
    // Accuracy that stays without the object, or with noise on it, was not earned by the object.
    let noisy = NoiseCondition::parse(condition).is_some_and(|noise| noise.region == NoiseRegion::Foreground);
    let kept = if keeps_object(condition) && !noisy { 1.0 } else { -1.0 };
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

/// Is it one that people report by itself? The others are there to be looked up.
pub(crate) fn is_headline((metric, condition): &Measure) -> bool {
    match metric.as_str() {
        "accuracy" => condition == CLEAN,
        "drop" | "relative-drop" => takes_or_moves(condition),
        metric => ["rfs", "iou", "delta-density", "background-gap"].contains(&metric),
    }
}

/// With noise there is RFS, and with another picture of its class as its background the object is where it always was.
fn takes_or_moves(condition: &str) -> bool {
    NoiseCondition::parse(condition).is_none() && condition != "mixed-same"
}

/// Which of the others say something of their own? Accuracy without the object is in its drop, IoU under RIVAL10's rules in
/// IoU.
pub(crate) fn is_other(measure: &Measure) -> bool {
    let within = ["accuracy", "accuracy-top5", "drop", "relative-drop", "iou-rival10", "dice-rival10"];
    match measure.0.as_str() {
        "confidence-drop" => takes_or_moves(&measure.1),
        metric => !is_headline(measure) && !within.contains(&metric),
    }
}

/// All measures that any model of the group has and that say something.
pub(crate) fn measures(group: &Group<'_>) -> Vec<Measure> {
    let mut measures: Vec<Measure> = Vec::new();
    for (measure, _) in group.iter().flat_map(|(_, outcome)| &outcome.scores) {
        if direction(measure).is_some() && !measures.contains(measure) {
            measures.push(measure.clone());
        }
    }
    measures
}

pub(crate) fn judge(group: &Group<'_>, measure: &Measure) -> Judgement {
    let values = turned(group, measure);
    let sign = direction(measure).unwrap_or(1.0);
    let at = |cue: f64| -> Vec<f64> {
        let of_cue = group.iter().zip(&values).filter(|((subject, _), _)| subject.cue == cue);
        of_cue.filter_map(|(_, value)| value.map(|value| sign * value)).collect()
    };
    let levels: Levels = CUES.iter().map(|&cue| mean(&at(cue))).collect();
    let over_seeds = |truth: Truth, statistic: fn(&[f64], &[f64]) -> Option<f64>| {
        over_groups(SEEDS as usize, |seeds| {
            let (truth, values) = truth.known(group, &values, seeds);
            statistic(&truth, &values)
        })
    };
    Judgement {
        measure: measure.clone(),
        levels,
        cue: over_seeds(Truth::Cue, spearman),
        cost: over_seeds(Truth::Cost, spearman),
        pairs: over_seeds(Truth::Cue, pairs),
        neighbours: over_seeds(Truth::Cue, neighbours),
        behaviour: over_seeds(Truth::Cost, behaviour),
        accuracy: with_accuracy(group, &values).map(|r| sign * r),
    }
}

/// Strengths of the cue at which means have gone 10, 50 and 90 % of their way from the weakest cue to the strongest.
pub(crate) fn crossings(levels: &[Option<(f64, f64)>]) -> [Option<f64>; 3] {
    let known = CUES.iter().zip(levels).filter_map(|(&cue, level)| Some((cue, level.as_ref()?.0)));
    let (cues, means): (Vec<f64>, Vec<f64>) = known.unzip();
    [0.1, 0.5, 0.9].map(|share| crossing(&cues, &means, share))
}

/// Two scores in one: the mean of a model's places among the models of the group. The share of pairs that it orders
/// rightly, by training and by behaviour.
pub(crate) fn together(group: &Group<'_>, a: &Measure, b: &Measure) -> Option<(f64, f64)> {
    let places = |measure| -> Option<Vec<f64>> {
        Some(ranks(&turned(group, measure).into_iter().collect::<Option<Vec<f64>>>()?))
    };
    let both: Vec<Option<f64>> = places(a)?.iter().zip(places(b)?).map(|(a, b)| Some(a + b)).collect();
    let seeds: Vec<usize> = (0..SEEDS as usize).collect();
    let (cues, by_cue) = Truth::Cue.known(group, &both, &seeds);
    let (costs, by_cost) = Truth::Cost.known(group, &both, &seeds);
    Some((pairs(&cues, &by_cue)?, behaviour(&costs, &by_cost)?))
}

/// The score of each model, turned so that high means that it needs the object.
fn turned(group: &Group<'_>, measure: &Measure) -> Vec<Option<f64>> {
    let sign = direction(measure).unwrap_or(1.0);
    let of = |outcome: &Outcome| outcome.scores.iter().find(|(m, _)| m == measure).map(|(_, value)| sign * value);
    group.iter().map(|(_, outcome)| of(outcome)).collect()
}

/// How much a model needs the object; high is much.
#[derive(Clone, Copy)]
enum Truth {
    /// By training: the cue that it was offered, negative.
    Cue,
    /// By behaviour: what the scene is worth to it, negative.
    Cost,
}

impl Truth {
    /// Truth and score of the models of some seeds, one by one, as far as they have a score.
    fn known(self, group: &Group<'_>, values: &[Option<f64>], seeds: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let truth = |(subject, outcome): &(&Subject, &Outcome)| match self {
            Self::Cue => -subject.cue,
            Self::Cost => -outcome.cost,
        };
        let of_seed = |&seed: &usize| (0..group.len()).filter(move |&i| group[i].0.seed == seed as u64 + 1);
        seeds.iter().flat_map(of_seed).filter_map(|i| Some((truth(&group[i]), values[i]?))).unzip()
    }
}

fn pairs(cues: &[f64], values: &[f64]) -> Option<f64> {
    order(cues, values, |_, _| true)
}

fn neighbours(cues: &[f64], values: &[f64]) -> Option<f64> {
    let step = |truth: f64| CUES.iter().position(|&cue| cue == -truth).unwrap_or(0);
    order(cues, values, |a, b| step(a).abs_diff(step(b)) == 1)
}

fn behaviour(costs: &[f64], values: &[f64]) -> Option<f64> {
    order(costs, values, |a, b| (a - b).abs() > TELLING)
}

/// Correlation of score and clean accuracy, both as distances from their means over the models of the same cue.
fn with_accuracy(group: &Group<'_>, values: &[Option<f64>]) -> Option<f64> {
    let clean = turned(group, &("accuracy".to_owned(), CLEAN.to_owned()));
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for cue in CUES {
        let of_cue = (0..group.len()).filter(|&i| group[i].0.cue == cue);
        let (a, b): (Vec<f64>, Vec<f64>) = of_cue.filter_map(|i| Some((clean[i]?, values[i]?))).unzip();
        let centre = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        x.extend(a.iter().map(|v| v - centre(&a)));
        y.extend(b.iter().map(|v| v - centre(&b)));
    }
    pearson(&x, &y)
}

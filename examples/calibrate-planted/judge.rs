//! How well each score orders the models of one kind on one preset.

use crate::statistics::{bootstrap, crossing, mean, order, ranks, spearman};
use crate::subject::{CUES, SEEDS, Subject};
use crate::trial::{Measure, Outcome};
use hard_imagenet::metrics::{Better, CLEAN, Noise, Region, keeps_object, meta};

/// Costs that differ by less are too near to each other for 480 pictures to tell.
const TELLING: f64 = 0.05;

/// The models of one kind with what came of them on one preset.
pub(crate) type Group<'a> = Vec<(&'a Subject, &'a Outcome)>;

/// A score and how it did.
#[derive(Clone)]
pub(crate) struct Judgement {
    pub(crate) measure: Measure,
    /// Mean and half width of its interval over seeds at each strength of the cue.
    pub(crate) levels: Vec<Option<(f64, f64)>>,
    /// Spearman's correlation with the weakness of the cue in training, and its interval over seeds.
    pub(crate) cue: Option<f64>,
    pub(crate) cue_interval: Option<(f64, f64)>,
    /// The same with the truth by behaviour.
    pub(crate) cost: Option<f64>,
    pub(crate) cost_interval: Option<(f64, f64)>,
    /// Share of the pairs trained with different cues that it orders rightly; of those with neighbouring ones; of the
    /// pairs whose behaviour differs.
    pub(crate) pairs: Option<f64>,
    pub(crate) neighbours: Option<f64>,
    pub(crate) behaviour: Option<f64>,
    /// Strengths of the cue at which its mean has gone 10, 50 and 90 % of its way from one end to the other.
    pub(crate) crossings: [Option<f64>; 3],
}

/// +1 if the score should be high for models that need the object, -1 if low; `None` if nobody would read it so.
pub(crate) fn direction((metric, condition): &Measure) -> Option<f64> {
    // Accuracy that stays without the object, or with noise on it, was not earned by the object.
    let noisy = Noise::parse(condition).is_some_and(|noise| noise.region == Region::Foreground);
    let kept = if keeps_object(condition) && !noisy { 1.0 } else { -1.0 };
    match metric.as_str() {
        "accuracy" => Some(kept),
        "drop" | "relative-drop" => Some(-kept),
        "background-gap" => Some(-1.0),
        _ => match meta(metric)?.better {
            Better::Higher => Some(1.0),
            Better::Lower => Some(-1.0),
            Better::Neither => None,
        },
    }
}

/// Is it one that people report by itself? The others are there to be looked up.
pub(crate) fn is_headline((metric, condition): &Measure) -> bool {
    let noise = Noise::parse(condition).is_some();
    match metric.as_str() {
        "accuracy" => condition == CLEAN,
        "drop" | "relative-drop" => !noise,
        _ => true,
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

/// The score of each model, turned so that high means that it needs the object.
pub(crate) fn turned(group: &Group<'_>, measure: &Measure) -> Vec<Option<f64>> {
    let sign = direction(measure).unwrap_or(1.0);
    let of = |outcome: &Outcome| outcome.scores.iter().find(|(m, _)| m == measure).map(|(_, value)| sign * value);
    group.iter().map(|(_, outcome)| of(outcome)).collect()
}

pub(crate) fn judge(group: &Group<'_>, measure: &Measure) -> Judgement {
    let sign = direction(measure).unwrap_or(1.0);
    let values = turned(group, measure);
    let at = |cue: f64| -> Vec<f64> {
        let of_cue = group.iter().zip(&values).filter(|((subject, _), _)| subject.cue == cue);
        of_cue.filter_map(|(_, value)| value.map(|value| sign * value)).collect()
    };
    let levels: Vec<Option<(f64, f64)>> = CUES.iter().map(|&cue| mean(&at(cue))).collect();
    let (x, y): (Vec<f64>, Vec<f64>) =
        CUES.iter().zip(&levels).filter_map(|(&cue, level)| Some((cue, level.as_ref()?.0))).unzip();
    let truths = truths(group);
    let [(cue, cue_interval), (cost, cost_interval)] = [0, 1].map(|which| {
        let over = |seeds: &[usize]| {
            let (truth, value) = known(group, &truths, &values, which, seeds);
            spearman(&truth, &value)
        };
        (over(&(0..SEEDS as usize).collect::<Vec<_>>()), bootstrap(SEEDS as usize, over))
    });
    let [pairs, neighbours, behaviour] = orders(group, &values);
    Judgement {
        measure: measure.clone(),
        levels,
        cue,
        cue_interval,
        cost,
        cost_interval,
        pairs,
        neighbours,
        behaviour,
        crossings: [0.1, 0.5, 0.9].map(|share| crossing(&x, &y, share)),
    }
}

/// How much each model needs the object, by training and by behaviour: high is much.
fn truths(group: &Group<'_>) -> Vec<[f64; 2]> {
    group.iter().map(|(subject, outcome)| [-subject.cue, -outcome.cost]).collect()
}

/// A truth and the scores of the models of some seeds, one by one, as far as they have a score.
fn known(
    group: &Group<'_>,
    truths: &[[f64; 2]],
    values: &[Option<f64>],
    which: usize,
    seeds: &[usize],
) -> (Vec<f64>, Vec<f64>) {
    let of_seed = |&seed: &usize| (0..group.len()).filter(move |&i| group[i].0.seed == seed as u64 + 1);
    seeds.iter().flat_map(of_seed).filter_map(|i| Some((truths[i][which], values[i]?))).unzip()
}

/// Shares of pairs in the right order: all that differ in their cue, neighbouring cues, those that differ in behaviour.
pub(crate) fn orders(group: &Group<'_>, values: &[Option<f64>]) -> [Option<f64>; 3] {
    let truths = truths(group);
    let seeds: Vec<usize> = (0..SEEDS as usize).collect();
    let step = |truth: f64| CUES.iter().position(|&cue| cue == -truth).unwrap_or(0);
    let (cues, by_cue) = known(group, &truths, values, 0, &seeds);
    let (costs, by_cost) = known(group, &truths, values, 1, &seeds);
    [
        order(&cues, &by_cue, |_, _| true),
        order(&cues, &by_cue, |a, b| step(a).abs_diff(step(b)) == 1),
        order(&costs, &by_cost, |a, b| (a - b).abs() > TELLING),
    ]
}

/// Two scores in one: the mean of a model's places among the models of the group. `None` where either is missing.
pub(crate) fn together(group: &Group<'_>, a: &Measure, b: &Measure) -> Vec<Option<f64>> {
    let places = |measure| -> Option<Vec<f64>> {
        Some(ranks(&turned(group, measure).into_iter().collect::<Option<Vec<f64>>>()?))
    };
    match (places(a), places(b)) {
        (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| Some((a + b) / 2.0)).collect(),
        _ => vec![None; group.len()],
    }
}

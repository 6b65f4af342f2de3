//! One chunk of samples becomes records.

use crate::Result;
use crate::maps::{Asked, map_scores};
use crate::plan::{Picture, Plan, Prepared};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Connectivity;
use hard_imagenet_metrics::{CLEAN, MAP, MapScores, Record};
use std::ops::{ControlFlow, Range};

/// What a model says of one picture.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) prediction: Option<u32>,
    /// Classes before the label: of all, and of the dataset's.
    rank: Option<u32>,
    rank_within: Option<u32>,
    /// Softmax of the label.
    pub(crate) confidence: Option<f32>,
    /// Softmax of the prediction.
    certainty: Option<f32>,
}

/// What has been done.
pub(crate) enum Step<'a> {
    /// So many pictures came back from the model.
    Pictures(usize),
    /// An explainer has done so many passes of a batch, and of how many.
    Explaining { explainer: &'a str, done: usize, of: usize },
}

/// Hears of steps, and may break off.
pub(crate) type Tick<'t> = dyn FnMut(Step<'_>) -> ControlFlow<()> + 't;

/// Evaluates the samples of a chunk; `None` if `tick` breaks off.
///
/// Batches follow from the chunk's samples alone, so a record does not depend on what was computed before it.
pub(crate) fn evaluate(
    plan: &Plan<'_>,
    samples: Range<usize>,
    prepared: Vec<Result<Prepared, String>>,
    tick: &mut Tick<'_>,
) -> Result<Option<Vec<Record>>> {
    let mut records = Vec::new();
    let (mut good, mut good_samples) = (Vec::new(), Vec::new());
    let mut errors = Vec::new();
    for (sample, prepared) in samples.zip(prepared) {
        match prepared {
            Ok(prepared) => {
                good.push(prepared);
                good_samples.push(sample);
            }
            Err(error) => errors.push((sample, error)),
        }
    }

    let pictures = pictures(plan, &good_samples);
    let Some(answers) = answers(plan, &good, &pictures, tick)? else { return Ok(None) };
    let mut predictions = vec![None; good.len()];
    for (picture, answer) in pictures.iter().zip(&answers) {
        if plan.clean() == Some(picture.condition) {
            predictions[picture.at] = answer.prediction;
        }
    }
    let asked = |((prepared, &sample), prediction)| Asked { prepared, sample, prediction };
    let asked: Vec<Asked<'_>> = good.iter().zip(&good_samples).zip(predictions).map(asked).collect();
    let mut maps = Vec::new();
    for explainer in &plan.explainers {
        let Some(scores) = map_scores(plan, explainer, &asked, tick)? else { return Ok(None) };
        maps.push(scores);
    }

    for (picture, answer) in pictures.iter().zip(answers) {
        let label = plan.label(picture.sample);
        let mut record = Record {
            condition: plan.conditions[picture.condition].id.clone(),
            trial: picture.trial,
            prediction: answer.prediction,
            correct: answer.prediction.map(|prediction| prediction == label),
            rank: answer.rank,
            rank_within: answer.rank_within,
            confidence: answer.confidence,
            certainty: answer.certainty,
            ..of_sample(plan, picture.sample)
        };
        if plan.clean() == Some(picture.condition) {
            let mask = &good[picture.at].mask;
            record.object_fraction = Some(mask.fraction() as f32);
            record.eccentricity = mask.eccentricity().map(|eccentricity| eccentricity as f32);
            record.components = u32::try_from(mask.components(Connectivity::Eight).len()).ok();
            record.cue_rank = plan.dataset.cue_rank(picture.sample);
            record.map = maps.first().map_or_else(MapScores::default, |own| own[picture.at]);
        }
        records.push(((picture.sample, picture.condition, picture.trial), record));
    }
    for (at, (explainer, scores)) in plan.explainers.iter().zip(&maps).skip(1).enumerate() {
        for (&sample, &map) in good_samples.iter().zip(scores) {
            let record = Record { condition: format!("{MAP}{}", explainer.word), map, ..of_sample(plan, sample) };
            records.push(((sample, plan.conditions.len() + at, 0), record));
        }
    }
    for (sample, error) in errors {
        records.push(((sample, 0, 0), failed(plan, sample, error)));
    }
    records.sort_by_key(|(key, _)| *key);
    Ok(Some(records.into_iter().map(|(_, record)| record).collect()))
}

/// The one record of a sample that could not be had.
fn failed(plan: &Plan<'_>, sample: usize, error: String) -> Record {
    Record { condition: CLEAN.to_owned(), error: Some(error), ..of_sample(plan, sample) }
}

/// What all records of a sample share.
fn of_sample(plan: &Plan<'_>, sample: usize) -> Record {
    Record {
        sample: plan.dataset.id(sample).to_owned(),
        label: plan.label(sample),
        class: plan.class(sample).to_owned(),
        ..Record::default()
    }
}

/// All pictures of the samples. Those that share a draw of noise stand together.
fn pictures(plan: &Plan<'_>, samples: &[usize]) -> Vec<Picture> {
    let trials = plan.conditions.iter().map(|condition| condition.trials).max().unwrap_or(0);
    let mut pictures = Vec::new();
    for (at, &sample) in samples.iter().enumerate() {
        for trial in 0..trials {
            let drawn = plan.conditions.iter().enumerate().filter(|(_, condition)| trial < condition.trials);
            pictures.extend(drawn.map(|(condition, _)| Picture { at, sample, condition, trial }));
        }
    }
    pictures
}

/// What the model says of each picture. While it computes a batch, the pictures of the next are made.
fn answers(
    plan: &Plan<'_>,
    prepared: &[Prepared],
    pictures: &[Picture],
    tick: &mut Tick<'_>,
) -> Result<Option<Vec<Answer>>> {
    let mut batches = pictures.chunks(plan.batch_size);
    let mut current = batches.next().map(|batch| (batch, plan.make(prepared, batch)));
    let mut answers = Vec::with_capacity(pictures.len());
    while let Some((batch, pixels)) = current {
        let following = batches.next();
        let mut next = None;
        // Here, not in the pool, for a device's context may belong to this thread.
        let answered = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = following.map(|batch| (batch, plan.make(prepared, batch))));
            answer(plan, batch, &pixels)
        });
        answers.extend(answered?);
        if tick(Step::Pictures(batch.len())).is_break() {
            return Ok(None);
        }
        current = next;
    }
    Ok(Some(answers))
}

/// One forward pass.
pub(crate) fn answer(plan: &Plan<'_>, batch: &[Picture], pixels: &[Pixels]) -> Result<Vec<Answer>> {
    let x = plan.model.normalize(&plan.model.batch(pixels)?)?;
    let logits = plan.model.forward(&x)?.to_vec2::<f32>()?;
    let quirks = &plan.description.quirks;
    let answer = |(picture, logits): (&Picture, Vec<f32>)| {
        let (prediction, label) = (quirks.prediction(&logits), plan.label(picture.sample));
        Answer {
            prediction,
            rank: rank(&logits, label, 0..logits.len() as u32),
            rank_within: plan.within().and_then(|classes| rank(&logits, label, classes.iter().copied())),
            confidence: softmax_at(&logits, label as usize),
            certainty: prediction.and_then(|prediction| softmax_at(&logits, prediction as usize)),
        }
    };
    Ok(batch.iter().zip(logits).map(answer).collect())
}

/// How many of the classes come before the label: by logit, equal ones by number. `None` where a logit is not a number.
fn rank(logits: &[f32], label: u32, mut classes: impl Iterator<Item = u32>) -> Option<u32> {
    let of = |class: u32| logits.get(class as usize).copied().filter(|logit| !logit.is_nan());
    let own = of(label)?;
    classes.try_fold(0, |before, class| {
        let logit = of(class)?;
        Some(before + u32::from(logit > own || (logit == own && class < label)))
    })
}

/// Softmax of one class; `None` where it is not a number.
fn softmax_at(logits: &[f32], class: usize) -> Option<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = |logit: f32| f64::from(logit - highest).exp();
    let sum: f64 = logits.iter().copied().map(exp).sum();
    let share = exp(*logits.get(class)?) / sum;
    (!share.is_nan()).then_some(share as f32)
}

#[cfg(test)]
mod tests {
    use super::{rank, softmax_at};

    #[test]
    fn classes_before_the_label() {
        let check = |logits: &[f32], label, expected: Option<u32>| {
            assert_eq!(rank(logits, label, 0..logits.len() as u32), expected, "{logits:?}");
        };
        check(&[1.0, 3.0, 2.0], 1, Some(0));
        check(&[1.0, 3.0, 2.0], 0, Some(2));
        // Of equal logits the first is predicted.
        check(&[2.0, 2.0, 2.0], 0, Some(0));
        check(&[2.0, 2.0, 2.0], 2, Some(2));
        check(&[1.0, f32::NAN], 0, None);
        check(&[1.0, f32::NAN], 1, None);
        check(&[1.0], 3, None);
        assert_eq!(rank(&[9.0, 1.0, 2.0], 1, [1, 2].into_iter()), Some(1), "of some classes");
    }

    #[test]
    fn softmax_of_one_class() {
        let check = |logits: &[f32], class, expected: Option<f32>| {
            assert_eq!(softmax_at(logits, class), expected, "{logits:?}");
        };
        check(&[0.0, 0.0], 1, Some(0.5));
        check(&[1000.0, 0.0], 0, Some(1.0));
        check(&[3f32.ln(), 0.0], 0, Some(0.75));
        check(&[f32::NAN, 0.0], 1, None);
        check(&[f32::NEG_INFINITY; 2], 0, None);
        check(&[0.0], 3, None);
    }
}

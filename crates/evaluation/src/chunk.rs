//! One chunk of samples becomes records.

use crate::plan::{Picture, Plan, Prepared};
use crate::quirks::SaliencyInput;
use crate::{EvaluationError, Result};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_metrics::{CLEAN, Record, alignment};
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_saliency::{ExplainError, Question};
use std::ops::{ControlFlow, Range};

/// The map is on where it is at least this (Moayeri, Singla, Feizi 2022).
const IOU_THRESHOLD: f32 = 0.5;

/// What a model says of one picture.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) prediction: Option<u32>,
    /// Softmax of the label.
    pub(crate) confidence: Option<f32>,
}

/// Evaluates the samples of a chunk; `None` if `tick` breaks off.
///
/// Batches follow from the chunk's samples alone, so a record does not depend on what was computed before it.
/// `tick` is told how many pictures came back from the model, batch by batch.
pub(crate) fn evaluate(
    plan: &Plan<'_>,
    samples: Range<usize>,
    prepared: Vec<Result<Prepared, String>>,
    tick: &mut dyn FnMut(usize) -> ControlFlow<()>,
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
    let Some(scores) = alignments(plan, &good, &good_samples, tick)? else { return Ok(None) };
    for (picture, answer) in pictures.iter().zip(answers) {
        let label = plan.label(picture.sample);
        let mut record = Record {
            sample: plan.dataset.id(picture.sample).to_owned(),
            label,
            class: plan.class(picture.sample).to_owned(),
            condition: plan.conditions[picture.condition].id.clone(),
            trial: picture.trial,
            prediction: answer.prediction,
            correct: answer.prediction.map(|prediction| prediction == label),
            confidence: answer.confidence,
            object_fraction: None,
            iou: None,
            delta_density: None,
            error: None,
        };
        if plan.clean() == Some(picture.condition) {
            record.object_fraction = Some(good[picture.at].mask.fraction() as f32);
            (record.iou, record.delta_density) = scores[picture.at];
        }
        records.push(((picture.sample, picture.condition, picture.trial), record));
    }
    for (sample, error) in errors {
        records.push(((sample, 0, 0), failed(plan, sample, error)));
    }
    records.sort_by_key(|(key, _)| *key);
    Ok(Some(records.into_iter().map(|(_, record)| record).collect()))
}

/// The one record of a sample that could not be had.
fn failed(plan: &Plan<'_>, sample: usize, error: String) -> Record {
    Record {
        sample: plan.dataset.id(sample).to_owned(),
        label: plan.label(sample),
        class: plan.class(sample).to_owned(),
        condition: CLEAN.to_owned(),
        trial: 0,
        prediction: None,
        correct: None,
        confidence: None,
        object_fraction: None,
        iou: None,
        delta_density: None,
        error: Some(error),
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
    tick: &mut dyn FnMut(usize) -> ControlFlow<()>,
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
        if tick(batch.len()).is_break() {
            return Ok(None);
        }
        current = next;
    }
    Ok(Some(answers))
}

/// One forward pass.
pub(crate) fn answer(plan: &Plan<'_>, batch: &[Picture], pixels: &[Pixels]) -> Result<Vec<Answer>> {
    let x = plan.model.normalise(&plan.model.batch(pixels)?)?;
    let logits = plan.model.forward(&x)?.to_vec2::<f32>()?;
    let quirks = &plan.description.quirks;
    let answer = |(picture, logits): (&Picture, Vec<f32>)| Answer {
        prediction: quirks.prediction(&logits),
        confidence: softmax_at(&logits, plan.label(picture.sample) as usize),
    };
    Ok(batch.iter().zip(logits).map(answer).collect())
}

/// Softmax of one class; `None` where it is not a number.
fn softmax_at(logits: &[f32], class: usize) -> Option<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = |logit: f32| f64::from(logit - highest).exp();
    let sum: f64 = logits.iter().copied().map(exp).sum();
    let share = exp(*logits.get(class)?) / sum;
    (!share.is_nan()).then_some(share as f32)
}

/// IoU and delta density of a sample.
type Alignment = (Option<f32>, Option<f32>);

/// How map and mask agree, sample by sample; nothing without an explainer, and nothing where there is no object to be
/// seen. `None` if `tick` breaks off.
fn alignments(
    plan: &Plan<'_>,
    prepared: &[Prepared],
    samples: &[usize],
    tick: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Vec<Alignment>>> {
    let mut scores = vec![(None, None); prepared.len()];
    if plan.explainer.is_none() {
        return Ok(Some(scores));
    }
    let with_object: Vec<usize> = (0..prepared.len()).filter(|&at| !prepared[at].mask.is_empty()).collect();
    for batch in with_object.chunks(plan.batch_size) {
        let images: Vec<&Prepared> = batch.iter().map(|&at| &prepared[at]).collect();
        let samples: Vec<usize> = batch.iter().map(|&at| samples[at]).collect();
        let Some(maps) = maps(plan, &images, &samples, tick)? else { return Ok(None) };
        for (&at, map) in batch.iter().zip(maps) {
            let (map, mask) = (map.as_slice(), prepared[at].mask.as_slice());
            let iou = alignment::iou(map, mask, IOU_THRESHOLD);
            scores[at] = (Some(iou as f32), alignment::delta_density(map, mask).map(|delta| delta as f32));
        }
    }
    Ok(Some(scores))
}

/// Where the model looks for the labels: a map a sample, of the size of its mask. Empty without an explainer, `None` if
/// `tick` breaks off.
pub(crate) fn maps(
    plan: &Plan<'_>,
    prepared: &[&Prepared],
    samples: &[usize],
    tick: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Vec<Heatmap>>> {
    let Some(explainer) = &plan.explainer else { return Ok(Some(Vec::new())) };
    let images: Vec<Pixels> = prepared.iter().map(|prepared| prepared.image.clone()).collect();
    let x = plan.model.batch(&images)?;
    let x = match plan.description.quirks.saliency_input {
        SaliencyInput::Raw => x,
        SaliencyInput::Normalised => plan.model.normalise(&x)?,
    };
    let classes: Vec<u32> = samples.iter().map(|&sample| plan.label(sample)).collect();
    let keys: Vec<NoiseKey> = samples.iter().map(|&sample| plan.key(sample, 0)).collect();
    // Passes of an explainer are no pictures of the plan: they only ask whether to go on.
    let progress = &mut |_, _| tick(0);
    let question = Question { model: plan.model, x: &x, classes: &classes, keys: &keys, progress };
    let explanations = match explainer.answer(question) {
        Err(ExplainError::Stopped) => return Ok(None),
        answered => answered?,
    };
    for (explanation, prepared) in explanations.iter().zip(prepared) {
        let (map, mask) = (&explanation.map, &prepared.mask);
        if (map.height(), map.width()) != (mask.height(), mask.width()) {
            let message = format!(
                "explainer {} gave a map of {} × {} for an input of {} × {}",
                explainer.id(),
                map.height(),
                map.width(),
                mask.height(),
                mask.width()
            );
            return Err(EvaluationError::Option { message });
        }
    }
    Ok(Some(explanations.into_iter().map(|explanation| explanation.map).collect()))
}

#[cfg(test)]
mod tests {
    use super::softmax_at;

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

//! Stage 4: explainers say where the model looks, and their maps are compared with the masks.

use super::answer::CleanAnswer;
use super::decode::Decoded;
use super::interrupt::{Interrupt, Listener, Staged, Step, report};
use crate::EvaluationError;
use crate::resolve::{Explainer, Target};
use crate::setup::Setup;
use candle_core::Tensor;
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_metrics::MapScores;
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_runs::SaliencyInput;
use hard_imagenet_saliency::{ExplainError, ExplainRequest, Faithfulness, Road};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// The number of steps of insertion and deletion: eight rows of a 224 × 224 image each.
const STEPS: usize = 28;

/// The unchanged image of a sample, to be explained.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) decoded: &'a Decoded,
    /// The index of the sample in the dataset.
    pub(crate) sample: usize,
    /// The prediction for the unchanged image.
    pub(crate) prediction: Option<u32>,
    /// The normalized input, if the answering stage kept it.
    input: Option<&'a Tensor>,
}

impl<'a> Subject<'a> {
    /// Combines what the earlier stages know about a sample.
    pub(crate) fn new(decoded: &'a Decoded, sample: usize, clean: &'a CleanAnswer) -> Self {
        Self { decoded, sample, prediction: clean.prediction, input: clean.input.as_ref() }
    }

    /// A sample that did not just pass through the model.
    pub(crate) fn from_record(decoded: &'a Decoded, sample: usize, prediction: Option<u32>) -> Self {
        Self { decoded, sample, prediction, input: None }
    }
}

/// Scores one explainer's map of each sample. Samples without an object to see, or without a class to ask about, have no
/// scores.
pub(crate) fn score_maps(
    setup: &Setup<'_>,
    explainer: &Explainer<'_>,
    subjects: &[Subject<'_>],
    listener: &mut Listener<'_>,
) -> Staged<Vec<MapScores>> {
    let word = explainer.word.as_str();
    let mut scores = vec![MapScores::default(); subjects.len()];
    let can_be_explained =
        |at: &usize| !subjects[*at].decoded.mask.is_empty() && target_class(setup, explainer, &subjects[*at]).is_some();
    let explained: Vec<usize> = (0..subjects.len()).filter(can_be_explained).collect();
    for batch in explained.chunks(setup.batch_size) {
        let of_batch: Vec<Subject<'_>> = batch.iter().map(|&at| subjects[at]).collect();
        let mut progress = |done, of| listener(Step::Explaining { explainer: word, done, of });
        let maps = explain(setup, explainer, &of_batch, &mut progress)?;
        let masks: Vec<&[u8]> = of_batch.iter().map(|subject| subject.decoded.mask.as_slice()).collect();
        let alignment: Vec<MapScores> =
            maps.par_iter().zip(masks).map(|(map, mask)| MapScores::compute(map.as_slice(), mask)).collect();
        for (done, ((&at, map), mut of_map)) in (1..).zip(batch.iter().zip(&maps).zip(alignment)) {
            add_faithfulness(setup, explainer, &subjects[at], map, &mut of_map)?;
            scores[at] = of_map;
            report(listener, Step::Explaining { explainer: word, done, of: batch.len() })?;
        }
    }
    Ok(scores)
}

/// Measures whether the model's answer depends on what the map shows. The model sees the normalized image, whatever the
/// explainer saw.
fn add_faithfulness(
    setup: &Setup<'_>,
    explainer: &Explainer<'_>,
    subject: &Subject<'_>,
    map: &Heatmap,
    scores: &mut MapScores,
) -> Staged<()> {
    let words = &setup.description.protocol.faithfulness;
    let Some(class) = target_class(setup, explainer, subject).filter(|_| !words.is_empty()) else { return Ok(()) };
    let x = normalized_inputs(setup, std::slice::from_ref(subject))?;
    let curves = Faithfulness { steps: STEPS, batch_size: setup.batch_size, ..Faithfulness::default() };
    for word in words {
        let value = match word.as_str() {
            "insertion" => curves.insertion(setup.model, &x, class, map)?.and_then(|curve| curve.area()),
            "deletion" => curves.deletion(setup.model, &x, class, map)?.and_then(|curve| curve.area()),
            _ => {
                let road = Road { batch_size: setup.batch_size, ..Road::default() };
                let key = setup.key(subject.sample, 0);
                road.scores(setup.model, &x, class, map, key)?.and_then(|scores| scores.combined())
            }
        };
        scores.set(word, value.map(|value| value as f32));
    }
    Ok(())
}

/// Returns the class that an explainer is asked about.
fn target_class(setup: &Setup<'_>, explainer: &Explainer<'_>, subject: &Subject<'_>) -> Option<u32> {
    match explainer.target {
        Target::Label => Some(setup.label(subject.sample)),
        Target::Predicted => subject.prediction,
        Target::Class(class) => Some(class),
    }
}

/// Returns a map for each sample, of the size of its mask. Samples without a class to ask about are explained for the
/// label.
///
/// `progress` is called with the passes completed and the passes in total, if an explainer needs many; returning `Break`
/// cancels the run.
pub(crate) fn explain(
    setup: &Setup<'_>,
    explainer: &Explainer<'_>,
    subjects: &[Subject<'_>],
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Staged<Vec<Heatmap>> {
    let class =
        |subject: &Subject<'_>| target_class(setup, explainer, subject).unwrap_or_else(|| setup.label(subject.sample));
    let classes: Vec<u32> = subjects.iter().map(class).collect();
    let keys: Vec<NoiseKey> = subjects.iter().map(|subject| setup.key(subject.sample, 0)).collect();
    let x = match setup.description.quirks.saliency_input {
        SaliencyInput::Raw => raw_inputs(setup, subjects)?,
        SaliencyInput::Normalized => normalized_inputs(setup, subjects)?,
    };
    let request = ExplainRequest { model: setup.model, x: &x, classes: &classes, keys: &keys, progress };
    let explanations = match explainer.explain.explain_request(request) {
        Ok(explanations) => explanations,
        Err(ExplainError::Canceled) => return Err(Interrupt::Canceled),
        Err(error) => return Err(error.into()),
    };
    if explanations.len() != subjects.len() {
        let (word, maps) = (&explainer.word, explanations.len());
        let message = format!("explainer {word} returned {maps} maps for {} images", subjects.len());
        return Err(EvaluationError::Option { message }.into());
    }
    for (explanation, subject) in explanations.iter().zip(subjects) {
        check_size(explainer, &explanation.map, subject)?;
    }
    Ok(explanations.into_iter().map(|explanation| explanation.map).collect())
}

/// Checks that a map has the size of its mask.
fn check_size(explainer: &Explainer<'_>, map: &Heatmap, subject: &Subject<'_>) -> Staged<()> {
    let mask = &subject.decoded.mask;
    if (map.height(), map.width()) == (mask.height(), mask.width()) {
        return Ok(());
    }
    let message = format!(
        "explainer {} returned a map of {} × {} for an input of {} × {}",
        explainer.word,
        map.height(),
        map.width(),
        mask.height(),
        mask.width()
    );
    Err(EvaluationError::Option { message }.into())
}

/// The images in [0, 1] as a tensor `(B, 3, H, W)`.
fn raw_inputs(setup: &Setup<'_>, subjects: &[Subject<'_>]) -> Staged<Tensor> {
    let images: Vec<Pixels> = subjects.iter().map(|subject| subject.decoded.image.clone()).collect();
    Ok(setup.model.batch(&images)?)
}

/// The normalized images as a tensor `(B, 3, H, W)`, from the answering stage if it kept them.
fn normalized_inputs(setup: &Setup<'_>, subjects: &[Subject<'_>]) -> Staged<Tensor> {
    let kept: Option<Vec<&Tensor>> = subjects.iter().map(|subject| subject.input).collect();
    match kept {
        Some(inputs) if !inputs.is_empty() => Ok(Tensor::cat(&inputs, 0)?),
        _ => Ok(setup.model.normalize(&raw_inputs(setup, subjects)?)?),
    }
}

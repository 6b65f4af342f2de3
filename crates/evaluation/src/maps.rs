//! Where the model looks, and how that agrees with where the object is.

use crate::chunk::{Step, Tick};
use crate::plan::{Plan, Prepared};
use crate::words::{Explainer, Target};
use crate::{EvaluationError, Result};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_metrics::MapScores;
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_runs::SaliencyInput;
use hard_imagenet_saliency::{ExplainError, ExplainRequest, Faithfulness, Road};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// A sample and what an explainer may be asked about it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) prepared: &'a Prepared,
    /// Its index in the dataset.
    pub(crate) sample: usize,
    /// Of the untouched picture.
    pub(crate) prediction: Option<u32>,
}

/// What each sample's map is worth. Nothing where there is no object to be seen, or no class to ask about. `None` if
/// `tick` breaks off.
pub(crate) fn map_scores(
    plan: &Plan<'_>,
    explainer: &Explainer,
    asked: &[Asked<'_>],
    tick: &mut Tick<'_>,
) -> Result<Option<Vec<MapScores>>> {
    let mut scores = vec![MapScores::default(); asked.len()];
    let is_asked = |at: &usize| !asked[*at].prepared.mask.is_empty() && target(plan, explainer, &asked[*at]).is_some();
    let which: Vec<usize> = (0..asked.len()).filter(is_asked).collect();
    for batch in which.chunks(plan.batch_size) {
        let of_batch: Vec<Asked<'_>> = batch.iter().map(|&at| asked[at]).collect();
        let mut progress = |done, of| tick(Step::Explaining { explainer: &explainer.word, done, of });
        let Some(maps) = maps(plan, explainer, &of_batch, &mut progress)? else { return Ok(None) };
        let masks = of_batch.iter().map(|asked| asked.prepared.mask.as_slice());
        let of_maps: Vec<MapScores> = maps
            .par_iter()
            .zip(masks.collect::<Vec<_>>())
            .map(|(map, mask)| MapScores::compute(map.as_slice(), mask))
            .collect();
        for (done, ((&at, map), mut of_map)) in (1..).zip(batch.iter().zip(&maps).zip(of_maps)) {
            faithfulness(plan, explainer, &asked[at], map, &mut of_map)?;
            scores[at] = of_map;
            if tick(Step::Explaining { explainer: &explainer.word, done, of: batch.len() }).is_break() {
                return Ok(None);
            }
        }
    }
    Ok(Some(scores))
}

/// Steps of insertion and deletion: eight rows of 224 × 224 each.
const STEPS: usize = 28;

/// Does the model's answer rest on what the map says? Measured on the normalised picture, whatever the explainer saw.
fn faithfulness(
    plan: &Plan<'_>,
    explainer: &Explainer,
    asked: &Asked<'_>,
    map: &Heatmap,
    scores: &mut MapScores,
) -> Result<()> {
    let words = &plan.description.protocol.faithfulness;
    let Some(class) = target(plan, explainer, asked).filter(|_| !words.is_empty()) else { return Ok(()) };
    let x = plan.model.normalize(&plan.model.batch(std::slice::from_ref(&asked.prepared.image))?)?;
    let curves = Faithfulness { steps: STEPS, batch_size: plan.batch_size, ..Faithfulness::default() };
    for word in words {
        let value = match word.as_str() {
            "insertion" => curves.insertion(plan.model, &x, class, map)?.and_then(|curve| curve.area()),
            "deletion" => curves.deletion(plan.model, &x, class, map)?.and_then(|curve| curve.area()),
            _ => {
                let road = Road { batch_size: plan.batch_size, ..Road::default() };
                let key = plan.key(asked.sample, 0);
                road.scores(plan.model, &x, class, map, key)?.and_then(|scores| scores.combined())
            }
        };
        scores.set(word, value.map(|value| value as f32));
    }
    Ok(())
}

/// The class that an explainer is asked about.
fn target(plan: &Plan<'_>, explainer: &Explainer, asked: &Asked<'_>) -> Option<u32> {
    match explainer.target {
        Target::Label => Some(plan.label(asked.sample)),
        Target::Predicted => asked.prediction,
        Target::Class(class) => Some(class),
    }
}

/// Where the model looks: a map a sample, of the size of its mask. Samples without a class to ask about count as asked
/// about the label.
///
/// `progress` hears of an explainer's many passes, done and of all; `None` if it breaks off.
pub(crate) fn maps(
    plan: &Plan<'_>,
    explainer: &Explainer,
    asked: &[Asked<'_>],
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Vec<Heatmap>>> {
    let images: Vec<Pixels> = asked.iter().map(|asked| asked.prepared.image.clone()).collect();
    let classes: Vec<u32> =
        asked.iter().map(|asked| target(plan, explainer, asked).unwrap_or_else(|| plan.label(asked.sample))).collect();
    let keys: Vec<NoiseKey> = asked.iter().map(|asked| plan.key(asked.sample, 0)).collect();
    let x = plan.model.batch(&images)?;
    let x = match plan.description.quirks.saliency_input {
        SaliencyInput::Raw => x,
        SaliencyInput::Normalised => plan.model.normalize(&x)?,
    };
    let request = ExplainRequest { model: plan.model, x: &x, classes: &classes, keys: &keys, progress };
    let explanations = match explainer.explain.explain_request(request) {
        Ok(explanations) => explanations,
        Err(ExplainError::Canceled) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    for (explanation, asked) in explanations.iter().zip(asked) {
        let (map, mask) = (&explanation.map, &asked.prepared.mask);
        if (map.height(), map.width()) != (mask.height(), mask.width()) {
            let message = format!(
                "explainer {} gave a map of {} × {} for an input of {} × {}",
                explainer.word,
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

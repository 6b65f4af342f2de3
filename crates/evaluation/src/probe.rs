//! The first results of a model, before hours are spent on the rest.

use crate::Result;
use crate::setup::Setup;
use crate::stages::decode::decode_one;
use hard_imagenet_findings::kinds::models::PROBABILITIES;
use hard_imagenet_findings::kinds::results::{CONSTANT, NOT_NUMBERS};
use hard_imagenet_findings::{Finding, FindingKind};
use rayon::prelude::*;

/// The number of unchanged images that the model is asked about.
const IMAGES: usize = 16;
/// The fewest classes for which values in [0, 1] are no coincidence although they do not add up to 1.
const MANY: usize = 10;

/// The kinds of findings that only the outputs themselves show.
pub(crate) static PROBED: [&FindingKind; 2] = [&PROBABILITIES, &CONSTANT];

/// Asks the model about a few unchanged images that are spread over the dataset, and returns what is suspicious about its
/// outputs.
pub(crate) fn probe(setup: &Setup<'_>) -> Result<Vec<Finding>> {
    let all = setup.dataset.len();
    let samples: Vec<usize> = (0..all.min(IMAGES)).map(|k| k * all / all.min(IMAGES)).collect();
    let decoded = samples.par_iter().map(|&sample| Some((sample, decode_one(setup, sample).ok()?.image)));
    let (samples, images): (Vec<usize>, Vec<_>) = decoded.collect::<Vec<_>>().into_iter().flatten().unzip();
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let x = setup.model.normalize(&setup.model.batch(&images)?)?;
    let logits = setup.model.forward(&x)?.to_vec2::<f32>()?;
    let ids: Vec<&str> = samples.iter().map(|&sample| setup.dataset.id(sample)).collect();
    let mut found = examine(&ids, &logits);
    // Equal images have equal outputs.
    found.retain(|finding| finding.kind != CONSTANT.id || images.iter().any(|image| *image != images[0]));
    Ok(found)
}

/// Returns whether outputs have a softmax: none is NaN, and the largest is finite.
fn has_softmax(row: &[f32]) -> bool {
    row.iter().all(|value| !value.is_nan()) && row.iter().copied().fold(f32::NEG_INFINITY, f32::max).is_finite()
}

/// Returns what is suspicious about the outputs for some images.
fn examine(ids: &[&str], logits: &[Vec<f32>]) -> Vec<Finding> {
    let nan: Vec<&str> = ids.iter().zip(logits).filter(|(_, row)| !has_softmax(row)).map(|(id, _)| *id).collect();
    if let Some(finding) = NOT_NUMBERS.about(&nan) {
        return vec![finding.of(ids.len())];
    }
    let mut found = Vec::new();
    if logits.len() > 1 && logits.iter().all(|row| *row == logits[0]) {
        found.push(CONSTANT.found().saying(format!("{} for all {} images that were tried", CONSTANT.what, ids.len())));
    }
    let in_range = |row: &Vec<f32>| row.iter().all(|value| (0.0..=1.0).contains(value));
    let sums_to_one = |row: &Vec<f32>| (row.iter().sum::<f32>() - 1.0).abs() < 1e-3;
    let many = logits.first().is_some_and(|row| row.len() >= MANY);
    if !logits.is_empty() && logits.iter().all(|row| row.len() > 1 && in_range(row) && (many || sums_to_one(row))) {
        found.push(PROBABILITIES.found());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::examine;

    #[test]
    fn outputs_that_cannot_be_logits() {
        let check = |logits: &[&[f32]], expected: &[&str]| {
            let logits: Vec<Vec<f32>> = logits.iter().map(|row| row.to_vec()).collect();
            let ids = vec!["a"; logits.len()];
            let kinds: Vec<String> = examine(&ids, &logits).into_iter().map(|finding| finding.kind).collect();
            assert_eq!(kinds, expected, "{logits:?}");
        };
        check(&[&[1.5, -2.0], &[0.25, 0.75]], &[]);
        check(&[&[0.5, 0.5], &[0.25, 0.75]], &["probabilities"]);
        // Two values in [0, 1] may be logits; ten for each of two images are not.
        check(&[&[0.5, 0.1], &[0.25, 0.7]], &[]);
        check(&[&[0.5; 10], &[0.25; 10]], &["probabilities"]);
        check(&[&[1.5, -2.0], &[1.5, -2.0]], &["constant-output"]);
        check(&[&[1.5, f32::NAN], &[1.5, -2.0]], &["not-numbers"]);
        check(&[&[1.5, f32::INFINITY], &[1.5, -2.0]], &["not-numbers"]);
        // A head may mask classes.
        check(&[&[1.5, f32::NEG_INFINITY], &[2.5, f32::NEG_INFINITY]], &[]);
        check(&[&[1.5, -2.0]], &[]);
        check(&[], &[]);
    }
}

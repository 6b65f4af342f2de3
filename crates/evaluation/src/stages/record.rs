//! Stage 5: everything that is known about the samples of a part becomes records.

use super::answer::Answer;
use super::decode::Decoded;
use super::perturb::Variant;
use crate::setup::Setup;
use hard_imagenet_masks::Connectivity;
use hard_imagenet_metrics::{CLEAN, MAP, MapScores, Record};

/// Returns the records of a part: samples in the order of the dataset, conditions in the order of the protocol, further
/// explainers, trials.
///
/// `maps` has one list for each explainer with one entry for each decoded sample, `failures` the samples that could not
/// be decoded.
pub(crate) fn write(
    setup: &Setup<'_>,
    decoded: &[Decoded],
    samples: &[usize],
    variants: &[Variant],
    answers: &[Answer],
    maps: &[Vec<MapScores>],
    failures: Vec<(usize, String)>,
) -> Vec<Record> {
    let mut records = Vec::new();
    for (variant, answer) in variants.iter().zip(answers) {
        let mut record = answered(setup, variant, answer);
        if setup.clean() == Some(variant.condition) {
            describe_object(setup, variant.sample, &decoded[variant.at], &mut record);
            record.map = maps.first().map_or_else(MapScores::default, |own| own[variant.at]);
        }
        records.push(((variant.sample, variant.condition, variant.trial), record));
    }
    for (at, (explainer, scores)) in setup.explainers.iter().zip(maps).skip(1).enumerate() {
        for (&sample, &map) in samples.iter().zip(scores) {
            let record = Record { condition: format!("{MAP}{}", explainer.word), map, ..of_sample(setup, sample) };
            records.push(((sample, setup.conditions.len() + at, 0), record));
        }
    }
    for (sample, error) in failures {
        let record = Record { condition: CLEAN.to_owned(), error: Some(error), ..of_sample(setup, sample) };
        records.push(((sample, 0, 0), record));
    }
    records.sort_by_key(|(key, _)| *key);
    records.into_iter().map(|(_, record)| record).collect()
}

/// The record of one image.
fn answered(setup: &Setup<'_>, variant: &Variant, answer: &Answer) -> Record {
    let label = setup.label(variant.sample);
    Record {
        condition: setup.conditions[variant.condition].id.clone(),
        trial: variant.trial,
        prediction: answer.prediction,
        correct: answer.prediction.map(|prediction| prediction == label),
        rank: answer.rank,
        rank_within: answer.rank_within,
        confidence: answer.confidence,
        certainty: answer.certainty,
        ..of_sample(setup, variant.sample)
    }
}

/// Adds what the mask says about the object.
fn describe_object(setup: &Setup<'_>, sample: usize, decoded: &Decoded, record: &mut Record) {
    let mask = &decoded.mask;
    record.object_fraction = Some(mask.fraction() as f32);
    record.eccentricity = mask.eccentricity().map(|eccentricity| eccentricity as f32);
    record.components = u32::try_from(mask.components(Connectivity::Eight).len()).ok();
    record.cue_rank = setup.dataset.cue_rank(sample);
}

/// What all records of a sample have in common.
fn of_sample(setup: &Setup<'_>, sample: usize) -> Record {
    Record {
        sample: setup.dataset.id(sample).to_owned(),
        label: setup.label(sample),
        class: setup.class(sample).to_owned(),
        ..Record::default()
    }
}

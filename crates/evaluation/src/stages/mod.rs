//! The stages of an evaluation, in the order in which a sample passes through them.
//!
//! [`decode`] reads a sample, [`perturb`] makes its images, [`answer`] asks the model, [`explain`] asks where the model
//! looks, and [`record`] writes down the result. [`evaluate`] runs a part of the dataset through all of them.

pub(crate) mod answer;
pub(crate) mod decode;
pub(crate) mod explain;
pub(crate) mod interrupt;
pub(crate) mod perturb;
pub(crate) mod record;

use crate::setup::Setup;
use answer::answer;
use decode::Decoded;
use explain::Subject;
use hard_imagenet_metrics::{MapScores, Record};
use interrupt::{Listener, Staged};
use perturb::variants;
use std::ops::Range;

/// Turns the decoded samples of a part into records.
///
/// Batches follow from the samples of the part alone, so a record does not depend on what was computed before it.
pub(crate) fn evaluate(
    setup: &Setup<'_>,
    samples: Range<usize>,
    decoded: Vec<Result<Decoded, String>>,
    listener: &mut Listener<'_>,
) -> Staged<Vec<Record>> {
    let (mut good, mut failures) = (Vec::new(), Vec::new());
    let mut samples_of_good = Vec::new();
    for (sample, decoded) in samples.zip(decoded) {
        match decoded {
            Ok(decoded) => {
                good.push(decoded);
                samples_of_good.push(sample);
            }
            Err(error) => failures.push((sample, error)),
        }
    }

    let variants = variants(setup, &samples_of_good);
    let answers = answer(setup, &good, &variants, listener)?;
    let subjects: Vec<Subject<'_>> = good
        .iter()
        .zip(&samples_of_good)
        .zip(&answers.clean)
        .map(|((decoded, &sample), clean)| Subject::new(decoded, sample, clean))
        .collect();
    let mut maps: Vec<Vec<MapScores>> = Vec::with_capacity(setup.explainers.len());
    for explainer in &setup.explainers {
        maps.push(explain::score_maps(setup, explainer, &subjects, listener)?);
    }
    Ok(record::write(setup, &good, &samples_of_good, &variants, &answers.all, &maps, failures))
}

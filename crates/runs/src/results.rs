//! What is suspicious about the records of a run.

use crate::{LabelSpace, RunDescription};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::results::{AT_CHANCE, LEFT_OUT, NOT_NUMBERS, NOTHING_EVALUATED, ONE_CLASS};
use hard_imagenet_metrics::{CLEAN, MAP, Record};
use std::collections::BTreeSet;

/// The number of classes of ImageNet.
const IMAGENET: usize = 1000;
/// The fewest unchanged images from which a pattern is read.
const FEWEST: usize = 3;

/// Returns what is suspicious about the records of a run, complete or not: samples without records, logits that are not
/// numbers, one class for everything, accuracy at chance.
pub fn check_results(description: &RunDescription, records: &[Record]) -> Vec<Finding> {
    let failed: Vec<String> = failures(records);
    let clean: Vec<&Record> = records.iter().filter(|r| r.error.is_none() && r.condition == CLEAN).collect();
    let evaluated: BTreeSet<&str> =
        records.iter().filter(|r| r.error.is_none()).map(|record| record.sample.as_str()).collect();
    let all = evaluated.len() + failed.len();
    let mut found = Vec::new();
    if evaluated.is_empty() && !records.is_empty() {
        found.extend(
            NOTHING_EVALUATED
                .found()
                .about(&failed)
                .map(|finding| finding.of(all).saying("samples failed: not one could be evaluated")),
        );
    } else if !records.is_empty() {
        found.extend(LEFT_OUT.about(&failed).map(|finding| finding.of(all)));
    }
    if description.dataset.samples == 0 {
        found.push(NOTHING_EVALUATED.found().saying("the dataset has no samples"));
    }
    let answers = records.iter().filter(|r| r.error.is_none() && !r.condition.starts_with(MAP));
    // Noise of a given norm is undefined where it has no pixels to lie on; that is no fault of the model.
    let has_both = |record: &&Record| record.object_fraction.is_none_or(|share| share > 0.0 && share < 1.0);
    let one_sided: BTreeSet<&str> =
        clean.iter().filter(|record| !has_both(record)).map(|record| record.sample.as_str()).collect();
    let nan: Vec<String> = answers
        .clone()
        .filter(|record| record.condition == CLEAN || !one_sided.contains(record.sample.as_str()))
        .filter(|record| record.confidence.is_none())
        .map(|record| format!("{} under {}", record.sample, record.condition))
        .collect();
    let is_nan = !nan.is_empty();
    found.extend(NOT_NUMBERS.about(&nan).map(|finding| finding.of(answers.count())));
    if is_nan || clean.len() < FEWEST {
        return found;
    }
    let labels: BTreeSet<u32> = clean.iter().map(|record| record.label).collect();
    let predicted: BTreeSet<Option<u32>> = clean.iter().map(|record| record.prediction).collect();
    if predicted.len() == 1 && labels.len() > 1 {
        let class = clean[0].prediction.map_or_else(|| "none".to_owned(), |class| class.to_string());
        found.push(ONE_CLASS.found().saying(format!(
            "class {class} is predicted for all {} unchanged images, which are of {} classes",
            clean.len(),
            labels.len()
        )));
    }
    found.extend(chance(description, &clean, &labels));
    found
}

/// Reports an accuracy on unchanged images that guessing reaches as well.
fn chance(description: &RunDescription, clean: &[&Record], labels: &BTreeSet<u32>) -> Option<Finding> {
    let classes = match description.labels {
        LabelSpace::Imagenet => IMAGENET,
        LabelSpace::Dataset | LabelSpace::Names => labels.len(),
    };
    if classes < 2 || description.dataset.generated {
        return None;
    }
    let (n, right) = (clean.len(), clean.iter().filter(|record| record.correct == Some(true)).count());
    let p = 1.0 / classes as f64;
    // Few images cannot show that a model is better than chance, so then only less than chance is suspicious.
    let at_chance = if n < 10 { right as f64 <= n as f64 * p } else { tail(n, right, p) > 0.05 };
    at_chance.then(|| {
        AT_CHANCE.found().saying(format!(
            "{right} of {n} unchanged images are classified correctly, no more than guessing among {classes} classes reaches"
        ))
    })
}

/// Returns the probability of at least `k` successes in `n` trials of probability `p`.
fn tail(n: usize, k: usize, p: f64) -> f64 {
    // The terms are summed in logarithms, because the coefficients overflow for a few thousand images.
    let mut coefficient = 0.0;
    let mut below = 0.0;
    for i in 0..k {
        below += (coefficient + i as f64 * p.ln() + (n - i) as f64 * (-p).ln_1p()).exp();
        coefficient += ((n - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    1.0 - below
}

/// Lists the samples that failed, with the reason, each once.
fn failures(records: &[Record]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let failed = records.iter().filter_map(|record| Some((record.sample.as_str(), record.error.as_deref()?)));
    failed.filter(|(sample, _)| seen.insert(*sample)).map(|(sample, error)| format!("{sample}: {error}")).collect()
}

#[cfg(test)]
mod tests {
    use super::tail;

    #[test]
    fn binomial_tails() {
        let check = |n, k, p, expected: f64| {
            let found = tail(n, k, p);
            assert!((found - expected).abs() < 1e-9, "{n} {k} {p}: {found}");
        };
        check(3, 0, 0.5, 1.0);
        check(3, 1, 0.5, 0.875);
        check(3, 3, 0.5, 0.125);
        // Exact sums of the binomial probabilities.
        check(100, 12, 0.1, 0.296_966_899_711_24);
        check(750, 1, 0.001, 0.527_810_669_643_095_3);
    }
}

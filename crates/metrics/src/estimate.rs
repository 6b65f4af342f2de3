//! Averages with intervals from what each sample contributes.

use crate::distribution::{normal_quantile, student_quantile, two_sided};
use crate::interval::{percentile, unseen_share, wilson};
use crate::narrowing::Narrowing;
use crate::quantity::{Quantity, taking_part};
use crate::{Contribution, Options, Records, bootstrap};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A value and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value on the given samples.
    pub value: f64,
    /// Lower end of the interval; at most `value`.
    pub low: f64,
    /// Upper end of the interval; at least `value`.
    pub high: f64,
    /// Number of samples that contribute.
    pub n: usize,
}

/// The estimates of one quantity.
pub(crate) struct Estimates {
    pub(crate) sample_mean: Option<Estimate>,
    pub(crate) class_mean: Option<Estimate>,
    pub(crate) classes: Vec<Option<Estimate>>,
}

/// Computes the averages of many quantities over samples, over classes and in each class, together.
///
/// The contributions to all quantities are the columns of one matrix with a row per sample, and a replicate is a
/// weighted sum of its rows. Classes are processed one after the other, so the memory does not grow with their number.
pub(crate) fn estimate(quantities: &[Quantity], records: &Records, options: &Options) -> Vec<Estimates> {
    let samples = records.samples().len();
    let classes = ranges(records);
    let columns: Vec<&Vec<Contribution>> = quantities.iter().flat_map(Quantity::columns).collect();
    let width = columns.len();
    let rows: Vec<Contribution> = (0..samples).flat_map(|s| columns.iter().map(move |c| c[s])).collect();
    let replicates = options.resamples as usize;
    let weights = bootstrap::weights(&classes, samples, replicates, options.seed);

    // Line 0 holds the samples themselves; the others hold the replicates.
    let lines = replicates + 1;
    let mut over_samples = vec![Contribution::default(); lines * width];
    let mut over_classes = over_samples.clone();
    let mut result: Vec<Estimates> = quantities
        .iter()
        .map(|_| Estimates { sample_mean: None, class_mean: None, classes: Vec::with_capacity(classes.len()) })
        .collect();
    for class in &classes {
        let mut sums = vec![Contribution::default(); lines * width];
        for (line, sums) in sums.chunks_exact_mut(width.max(1)).enumerate() {
            for sample in class.clone() {
                let weight = if line == 0 { 1 } else { weights[(line - 1) * samples + sample] };
                if weight > 0 {
                    add_weighted(sums, &rows[sample * width..][..width], f64::from(weight));
                }
            }
        }
        for ((sum, over_samples), over_classes) in sums.iter().zip(&mut over_samples).zip(&mut over_classes) {
            over_samples.sum += sum.sum;
            over_samples.count += sum.count;
            if let Some(mean) = sum.mean() {
                over_classes.sum += mean;
                over_classes.count += 1.0;
            }
        }
        each(quantities, |q, at, quantity| {
            let group = [class.clone()];
            result[q].classes.push(interval(quantity, &sums, width, at, &group, false, options));
        });
    }
    each(quantities, |q, at, quantity| {
        result[q].sample_mean = interval(quantity, &over_samples, width, at, &classes, false, options);
        result[q].class_mean = interval(quantity, &over_classes, width, at, &classes, true, options);
    });
    result
}

/// Returns the mean of independent values with Student's interval, or `None` for fewer than two values and for values
/// that are not finite.
pub fn mean_estimate(values: &[f64], confidence: f64) -> Option<Estimate> {
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
    let half = student_quantile(confidence, n - 1.0) * (variance / n).sqrt();
    (n > 1.0 && half.is_finite()).then_some(Estimate { value, low: value - half, high: value + half, n: values.len() })
}

/// Returns the range of samples of each class.
pub(crate) fn ranges(records: &Records) -> Vec<Range<usize>> {
    let mut from = 0;
    records
        .classes()
        .iter()
        .map(|class| {
            let range = from..from + class.samples;
            from = range.end;
            range
        })
        .collect()
}

fn add_weighted(sums: &mut [Contribution], row: &[Contribution], weight: f64) {
    for (sum, part) in sums.iter_mut().zip(row) {
        sum.sum += weight * part.sum;
        sum.count += weight * part.count;
    }
}

/// Calls `call` with the index, the first column and the quantity.
fn each<'q>(quantities: &'q [Quantity<'q>], mut call: impl FnMut(usize, usize, &'q Quantity<'q>)) {
    let mut at = 0;
    for (index, quantity) in quantities.iter().enumerate() {
        call(index, at, quantity);
        at += quantity.columns().count();
    }
}

/// Computes the estimate of a quantity whose columns start at `at`, from the point (line 0) and the replicates (the
/// other lines).
fn interval(
    quantity: &Quantity,
    lines: &[Contribution],
    width: usize,
    at: usize,
    group: &[Range<usize>],
    class_mean: bool,
    options: &Options,
) -> Option<Estimate> {
    let count = quantity.columns().count();
    let means =
        |line: &[Contribution]| line[at..at + count].iter().map(Contribution::mean).collect::<Option<Vec<f64>>>();
    let mut lines = lines.chunks_exact(width);
    let point = means(lines.next()?)?;
    let value = quantity.value(&point)?;
    let n = taking_part(quantity, group.iter().cloned().flatten());

    // Several classes of fixed sizes determine a mean better than as many samples of a mixed class.
    let alone = group.len() == 1 || options.resamples == 0;
    if !class_mean && alone && is_proportion(quantity, group) {
        let (low, high) = wilson(value, n as f64, normal_quantile(options.confidence));
        return Some(Estimate { value, low, high, n });
    }

    let size = if class_mean { effective_size(quantity, group) } else { n as f64 };
    let mut replicates = Vec::with_capacity(options.resamples as usize);
    let (mut varies, mut moves) = (vec![false; count], false);
    for (replicate, line) in lines.enumerate() {
        let Some(mut means) = means(line) else { continue };
        for ((varies, mean), point) in varies.iter_mut().zip(&means).zip(&point) {
            *varies |= (mean - point).abs() > 1e-12;
        }
        moves |= quantity.value(&means).is_some_and(|v| (v - value).abs() > 1e-12);
        if quantity.measure.columns.len() > 1 && quantity.measure.range == (0.0, 1.0) {
            with_one_more(&mut means, quantity.measure.columns.len(), size, options.seed, replicate);
        }
        replicates.extend(quantity.value(&means));
    }
    let narrowing = Narrowing::new(quantity, group, class_mean);
    let quantile = student_quantile(options.confidence, narrowing.freedom);
    let wider = 1.0 - two_sided(quantile * narrowing.factor);
    let (mut low, mut high) = percentile(&mut replicates, wider).unwrap_or((value, value));
    if is_share(quantity, group) && moves {
        let squares: f64 = replicates.iter().map(|r| (r - value).powi(2)).sum();
        let variance = narrowing.factor.powi(2) * squares / replicates.len() as f64;
        (low, high) = wilson(value, independent_trials(value, variance, size), quantile);
    }

    // If no replicate changes a mean, its value is still uncertain: see "Intervals" in the crate's documentation.
    if !moves {
        varies.fill(false);
    }
    if varies.contains(&false) {
        let share = unseen_share(size, options.confidence);
        for corner in corners(quantity, &point, &varies, share) {
            low = low.min(corner);
            high = high.max(corner);
        }
    }
    Some(Estimate { value, low: low.min(value), high: high.max(value), n })
}

/// The number of means that are moved in all combinations: two accuracies, or two differences of accuracies.
const JOINTLY: usize = 4;

/// Returns the values of the quantity with each constant mean moved to where an unseen share of samples at either end
/// of the range would put it. A few such means are moved in all combinations, many one at a time.
fn corners(quantity: &Quantity, point: &[f64], varies: &[bool], share: f64) -> Vec<f64> {
    let ranges = std::iter::repeat_n(quantity.measure.range, quantity.measure.columns.len())
        .chain(quantity.minus.iter().flat_map(|m| std::iter::repeat_n(m.range, m.columns.len())));
    let moved = |(mean, (from, to)): (f64, (f64, f64))| [mean - share * (mean - from), mean + share * (to - mean)];
    let ends: Vec<[f64; 2]> = point.iter().copied().zip(ranges).map(moved).collect();
    let still: Vec<usize> = (0..point.len()).filter(|&at| !varies[at]).collect();
    let with = |means: &[f64], at: usize, end: f64| {
        let mut means = means.to_vec();
        means[at] = end;
        means
    };
    let mut corners = vec![point.to_vec()];
    if still.len() > JOINTLY {
        corners = still.iter().flat_map(|&at| ends[at].map(|end| with(point, at, end))).collect();
    } else {
        for &at in &still {
            corners = corners.iter().flat_map(|corner| ends[at].map(|end| with(corner, at, end))).collect();
        }
    }
    corners.iter().filter_map(|means| quantity.value(means)).collect()
}

/// Returns whether every sample contributes one value, 0 or 1, to one mean between 0 and 1.
fn is_proportion(quantity: &Quantity, group: &[Range<usize>]) -> bool {
    is_share(quantity, group)
        && group.iter().all(|class| quantity.measure.columns[0][class.clone()].iter().all(|part| part.count <= 1.0))
}

/// Returns whether every sample contributes whole numbers of successes and trials to one mean between 0 and 1.
fn is_share(quantity: &Quantity, group: &[Range<usize>]) -> bool {
    let [column] = quantity.measure.columns.as_slice() else { return false };
    let whole = |part: &Contribution| part.count.fract() == 0.0 && part.sum.fract() == 0.0;
    quantity.minus.is_none()
        && quantity.measure.range == (0.0, 1.0)
        && group.iter().all(|class| column[class.clone()].iter().all(whole))
}

/// Adds one sample to a replicate, right or wrong in each column by a coin toss, like the added successes and failures
/// of Agresti and Caffo. Without it, replicates of a ratio vary too little near 0 and 1. Both sides of a difference use
/// the same toss.
fn with_one_more(means: &mut [f64], columns: usize, samples: f64, seed: u64, replicate: usize) {
    for (column, mean) in means.iter_mut().enumerate() {
        let coin = bootstrap::draw(!seed, replicate as u64, (column % columns) as u64) & 1;
        *mean = (samples * *mean + coin as f64) / (samples + 1.0);
    }
}

/// Returns how many independent trials would determine a share as well as `samples` samples of several trials do, from
/// the variance of the share. One sample that is all right and one that is all wrong are added: a few wrong trials
/// would otherwise seem more independent than they are.
fn independent_trials(share: f64, variance: f64, samples: f64) -> f64 {
    let of_one = |p: f64| p * (1.0 - p);
    let added = share.powi(2) + (1.0 - share).powi(2);
    let of_sample = (samples * samples * variance + added) / (samples + 2.0);
    samples * of_one((samples * share + 1.0) / (samples + 2.0)) / of_sample
}

/// Returns Kish's effective sample size of a mean over classes: the number of equally weighted samples that would
/// determine it as well.
fn effective_size(quantity: &Quantity, group: &[Range<usize>]) -> f64 {
    let sizes: Vec<f64> =
        group.iter().map(|class| taking_part(quantity, class.clone()) as f64).filter(|n| *n > 0.0).collect();
    (sizes.len() * sizes.len()) as f64 / sizes.iter().map(|n| 1.0 / n).sum::<f64>()
}

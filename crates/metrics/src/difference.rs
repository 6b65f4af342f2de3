use crate::estimate::{Estimate, Estimates};
use crate::permutation::{swap_p, swapped_units};
use crate::quantity::Quantity;
use crate::{Contribution, ImagesNeeded, McNemar, Measure, Options, holm, mcnemar};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One metric under one condition, first minus second, on the same samples. Undefined values are `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The condition; "noise:linf:0.25", without a region, for scores that need both regions.
    pub condition: String,
    /// The difference over all samples, each with the same weight.
    pub sample_mean: Option<Effect>,
    /// The difference over all classes, each with the same weight.
    pub class_mean: Option<Effect>,
    /// The difference in each class of the first run's labels. The p-values are corrected for the number of classes.
    pub classes: Vec<Option<Effect>>,
    /// McNemar's test over all samples, if each sample is either right or wrong in both.
    pub mcnemar: Option<McNemar>,
}

/// A difference and its significance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// First minus second, with its interval.
    pub estimate: Estimate,
    /// The two-sided p-value of a permutation test: how often the difference is at least as large if chance decides
    /// which of a sample's two outcomes comes first. All trials of a sample swap together. The value is exact if at
    /// most 12 samples differ.
    pub p: f64,
    /// For a class, `p` after Holm's correction over the classes.
    pub p_corrected: Option<f64>,
    /// The difference in standard deviations of the samples' differences (Cohen's d_z). For quantities that are not
    /// means over samples, such as RFS, the samples' influences (jackknife pseudo-values) take their place. `None` if
    /// all of them are equal.
    pub size: Option<f64>,
    /// How many images are needed to detect a difference of this size. `None` if `size` is `None` or 0.
    pub images_needed: Option<ImagesNeeded>,
}

/// Computes the difference of two measures whose samples are in the same order, given its estimates.
pub(crate) fn difference(
    condition: String,
    quantity: &Quantity,
    estimates: Estimates,
    classes: &[Range<usize>],
    options: &Options,
) -> Difference {
    let everyone = classes.first().map_or(0, |c| c.start)..classes.last().map_or(0, |c| c.end);
    let effect = |estimate: Option<Estimate>, groups: &[Range<usize>]| {
        Some(Pairs::new(quantity, groups).effect(estimate?, options))
    };
    let mut sample_mean = effect(estimates.sample_mean, std::slice::from_ref(&everyone));
    let class_mean = effect(estimates.class_mean, classes);
    let mut in_classes: Vec<Option<Effect>> = estimates
        .classes
        .into_iter()
        .zip(classes)
        .map(|(estimate, class)| effect(estimate, std::slice::from_ref(class)))
        .collect();
    let corrected = holm(&in_classes.iter().flatten().map(|e| e.p).collect::<Vec<_>>());
    in_classes.iter_mut().flatten().zip(corrected).for_each(|(effect, p)| effect.p_corrected = Some(p));

    let mcnemar = discordant(quantity).map(|(first, second)| mcnemar(first, second));
    if let (Some(effect), Some(test)) = (&mut sample_mean, &mcnemar) {
        let discordance = (test.first_only + test.second_only) as f64 / effect.estimate.n as f64;
        effect.images_needed = ImagesNeeded::accuracy(effect.estimate.value, discordance);
    }
    Difference { condition, sample_mean, class_mean, classes: in_classes, mcnemar }
}

/// Drops the samples that do not contribute to every column of both measures.
pub(crate) fn pair(a: &mut Measure, b: &mut Measure) {
    let samples = a.columns.first().map_or(0, Vec::len);
    for sample in 0..samples {
        let columns = || a.columns.iter().chain(&b.columns);
        if columns().any(|c| c[sample].count == 0.0) {
            for column in a.columns.iter_mut().chain(&mut b.columns) {
                column[sample] = Contribution::default();
            }
        }
    }
}

/// Returns how many samples only the first has right, and how many only the second, or `None` if samples have other
/// values than right and wrong.
fn discordant(quantity: &Quantity) -> Option<(usize, usize)> {
    let minus = quantity.minus?;
    let ([first], [second]) = (quantity.measure.columns.as_slice(), minus.columns.as_slice()) else { return None };
    let one = |part: &Contribution| part.count == 0.0 || (part.count == 1.0 && (part.sum == 0.0 || part.sum == 1.0));
    let plain = quantity.measure.range == (0.0, 1.0) && first.iter().chain(second).all(one);
    let only = |a: &[Contribution], b: &[Contribution]| a.iter().zip(b).filter(|(a, b)| a.sum > b.sum).count();
    plain.then(|| (only(first, second), only(second, first)))
}

/// The samples of a quantity, and their sums by group and column. The means of the groups are averaged.
struct Pairs<'a> {
    quantity: &'a Quantity<'a>,
    /// The columns of the first measure, followed by those of the second.
    columns: Vec<&'a Vec<Contribution>>,
    groups: Vec<Vec<Contribution>>,
    /// Group and sample number.
    samples: Vec<(usize, usize)>,
}

impl<'a> Pairs<'a> {
    fn new(quantity: &'a Quantity, ranges: &[Range<usize>]) -> Self {
        let columns: Vec<&Vec<Contribution>> = quantity.columns().collect();
        let mut samples = Vec::new();
        let sums = |(group, range): (usize, &Range<usize>)| {
            samples.extend(range.clone().filter(|&s| columns.iter().all(|c| c[s].count > 0.0)).map(|s| (group, s)));
            columns.iter().map(|c| total(&c[range.clone()])).collect()
        };
        let groups = ranges.iter().enumerate().map(sums).collect();
        Self { quantity, columns, groups, samples }
    }

    fn effect(&self, estimate: Estimate, options: &Options) -> Effect {
        let deviation = self.deviation();
        Effect {
            estimate,
            p: self.permuted(estimate.value, options),
            p_corrected: None,
            size: deviation.map(|deviation| estimate.value / deviation),
            images_needed: deviation.and_then(|deviation| ImagesNeeded::mean(estimate.value, deviation)),
        }
    }

    /// Returns the p-value of `value` when first and second are swapped at random within samples.
    fn permuted(&self, value: f64, options: &Options) -> f64 {
        let half = self.columns.len() / 2;
        // What a swap adds to each column of the first and takes from the second. Samples that are equal in both change
        // nothing.
        let moving: Vec<(usize, Vec<Contribution>)> = self
            .samples
            .iter()
            .map(|&(group, s)| {
                (group, (0..half).map(|c| less(self.columns[c + half][s], self.columns[c][s])).collect())
            })
            .filter(|(_, moves): &(usize, Vec<Contribution>)| moves.iter().any(|part| *part != Contribution::default()))
            .collect();
        let mut groups = self.groups.clone();
        swap_p(value, moving.len(), options.resamples, options.seed, |swapped| {
            groups.clone_from(&self.groups);
            for (group, moves) in swapped_units(swapped).map(|s| &moving[s]) {
                let (first, second) = groups[*group].split_at_mut(half);
                for ((first, second), part) in first.iter_mut().zip(second).zip(moves) {
                    *first = plus(*first, *part);
                    *second = less(*second, *part);
                }
            }
            self.value(&groups)
        })
    }

    /// Returns the standard deviation of the samples' influence on the value, by leaving out each in turn. For a mean
    /// it is the standard deviation of the samples' values.
    fn deviation(&self) -> Option<f64> {
        let mut groups = self.groups.clone();
        let values: Vec<f64> = self
            .samples
            .iter()
            .filter_map(|&(group, sample)| {
                for (sum, column) in groups[group].iter_mut().zip(&self.columns) {
                    *sum = less(*sum, column[sample]);
                }
                let value = self.value(&groups);
                groups[group].clone_from(&self.groups[group]);
                value
            })
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = ((n - 1.0) * values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()).sqrt();
        (values.len() > 1 && deviation > 1e-9).then_some(deviation)
    }

    /// Computes the quantity from the means of the groups, each with the same weight.
    fn value(&self, groups: &[Vec<Contribution>]) -> Option<f64> {
        let mean = |column: usize| {
            let means = groups.iter().filter_map(|sums| sums[column].mean());
            let (sum, count) = means.fold((0.0, 0.0), |(sum, count), mean| (sum + mean, count + 1.0));
            (count > 0.0).then(|| sum / count)
        };
        let means: Option<Vec<f64>> = (0..self.columns.len()).map(mean).collect();
        self.quantity.value(&means?)
    }
}

fn total(parts: &[Contribution]) -> Contribution {
    parts.iter().copied().fold(Contribution::default(), plus)
}

fn plus(a: Contribution, b: Contribution) -> Contribution {
    Contribution { sum: a.sum + b.sum, count: a.count + b.count }
}

fn less(a: Contribution, b: Contribution) -> Contribution {
    Contribution { sum: a.sum - b.sum, count: a.count - b.count }
}

use crate::Filter;
use std::ops::Range;

/// Fractional bits of a coefficient: 32 less 8 for the sample and 2 for the overshoot of negative lobes.
pub(crate) const BITS: u32 = 32 - 8 - 2;

/// The part `window` of one axis resampled from `from` to `to` samples.
pub(crate) struct Axis {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) window: Range<usize>,
}

impl Axis {
    /// All of it.
    pub(crate) fn whole(from: usize, to: usize) -> Self {
        Self { from, to, window: 0..to }
    }
}

/// For each output sample its first source sample and the weights from there on.
pub(crate) struct Coefficients {
    starts: Vec<(usize, usize)>, // (first source sample, number of taps)
    weights: Vec<i32>,           // `stride` an output sample
    stride: usize,
}

impl Coefficients {
    pub(crate) fn new(axis: &Axis, filter: Filter) -> Self {
        if axis.from == axis.to {
            let starts: Vec<_> = axis.window.clone().map(|start| (start, 1)).collect();
            return Self { weights: vec![1 << BITS; starts.len()], starts, stride: 1 };
        }
        let scale = axis.from as f64 / axis.to as f64;
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let stride = support.ceil() as usize * 2 + 1;
        let mut weights = vec![0i32; axis.window.len() * stride];
        let mut starts = Vec::with_capacity(axis.window.len());
        let mut exact = Vec::with_capacity(stride);
        for (output, weights) in axis.window.clone().zip(weights.chunks_exact_mut(stride)) {
            let centre = (output as f64 + 0.5) * scale;
            // Casts truncate, and saturate at 0 below.
            let start = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(axis.from);
            exact.clear();
            exact.extend((start..end).map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / stretch))));
            let total: f64 = exact.iter().sum();
            for (weight, value) in weights.iter_mut().zip(&exact) {
                let fixed = value / total * f64::from(1 << BITS);
                // Half away from zero, by truncation.
                *weight = (if *value < 0.0 { fixed - 0.5 } else { fixed + 0.5 }) as i32;
            }
            starts.push((start, end - start));
        }
        Self { starts, weights, stride }
    }

    /// For each output sample its first source sample and the weights.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.starts.iter().zip(self.weights.chunks_exact(self.stride)).map(|(&(start, taps), w)| (start, &w[..taps]))
    }

    /// The source samples that any output reads.
    pub(crate) fn reads(&self) -> Range<usize> {
        match (self.starts.first(), self.starts.last()) {
            (Some(&(start, _)), Some(&(last, taps))) => start..last + taps,
            _ => 0..0,
        }
    }
}

use crate::Filter;
use std::ops::Range;

/// The fractional bits of a coefficient: 32, minus 8 for the sample and 2 for the overshoot of negative lobes.
pub(crate) const BITS: u32 = 32 - 8 - 2;

/// One axis that is resampled from `from` to `to` samples, of which only `window` is wanted.
pub(crate) struct Axis {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) window: Range<usize>,
}

impl Axis {
    /// Creates an axis of which all samples are wanted.
    pub(crate) fn whole(from: usize, to: usize) -> Self {
        Self { from, to, window: 0..to }
    }
}

/// For each output sample, its first source sample and the weights of the samples from there on.
pub(crate) struct Coefficients {
    starts: Vec<(usize, usize)>, // (first source sample, number of taps)
    weights: Vec<i32>,           // `stride` weights per output sample
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
            let center = (output as f64 + 0.5) * scale;
            // The casts truncate and saturate at 0, as Pillow clips at 0.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(axis.from);
            exact.clear();
            exact.extend((start..end).map(|x| filter.weight((x as f64 - center + 0.5) * (1.0 / stretch))));
            let total: f64 = exact.iter().sum();
            for (weight, value) in weights.iter_mut().zip(&exact) {
                let fixed = value / total * f64::from(1 << BITS);
                // Round half away from zero, as Pillow does: add a half and truncate.
                *weight = (if *value < 0.0 { fixed - 0.5 } else { fixed + 0.5 }) as i32;
            }
            starts.push((start, end - start));
        }
        Self { starts, weights, stride }
    }

    /// Iterates over the output samples: the first source sample and the weights.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.starts.iter().zip(self.weights.chunks_exact(self.stride)).map(|(&(start, taps), w)| (start, &w[..taps]))
    }

    /// Returns the source samples that any output sample reads.
    pub(crate) fn reads(&self) -> Range<usize> {
        match (self.starts.first(), self.starts.last()) {
            (Some(&(start, _)), Some(&(last, taps))) => start..last + taps,
            _ => 0..0,
        }
    }
}

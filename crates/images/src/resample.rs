use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The resampling kernel, as Pillow defines it (antialiased: its support grows with the reduction).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// Triangle, support 1.
    Bilinear,
    /// Keys cubic with a = -0.5, support 2.
    Bicubic,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let x = x.abs();
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            _ => 0.0,
        }
    }
}

/// Fractional bits of a coefficient: 32 less 8 for the sample and 2 for the overshoot of negative lobes.
const BITS: u32 = 32 - 8 - 2;

/// The part `window` of one axis resampled from `from` to `to` samples.
pub(crate) struct Axis {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) window: Range<usize>,
}

/// Resamples `(H, W, C)` u8 to `rows.to × columns.to` and returns the window of it.
///
/// Equal to Pillow 2.7 to 12 to the bit: horizontal pass first, rounded to u8 between the passes, coefficients of 22
/// bits, a pass left out where the size does not change. (Q25: Pillow 13 runs the vertical pass first for many
/// portrait images, which moves a quarter of the values by one level.)
pub(crate) fn resample<const C: usize>(data: &[u8], rows: &Axis, columns: &Axis, filter: Filter) -> Vec<u8> {
    let vertical = Coefficients::new(rows, filter);
    // Only the source rows that the vertical pass reads, numbered from `first`.
    let needed = vertical.reads();
    let first = needed.start;
    let source = &data[first * columns.from * C..needed.end * columns.from * C];
    let wide = horizontal::<C>(source, columns, filter);
    if rows.from == rows.to {
        return wide;
    }
    let stride = columns.window.len() * C;
    let mut out = vec![0u8; rows.window.len() * stride];
    let mut sums = vec![0i32; stride];
    for (line, (start, weights)) in out.chunks_exact_mut(stride.max(1)).zip(vertical.iter()) {
        sums.fill(1 << (BITS - 1));
        for (q, &weight) in weights.iter().enumerate() {
            let at = (start - first + q) * stride;
            for (sum, &value) in sums.iter_mut().zip(&wide[at..at + stride]) {
                *sum += i32::from(value) * weight;
            }
        }
        for (value, &sum) in line.iter_mut().zip(&sums) {
            *value = clip8(sum);
        }
    }
    out
}

fn horizontal<const C: usize>(source: &[u8], columns: &Axis, filter: Filter) -> Vec<u8> {
    let lines = source.chunks_exact((columns.from * C).max(1));
    let width = columns.window.len();
    if columns.from == columns.to {
        let span = columns.window.start * C..columns.window.end * C;
        return lines.flat_map(|line| &line[span.clone()]).copied().collect();
    }
    let coefficients = Coefficients::new(columns, filter);
    let mut out = vec![0u8; lines.len() * width * C];
    for (line, target) in lines.zip(out.chunks_exact_mut((width * C).max(1))) {
        for (pixel, (start, weights)) in target.chunks_exact_mut(C).zip(coefficients.iter()) {
            let mut sums = [1i32 << (BITS - 1); C];
            let taps = &line[start * C..(start + weights.len()) * C];
            for (tap, &weight) in taps.chunks_exact(C).zip(weights) {
                for c in 0..C {
                    sums[c] += i32::from(tap[c]) * weight;
                }
            }
            for c in 0..C {
                pixel[c] = clip8(sums[c]);
            }
        }
    }
    out
}

fn clip8(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// For each output sample its first source sample and the weights from there on.
struct Coefficients {
    starts: Vec<(usize, usize)>, // (first source sample, number of taps)
    weights: Vec<i32>,           // `stride` an output sample
    stride: usize,
}

impl Coefficients {
    fn new(axis: &Axis, filter: Filter) -> Self {
        if axis.from == axis.to {
            let starts = axis.window.clone().map(|o| (o, 1)).collect();
            return Self { starts, weights: vec![1 << BITS; axis.window.len()], stride: 1 };
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

    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.starts.iter().zip(self.weights.chunks_exact(self.stride)).map(|(&(start, taps), w)| (start, &w[..taps]))
    }

    /// The source samples that any output reads.
    fn reads(&self) -> Range<usize> {
        match (self.starts.first(), self.starts.last()) {
            (Some(&(start, _)), Some(&(last, taps))) => start..last + taps,
            _ => 0..0,
        }
    }
}

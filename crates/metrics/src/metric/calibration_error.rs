use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::{CLEAN, Cell, Contribution, Records};

pub(super) struct CalibrationError;

/// The number of bins of the prediction's probability, all of the same width.
const BINS: usize = 15;

static META: MetricMeta = MetricMeta {
    id: "calibration-error",
    title: "Calibration error",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Lower,
    average: Averaging::Sample,
    formula: "Σ over 15 bins of max softmax: share of images · |accuracy − mean of max softmax|",
    source: "Guo, Pleiss, Sun, Weinberger 2017 (expected calibration error)",
    description: "How far the probabilities of predictions are from their accuracy, on unchanged images. With few \
                  images in a bin the two differ by chance, so the error is never exactly 0.",
};

impl Metric for CalibrationError {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// Returns a column for each bin. Each prediction in the bin contributes right (1 or 0) minus probability; the
    /// absolute values of the means add up to the error.
    fn measure(&self, records: &Records) -> Vec<Measure> {
        let Some(cells) = records.clean() else { return Vec::new() };
        if cells.iter().all(|cell| cell.certainty.is_empty()) {
            return Vec::new();
        }
        let part = |cell: &Cell, bin: usize| {
            let of_bin = cell.certainty.iter().filter(|(certainty, _)| bin_of(*certainty) == bin);
            let excess = of_bin.map(|(certainty, right)| f64::from(u8::from(*right)) - f64::from(*certainty));
            Contribution { sum: excess.sum(), count: cell.certainty.len() as f64 }
        };
        vec![Measure {
            condition: CLEAN.to_owned(),
            columns: (0..BINS).map(|bin| cells.iter().map(|cell| part(cell, bin)).collect()).collect(),
            combine: |means| Some(means.iter().map(|mean| mean.abs()).sum()),
            range: (-1.0, 1.0),
            skipped: cells.iter().filter(|cell| cell.records > 0 && cell.certainty.is_empty()).count(),
        }]
    }
}

/// Returns the bin of a probability. Bins are open below and closed above: (0, 1/15], (1/15, 2/15], ...
fn bin_of(certainty: f32) -> usize {
    let above = (f64::from(certainty) * BINS as f64).ceil() as usize;
    above.clamp(1, BINS) - 1
}

#[cfg(test)]
mod tests {
    use super::bin_of;

    #[test]
    fn bins_are_closed_above() {
        for (certainty, bin) in [(0.0, 0), (0.06, 0), (0.07, 1), (0.5, 7), (0.59, 8), (0.61, 9), (1.0, 14)] {
            assert_eq!(bin_of(certainty), bin, "{certainty}");
        }
    }
}

//! Quantities whose averages are estimated.

use crate::{Contribution, Measure};

/// A quantity: a measure, or the difference of two measures on the same samples.
pub(crate) struct Quantity<'a> {
    pub(crate) measure: &'a Measure,
    pub(crate) minus: Option<&'a Measure>,
}

impl Quantity<'_> {
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Vec<Contribution>> {
        self.measure.columns.iter().chain(self.minus.iter().flat_map(|m| &m.columns))
    }

    pub(crate) fn value(&self, means: &[f64]) -> Option<f64> {
        let (first, second) = means.split_at(self.measure.columns.len());
        let value = (self.measure.combine)(first)?;
        let value = match self.minus {
            None => value,
            Some(minus) => value - (minus.combine)(second)?,
        };
        value.is_finite().then_some(value)
    }
}

/// Counts the samples that contribute to every column.
pub(crate) fn taking_part(quantity: &Quantity, samples: impl Iterator<Item = usize>) -> usize {
    samples.filter(|&s| quantity.columns().all(|c| c[s].count > 0.0)).count()
}

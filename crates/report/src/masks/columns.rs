//! The columns of the table, shared by every format.

use super::MaskStats;
use super::input::{MaskRow, mean};
use crate::write;
use hard_imagenet_metrics::Unit;

/// A measurement of masks, averaged over a class.
pub(super) struct Column {
    /// The name in CSV files: "object_raw".
    pub(super) id: &'static str,
    /// The name in tables for people: "object, stored".
    pub(super) head: &'static str,
    pub(super) unit: Unit,
    pub(super) pick: fn(&MaskRow) -> Option<f64>,
}

pub(super) const COLUMNS: &[Column] = &[
    Column { id: "object_raw", head: "object, stored", unit: Unit::Percent, pick: |m| m.raw },
    Column { id: "object", head: "object", unit: Unit::Percent, pick: |m| m.transformed },
    Column { id: "retained", head: "retained", unit: Unit::Percent, pick: |m| m.retained },
    Column { id: "eccentricity", head: "eccentricity", unit: Unit::Number, pick: |m| m.eccentricity },
    Column { id: "components", head: "parts", unit: Unit::Number, pick: |m| m.components.map(|n| n as f64) },
    Column { id: "at_border", head: "at the border", unit: Unit::Percent, pick: |m| m.at_border.map(f64::from) },
];

impl Column {
    /// Returns the head with the unit: "object (%)".
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.head, if self.unit == Unit::Percent { " (%)" } else { "" })
    }

    /// Returns the mean over a class (over all classes for `None`).
    pub(super) fn mean(&self, stats: &MaskStats, class: Option<usize>) -> Option<f64> {
        mean(&stats.values(class, self.pick))
    }

    /// Returns the mean as text.
    pub(super) fn text(&self, stats: &MaskStats, class: Option<usize>) -> String {
        self.mean(stats, class).map_or(write::MISSING.to_owned(), |value| write::value(value, self.unit))
    }
}

/// Returns the classes that have masks, from the smallest mean object to the largest.
pub(super) fn classes(stats: &MaskStats) -> Vec<usize> {
    let size = |class: usize| mean(&stats.values(Some(class), |m| m.transformed)).unwrap_or(f64::INFINITY);
    let mut classes: Vec<usize> = (0..stats.classes.len()).filter(|&class| stats.count(Some(class)) > 0).collect();
    classes.sort_by(|&a, &b| size(a).total_cmp(&size(b)));
    classes
}

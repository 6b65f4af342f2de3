use serde::{Deserialize, Serialize};

/// The mask statistics of one dataset. They can be stored as JSON, so that datasets that were measured at different times
/// can be shown on one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskStats {
    /// The dataset's name.
    pub dataset: String,
    /// How the masks were measured, as names and values in the order to show: preset, transform, what "retained" means.
    pub facts: Vec<(String, String)>,
    /// The classes, in the dataset's order.
    pub classes: Vec<MaskClass>,
    /// The masks, one by one.
    pub masks: Vec<MaskRow>,
}

/// A class and its mean mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskClass {
    /// The name.
    pub name: String,
    /// The mean of its masks on a coarse square grid: rows of equal length with values in [0, 1]. Empty for a class without
    /// masks.
    pub average: Vec<Vec<f32>>,
}

/// The measurements of one mask. Shares are in [0, 1]; undefined values are `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskRow {
    /// The sample's id.
    pub sample: String,
    /// The index in [`MaskStats::classes`].
    pub class: usize,
    /// The share of the stored image that is object.
    pub raw: Option<f64>,
    /// The share of the transformed image that is object.
    pub transformed: Option<f64>,
    /// The share of the object that the crop keeps.
    pub retained: Option<f64>,
    /// The centroid of the object (row, column) in shares of height and width: (0.5, 0.5) is the center.
    pub centroid: Option<(f64, f64)>,
    /// The distance of the centroid from the center, in units of half the diagonal.
    pub eccentricity: Option<f64>,
    /// The number of connected components of the object.
    pub components: Option<usize>,
    /// Whether the object touches the border.
    pub at_border: Option<bool>,
    /// Why the mask could not be measured.
    pub error: Option<String>,
}

impl MaskStats {
    /// Returns the sorted values of a measurement over the masks of a class (of all classes for `None`).
    pub(super) fn values(&self, class: Option<usize>, pick: impl Fn(&MaskRow) -> Option<f64>) -> Vec<f64> {
        let rows = self.masks.iter().filter(|row| class.is_none_or(|class| class == row.class));
        let mut values: Vec<f64> = rows.filter_map(pick).filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// Counts the masks of a class (of all classes for `None`) that could be measured.
    pub(super) fn count(&self, class: Option<usize>) -> usize {
        self.values(class, |row| row.raw).len()
    }

    /// Counts the masks that could not be measured.
    pub(super) fn failed(&self) -> usize {
        self.masks.iter().filter(|row| row.error.is_some()).count()
    }
}

/// Returns the mean, or `None` without values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

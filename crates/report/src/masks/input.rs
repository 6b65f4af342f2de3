use serde::{Deserialize, Serialize};

/// All that a page of mask statistics says of one dataset. Written and read back as JSON, so that datasets measured
/// at different times can be drawn together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskStats {
    /// The dataset's name.
    pub dataset: String,
    /// How the masks were measured, in the order to show it: preset, transform, what "retained" means.
    pub facts: Vec<(String, String)>,
    /// The classes, in the dataset's order.
    pub classes: Vec<MaskClass>,
    /// The masks, one by one.
    pub masks: Vec<MaskRow>,
}

/// A class and its mean mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskClass {
    /// Its name.
    pub name: String,
    /// The mean of its masks on a coarse square grid, rows of equal length, in [0, 1]; none for a class without masks.
    pub average: Vec<Vec<f32>>,
}

/// The numbers of one mask; shares in [0, 1], undefined ones `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskRow {
    /// The sample's id.
    pub sample: String,
    /// Position in [`MaskStats::classes`].
    pub class: usize,
    /// Share of the picture that is object, as stored.
    pub raw: Option<f64>,
    /// The same after the transform.
    pub transformed: Option<f64>,
    /// Share of the object that the crop keeps.
    pub retained: Option<f64>,
    /// The object's centroid (row, column) in shares of height and width: (0.5, 0.5) is the centre.
    pub centroid: Option<(f64, f64)>,
    /// Its distance from the centre, in units of half the diagonal.
    pub eccentricity: Option<f64>,
    /// Connected parts of the object.
    pub components: Option<usize>,
    /// Does the object touch the border?
    pub at_border: Option<bool>,
    /// Why there are no numbers.
    pub error: Option<String>,
}

impl MaskStats {
    /// A number of every mask of a class (of all for `None`) that has it, sorted.
    pub(super) fn values(&self, class: Option<usize>, pick: impl Fn(&MaskRow) -> Option<f64>) -> Vec<f64> {
        let rows = self.masks.iter().filter(|row| class.is_none_or(|class| class == row.class));
        let mut values: Vec<f64> = rows.filter_map(pick).filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// Masks of a class (of all for `None`) that could be measured.
    pub(super) fn count(&self, class: Option<usize>) -> usize {
        self.values(class, |row| row.raw).len()
    }

    /// Masks that could not be measured.
    pub(super) fn failed(&self) -> usize {
        self.masks.iter().filter(|row| row.error.is_some()).count()
    }
}

/// The mean; `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

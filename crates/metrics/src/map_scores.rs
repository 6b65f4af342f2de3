use crate::{Averaging, Better, MetricMeta, Unit, alignment};
use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The words of the faithfulness scores. They measure whether what a map calls important matters to the model, by
/// showing the model parts of the image.
pub const FAITHFULNESS: [&str; 3] = ["insertion", "deletion", "road"];

const ALIGNMENT: usize = alignment::SCORES.len();
const COUNT: usize = ALIGNMENT + FAITHFULNESS.len();

/// Iterates over every score that a record can have of a map, in the order of its columns: agreement with the mask,
/// then faithfulness to the model.
pub fn map_scores() -> impl ExactSizeIterator<Item = &'static MetricMeta> {
    (0..COUNT).map(meta_at)
}

pub(crate) const fn count() -> usize {
    COUNT
}

pub(crate) fn meta_at(at: usize) -> &'static MetricMeta {
    if at < ALIGNMENT { &alignment::SCORES[at].meta } else { &FAITHFULNESS_META[at - ALIGNMENT] }
}

const fn faithfulness(id: &'static str, title: &'static str) -> MetricMeta {
    MetricMeta {
        id,
        title,
        unit: Unit::Number,
        range: (0.0, 1.0),
        better: Better::Higher,
        average: Averaging::Sample,
        formula: "",
        source: "Petsiuk, Das, Saenko 2018 (RISE)",
        description: "",
    }
}

static FAITHFULNESS_META: [MetricMeta; 3] = [
    MetricMeta {
        formula: "mean probability of the class while pixels appear, brightest of the map first",
        description: "How fast the class returns when the image is uncovered in the map's order: high if the map begins \
                      with what the model needs.",
        ..faithfulness("insertion", "Insertion")
    },
    MetricMeta {
        better: Better::Lower,
        formula: "mean probability of the class while pixels disappear, brightest of the map first",
        description: "How long the class persists when the image is covered in the map's order: low if the map begins \
                      with what the model needs.",
        ..faithfulness("deletion", "Deletion")
    },
    MetricMeta {
        range: (-0.5, 0.5),
        formula: "mean over shares of (probability without the dimmest pixels − without the brightest) / 2",
        source: "Rong et al. 2022 (ROAD), combined as in the pytorch-grad-cam package",
        description: "How much more the pixels that the map calls important matter than those it calls unimportant, \
                      when they are replaced by a blur of their neighbors. An uninformative map scores 0.",
        ..faithfulness("road", "ROAD")
    },
];

/// The scores of one saliency map: a value for each of [`map_scores`] that is defined and was asked for.
///
/// ```
/// use hard_imagenet_metrics::MapScores;
/// let scores = MapScores::compute(&[1.0, 0.5, 0.0, 0.0], &[1, 1, 0, 0]);
/// assert_eq!(scores.get("iou"), Some(1.0));
/// assert_eq!(scores.get("delta_density"), Some(0.75));
/// assert_eq!(scores.get("insertion"), None); // needs the model
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MapScores([Option<f32>; COUNT]);

impl MapScores {
    /// Computes all agreement scores of a map in [0, 1] with a mask, see [`alignment`].
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn compute(map: &[f32], mask: &[u8]) -> Self {
        let mut scores = Self::default();
        for (value, found) in scores.0.iter_mut().zip(alignment::scores(map, mask)) {
            *value = found.map(|found| found as f32);
        }
        scores
    }

    /// Iterates over the names of the columns: the ids of [`map_scores`] with `_` in place of `-`.
    pub fn columns() -> impl ExactSizeIterator<Item = &'static str> {
        static COLUMNS: std::sync::LazyLock<Vec<String>> =
            std::sync::LazyLock::new(|| map_scores().map(|meta| meta.id.replace('-', "_")).collect());
        COLUMNS.iter().map(String::as_str)
    }

    /// Returns the value of a column; `None` if it is undefined or if there is no such column.
    pub fn get(&self, column: &str) -> Option<f32> {
        self.0[Self::columns().position(|name| name == column)?]
    }

    /// Sets a column. A name that is not a column changes nothing.
    pub fn set(&mut self, column: &str, value: Option<f32>) {
        if let Some(at) = Self::columns().position(|name| name == column) {
            self.0[at] = value;
        }
    }

    /// Returns the values in the order of the columns.
    pub fn as_slice(&self) -> &[Option<f32>] {
        &self.0
    }

    /// Returns whether any value is set.
    pub fn has_any(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }
}

impl<'a> FromIterator<(&'a str, f32)> for MapScores {
    fn from_iter<I: IntoIterator<Item = (&'a str, f32)>>(values: I) -> Self {
        let mut scores = Self::default();
        values.into_iter().for_each(|(column, value)| scores.set(column, Some(value)));
        scores
    }
}

/// Serializes as a map from column to value. Undefined values are absent.
impl Serialize for MapScores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Self::columns().zip(self.0).filter_map(|(column, value)| Some((column, value?))))
    }
}

impl<'de> Deserialize<'de> for MapScores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, f32>::deserialize(deserializer)?;
        Ok(values.iter().map(|(column, value)| (column.as_str(), *value)).collect())
    }
}

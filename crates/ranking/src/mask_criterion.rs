use crate::{FeatureBank, FeatureId, Verdict, Verdicts};
use hard_imagenet_metrics::{Estimate, mean_estimate};

/// Decides by masks which features are spurious, where the published method asks people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskCriterion {
    /// How many images of the class are looked at, those that activate the feature most. They contain what the feature
    /// looks for, while the map of a feature that is hardly active is noise. The workers of Salient ImageNet saw such
    /// images too.
    pub images: usize,
    /// A feature is core if its focus is above this value, spurious if it is below, and undecided if the interval of
    /// the focus contains it.
    pub threshold: f64,
    /// Confidence of the interval.
    pub confidence: f64,
}

impl Default for MaskCriterion {
    /// Returns a criterion with 40 images, a confidence of 95 % and a threshold of 0.1.
    ///
    /// The threshold is low because maps are coarse: even those of an object's own features extend far beyond it. On
    /// planted images, where the answer is known, features of the object have a focus of 0.12 to 0.39, and nearly all
    /// features of the scene one below 0.05.
    fn default() -> Self {
        Self { images: 40, threshold: 0.1, confidence: 0.95 }
    }
}

impl MaskCriterion {
    /// Returns the focus of a feature on the object, over images of a class: the mean of `(share of the map on the
    /// object − share of the image that is object) / (1 − share of the image that is object)`.
    ///
    /// The focus is 1 for maps that lie entirely on the object, 0 for maps that do not depend on the object's place,
    /// and negative for maps that avoid the object. A map that ignores the object has the object's share of the image
    /// on it by chance, which is why that share is subtracted. The focus is undefined if fewer than two images activate
    /// the feature.
    ///
    /// # Panics
    /// Panics if the bank does not have the class or the feature.
    pub fn focus(&self, bank: &FeatureBank, id: FeatureId) -> Option<Estimate> {
        let mut rows = bank.labeled_rows(id.class);
        let activation = |row: &usize| bank.features(*row)[id.feature as usize];
        rows.sort_by(|a, b| activation(b).total_cmp(&activation(a)).then(a.cmp(b)));
        let focus = |&row: &usize| {
            let (share, object) = (f64::from(bank.on_object(row, id.feature)?), f64::from(bank.object[row]));
            (activation(&row) > 0.0).then(|| (share - object) / (1.0 - object))
        };
        let values: Vec<f64> = rows.iter().filter_map(focus).take(self.images).collect();
        mean_estimate(&values, self.confidence)
    }

    /// Returns the verdict for a focus; `None` if its interval contains the threshold.
    pub fn verdict(&self, focus: &Estimate) -> Option<Verdict> {
        if focus.low > self.threshold {
            Some(Verdict::Core)
        } else if focus.high < self.threshold {
            Some(Verdict::Spurious)
        } else {
            None
        }
    }

    /// Returns the verdicts on some features. Undecided ones are missing.
    ///
    /// # Panics
    /// Panics if the bank does not have a class or a feature.
    pub fn verdicts(&self, bank: &FeatureBank, features: impl IntoIterator<Item = FeatureId>) -> Verdicts {
        let decide = |id| Some((id, self.verdict(&self.focus(bank, id)?)?));
        features.into_iter().filter_map(decide).collect()
    }
}

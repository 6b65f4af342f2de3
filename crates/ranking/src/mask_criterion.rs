//! Which features are spurious, told by masks instead of people.

use crate::{FeatureBank, FeatureId, Verdict, Verdicts};
use hard_imagenet_metrics::{Estimate, mean_estimate};

/// How a verdict is reached from masks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskCriterion {
    /// At most so many pictures of the class, those that activate the feature most: what the feature looks for is there,
    /// and where it is hardly active its map is noise. The workers of Salient ImageNet saw such pictures too.
    pub images: usize,
    /// A feature is core if its focus is above, spurious if it is below, undecided if the interval holds this.
    pub threshold: f64,
    /// Of the interval.
    pub confidence: f64,
}

impl Default for MaskCriterion {
    /// 40 pictures, 95 %, and a threshold of a tenth: maps are coarse, and even those of an object's own features spread far
    /// beyond it. On planted pictures, where the answer is known, features of the object have a focus of 0.12 to 0.39 and
    /// those of the scene nearly all less than 0.05.
    fn default() -> Self {
        Self { images: 40, threshold: 0.1, confidence: 0.95 }
    }
}

impl MaskCriterion {
    /// How a feature's maps lie to the object, over pictures of a class: the mean of `(share on the object − share of the
    /// object) / (1 − share of the object)`, 1 for maps wholly on the object, 0 for maps that do not care where it is, below
    /// 0 for maps that avoid it. `None` if fewer than two pictures show it.
    ///
    /// The original asks five people about each feature; this asks the masks. A map's share on the object is compared with
    /// the object's share of the picture, for a map that knows nothing of the object has that share on it by chance.
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

    /// What a focus says; `None` where its interval leaves it open.
    pub fn verdict(&self, focus: &Estimate) -> Option<Verdict> {
        if focus.low > self.threshold {
            Some(Verdict::Core)
        } else if focus.high < self.threshold {
            Some(Verdict::Spurious)
        } else {
            None
        }
    }

    /// The verdicts on some features.
    pub fn verdicts(&self, bank: &FeatureBank, features: impl IntoIterator<Item = FeatureId>) -> Verdicts {
        let of = |id| Some((id, self.verdict(&self.focus(bank, id)?)?));
        features.into_iter().filter_map(of).collect()
    }
}

//! Which classes are hard: those whose most important features do not look at the object.

use crate::{FeatureBank, FeatureId, Verdict, Verdicts, feature_importance, top_features};

/// How much a model relies on spurious features for a class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassHardness {
    /// The class's index in the dataset.
    pub class: u32,
    /// The class's most important features, the most important first.
    pub features: Vec<u32>,
    /// How many of them are spurious. Undecided ones do not count.
    pub spurious: usize,
    /// How many of them are core.
    pub core: usize,
    /// The share of spurious features in the importance of all decided ones, in [0, 1]. It is undefined if no feature
    /// is decided or none speaks for the class.
    pub share: Option<f64>,
}

impl ClassHardness {
    /// Returns whether all important features are spurious. The 15 classes of Hard ImageNet were found in this way
    /// among the 1000 of ImageNet.
    pub fn is_hard(&self) -> bool {
        !self.features.is_empty() && self.spurious == self.features.len()
    }
}

/// Returns every class that has images, the hardest first: by the number of spurious features, then by their share.
///
/// The `n` most important features of each class count (5 in the published method), as [`class_importance`] ranks them.
pub fn rank_classes(bank: &FeatureBank, verdicts: &Verdicts, n: usize) -> Vec<ClassHardness> {
    let mut all: Vec<ClassHardness> = (0..bank.identity.classes.len() as u32)
        .filter_map(|class| {
            let importance = class_importance(bank, class)?;
            let features = top_features(&importance, n);
            let verdict = |feature: u32| verdicts.get(FeatureId { class, feature });
            let count = |wanted| features.iter().filter(|&&feature| verdict(feature) == Some(wanted)).count();
            let weight = |wanted| -> f64 {
                let chosen = features.iter().filter(|&&feature| verdict(feature) == Some(wanted));
                chosen.map(|&feature| importance[feature as usize].max(0.0)).fold(0.0, |sum, one| sum + one)
            };
            let (spurious, core) = (weight(Verdict::Spurious), weight(Verdict::Core));
            let share = (spurious + core > 0.0).then(|| spurious / (spurious + core));
            let (n_spurious, n_core) = (count(Verdict::Spurious), count(Verdict::Core));
            Some(ClassHardness { class, features, spurious: n_spurious, core: n_core, share })
        })
        .collect();
    all.sort_by(|a, b| {
        let key = |h: &ClassHardness| (h.spurious, h.share.unwrap_or(0.0));
        let ((a1, a2), (b1, b2)) = (key(a), key(b));
        b1.cmp(&a1).then(b2.total_cmp(&a2)).then(a.class.cmp(&b.class))
    });
    all
}

/// Returns the importance of each feature over the images that the model predicts to be of the class, or over those
/// that belong to it if there are none. It is undefined for a class without either.
///
/// # Panics
/// Panics if the bank does not have the class.
pub fn class_importance(bank: &FeatureBank, class: u32) -> Option<Vec<f64>> {
    feature_importance(bank, class, &bank.predicted_rows(class))
        .or_else(|| feature_importance(bank, class, &bank.labeled_rows(class)))
}

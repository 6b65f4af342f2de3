//! Which classes are hard: those whose most important features look past the object.

use crate::{FeatureBank, FeatureId, Verdict, Verdicts, feature_importance, top_features};

/// How much a class leans on spurious features.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassHardness {
    /// Index in the dataset.
    pub class: u32,
    /// Its most important features, the most important first.
    pub features: Vec<u32>,
    /// Of them, spurious; undecided ones do not count.
    pub spurious: usize,
    /// Of them, core.
    pub core: usize,
    /// Share of the importance of the decided ones that is of spurious ones, in [0, 1]; `None` if none is decided or none
    /// speaks for the class.
    pub share: Option<f64>,
}

impl ClassHardness {
    /// All its important features are spurious: so were the 15 classes of Hard ImageNet found among the 1000 (SPEC 11.3).
    pub fn is_hard(&self) -> bool {
        !self.features.is_empty() && self.spurious == self.features.len()
    }
}

/// Every class with pictures, the hardest first: by number of spurious features, then by their share.
///
/// Features are the `n` (the original takes 5) most important over the pictures that the model takes for the class, or
/// over the class's own if there are none; verdicts come from any source.
pub fn rank_classes(bank: &FeatureBank, verdicts: &Verdicts, n: usize) -> Vec<ClassHardness> {
    let mut all: Vec<ClassHardness> = (0..bank.identity.classes.len() as u32)
        .filter_map(|class| {
            let importance = class_importance(bank, class)?;
            let features = top_features(&importance, n);
            let verdict = |feature: u32| verdicts.get(FeatureId { class, feature });
            let count = |wanted| features.iter().filter(|&&feature| verdict(feature) == Some(wanted)).count();
            let weight = |wanted| -> f64 {
                let of = features.iter().filter(|&&feature| verdict(feature) == Some(wanted));
                of.map(|&feature| importance[feature as usize].max(0.0)).fold(0.0, |sum, one| sum + one)
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

/// Importance over the pictures that the model takes for the class, or over the class's own if there are none.
pub fn class_importance(bank: &FeatureBank, class: u32) -> Option<Vec<f64>> {
    feature_importance(bank, class, &bank.predicted_rows(class))
        .or_else(|| feature_importance(bank, class, &bank.labeled_rows(class)))
}

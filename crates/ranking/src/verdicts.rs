use std::collections::BTreeMap;

/// A feature as evidence for a class: the same feature can be part of the object for one class and scenery for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeatureId {
    /// Index of the dataset's class.
    pub class: u32,
    /// Column of the features.
    pub feature: u32,
}

/// What a feature looks at when it speaks for a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The object.
    Core,
    /// What surrounds it: the background, or another object.
    Spurious,
}

/// What one source says. A feature that is not among them is left open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(BTreeMap<FeatureId, Verdict>);

impl Verdicts {
    /// What the source says of a feature, `None` where it leaves it open.
    pub fn get(&self, id: FeatureId) -> Option<Verdict> {
        self.0.get(&id).copied()
    }

    /// All verdicts, by class and feature.
    pub fn iter(&self) -> impl Iterator<Item = (&FeatureId, &Verdict)> {
        self.0.iter()
    }

    /// The features that are spurious for a class, in order.
    pub fn spurious(&self, class: u32) -> Vec<u32> {
        let of_class = self.0.iter().filter(|(id, verdict)| id.class == class && **verdict == Verdict::Spurious);
        of_class.map(|(id, _)| id.feature).collect()
    }

    /// Those on features that a network of so many has.
    pub fn with_features_below(self, width: usize) -> Self {
        Self(self.0.into_iter().filter(|(id, _)| (id.feature as usize) < width).collect())
    }

    /// Number of verdicts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Does the source say nothing?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(FeatureId, Verdict)> for Verdicts {
    fn from_iter<I: IntoIterator<Item = (FeatureId, Verdict)>>(verdicts: I) -> Self {
        Self(verdicts.into_iter().collect())
    }
}

impl<const N: usize> From<[(FeatureId, Verdict); N]> for Verdicts {
    fn from(verdicts: [(FeatureId, Verdict); N]) -> Self {
        verdicts.into_iter().collect()
    }
}

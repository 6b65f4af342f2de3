use std::collections::BTreeMap;

/// A feature as evidence for a class. The same feature can be part of the object for one class and surroundings for
/// another.
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
    /// The surroundings of the object: the background, or another object.
    Spurious,
}

impl Verdict {
    /// Returns the word in files: "core" or "spurious".
    pub fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Spurious => "spurious",
        }
    }

    /// Returns the verdict with this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Core, Self::Spurious].into_iter().find(|verdict| verdict.word() == word)
    }
}

/// The verdicts of one source. The source leaves all other features undecided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(BTreeMap<FeatureId, Verdict>);

impl Verdicts {
    /// Returns the verdict on a feature, `None` if it is undecided.
    pub fn get(&self, id: FeatureId) -> Option<Verdict> {
        self.0.get(&id).copied()
    }

    /// Returns all verdicts in the order of classes and features.
    pub fn iter(&self) -> impl Iterator<Item = (&FeatureId, &Verdict)> {
        self.0.iter()
    }

    /// Returns the features that are spurious for a class, in ascending order.
    pub fn spurious(&self, class: u32) -> Vec<u32> {
        let spurious = self.0.iter().filter(|(id, verdict)| id.class == class && **verdict == Verdict::Spurious);
        spurious.map(|(id, _)| id.feature).collect()
    }

    /// Keeps only the verdicts on features that a network with this many features has.
    #[must_use]
    pub fn with_features_below(self, width: usize) -> Self {
        Self(self.0.into_iter().filter(|(id, _)| (id.feature as usize) < width).collect())
    }

    /// Returns the number of verdicts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no verdicts.
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

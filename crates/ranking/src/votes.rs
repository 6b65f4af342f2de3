//! What people said a feature looks at.

use crate::{FeatureId, Verdict, Verdicts};
use std::collections::BTreeMap;

/// The answers of the workers who were shown the images that activate a feature most (Singla and Feizi, ICLR 2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// Workers who answered "the main object".
    pub main_object: u32,
    /// Workers who answered "a separate object".
    pub separate_object: u32,
    /// Workers who answered "the background".
    pub background: u32,
}

/// Where a spurious feature looks by its votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpuriousKind {
    /// At least three workers answered "the background".
    Background,
    /// At least three workers answered "a separate object".
    SeparateObject,
    /// Neither answer has three votes.
    Ambiguous,
}

/// How many of five workers decide.
const MAJORITY: u32 = 3;

impl Votes {
    /// Returns the verdict: spurious if at least three of the five workers did not answer "the main object", core
    /// otherwise (Singla and Feizi 2022).
    pub fn verdict(self) -> Verdict {
        if self.separate_object + self.background >= MAJORITY { Verdict::Spurious } else { Verdict::Core }
    }

    /// Returns where a spurious feature looks; `None` for a core one.
    pub fn spurious_kind(self) -> Option<SpuriousKind> {
        match self.verdict() {
            Verdict::Core => None,
            Verdict::Spurious if self.background >= MAJORITY => Some(SpuriousKind::Background),
            Verdict::Spurious if self.separate_object >= MAJORITY => Some(SpuriousKind::SeparateObject),
            Verdict::Spurious => Some(SpuriousKind::Ambiguous),
        }
    }
}

/// Votes by the class's WordNet id and the feature of the robust ResNet-50 (weights `imagenet_l2_3_0`).
pub type VoteTable = BTreeMap<(String, u32), Votes>;

/// Returns the votes on the five most important features of each of the 15 classes of Hard ImageNet, as published with
/// Salient ImageNet: 75 features with five answers each, all of them spurious.
pub fn published_votes() -> VoteTable {
    const ROWS: &str = include_str!("votes.csv");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0);
        let votes = Votes { main_object: number(3), separate_object: number(4), background: number(5) };
        ((fields[0].to_owned(), number(1)), votes)
    };
    ROWS.lines().skip(1).map(row).collect()
}

/// Returns the verdicts of votes for the classes of a dataset, given the WordNet id (or the name) of each class.
pub fn verdicts_from_votes<'a>(votes: &VoteTable, classes: impl IntoIterator<Item = &'a str>) -> Verdicts {
    let mut verdicts = Vec::new();
    for (class, name) in (0..).zip(classes) {
        let of_class = votes.range((name.to_owned(), 0)..=(name.to_owned(), u32::MAX));
        verdicts.extend(of_class.map(|((_, feature), votes)| {
            let id = FeatureId { class, feature: *feature };
            (id, votes.verdict())
        }));
    }
    verdicts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_published_features_are_spurious() {
        let votes = published_votes();
        assert_eq!(votes.len(), 75);
        assert!(votes.values().all(|v| v.main_object + v.separate_object + v.background == 5));
        let verdicts = verdicts_from_votes(&votes, ["n03218198", "n00000000", "n04228054"]);
        assert_eq!(verdicts.spurious(0), [0, 127, 161, 417, 1959]);
        assert!(verdicts.spurious(1).is_empty());
        assert_eq!(verdicts.len(), 10);
        let kinds = [127, 161, 417, 1959].map(|f| votes[&("n03218198".to_owned(), f)].spurious_kind());
        let (separate, background) = (SpuriousKind::SeparateObject, SpuriousKind::Background);
        assert_eq!(kinds, [separate, separate, SpuriousKind::Ambiguous, background].map(Some));
    }
}

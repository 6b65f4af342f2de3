//! Where verdicts on features come from.

use crate::annotations::read_verdicts;
use crate::votes::{VoteTable, published_votes, verdicts_from_votes};
use crate::{FeatureBank, FeatureId, MaskCriterion, RankingError, Verdicts};
use std::path::PathBuf;

/// A source of verdicts that is chosen by its word.
#[derive(Clone, Copy, Debug)]
pub struct VerdictSourceInfo {
    /// The word that [`VerdictSource::parse`] understands.
    pub word: &'static str,
    /// Where the verdicts come from, in one sentence.
    pub sentence: &'static str,
    /// What the source has verdicts on.
    scope: &'static str,
    find: fn(&SourceInput<'_>) -> Option<Verdicts>,
}

/// All sources that are chosen by a word. A new source is one entry here.
pub const VERDICT_SOURCES: &[VerdictSourceInfo] = &[
    VerdictSourceInfo {
        word: "masks",
        sentence: "the objects' masks: a feature is spurious if its maps avoid the object",
        scope: "masks decide on the features of all models and datasets",
        find: |input| Some(mask_verdicts(input)),
    },
    VerdictSourceInfo {
        word: "votes",
        sentence: "the votes published with Salient ImageNet, on features of the robust ResNet-50",
        scope: "the published votes are on features of resnet50.robust_l2_eps3 (the weights imagenet_l2_3_0) for the \
                classes of Hard ImageNet; take the source masks for others",
        find: |input| Some(voted(input)).filter(|verdicts| !verdicts.is_empty()),
    },
];

/// The model whose features the published votes are on.
const VOTED_MODEL: &str = "resnet50.robust_l2_eps3";

/// The source that decides which features are spurious.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerdictSource {
    /// One of [`VERDICT_SOURCES`], by its word.
    Listed(&'static str),
    /// A CSV file with your own verdicts ([`read_verdicts`]).
    File(PathBuf),
    /// Votes of people.
    Votes {
        /// The name for tables.
        name: String,
        /// The votes.
        votes: VoteTable,
    },
}

impl VerdictSource {
    /// Parses the word of a source in the list. Any other text is the path of a file.
    pub fn parse(text: &str) -> Self {
        let listed = VERDICT_SOURCES.iter().find(|source| source.word == text);
        listed.map_or_else(|| Self::File(text.into()), |source| Self::Listed(source.word))
    }
}

/// The verdicts of one source and the source's name for tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedVerdicts {
    /// The source's word, or the path of its file.
    pub name: String,
    /// What the source says.
    pub verdicts: Verdicts,
}

/// What sources decide about.
pub(crate) struct SourceInput<'a> {
    pub(crate) bank: &'a FeatureBank,
    /// The WordNet id of each class, or its name if it has none.
    pub(crate) wnids: &'a [&'a str],
    /// The important features of each class.
    pub(crate) important: &'a [FeatureId],
}

/// Returns the verdicts of the source that is asked for, followed by those of the other sources in the list that have
/// any.
pub(crate) fn collect_verdicts(
    source: &VerdictSource,
    input: &SourceInput<'_>,
) -> Result<Vec<NamedVerdicts>, RankingError> {
    let listed = VERDICT_SOURCES.iter().filter_map(|info| {
        let verdicts = (info.find)(input)?;
        Some(NamedVerdicts { name: info.word.to_owned(), verdicts })
    });
    let mut all: Vec<NamedVerdicts> = listed.collect();
    match source {
        VerdictSource::Listed(word) => {
            let Some(at) = all.iter().position(|one| one.name == *word) else { return Err(no_verdicts(word, input)) };
            all[..=at].rotate_right(1);
        }
        VerdictSource::File(path) => {
            let bank = input.bank;
            let classes: Vec<&str> = bank.identity.classes.iter().map(String::as_str).collect();
            let verdicts = read_verdicts(path, &classes, bank.width)?;
            all.insert(0, NamedVerdicts { name: path.display().to_string(), verdicts });
        }
        VerdictSource::Votes { name, votes } => {
            let verdicts = verdicts_from_votes(votes, input.wnids.iter().copied());
            let verdicts = verdicts.with_features_below(input.bank.width);
            all.insert(0, NamedVerdicts { name: name.clone(), verdicts });
        }
    }
    Ok(all)
}

fn no_verdicts(word: &'static str, input: &SourceInput<'_>) -> RankingError {
    let identity = &input.bank.identity;
    let info = VERDICT_SOURCES.iter().find(|info| info.word == word);
    RankingError::NoVerdicts {
        word,
        model: identity.model.clone(),
        dataset: identity.dataset.clone(),
        reason: info.map_or("", |info| info.scope),
    }
}

/// Decides by masks on the important features, and on those with published votes so that the two can be compared.
fn mask_verdicts(input: &SourceInput<'_>) -> Verdicts {
    let voted = voted(input);
    let ids = input.important.iter().copied().chain(voted.iter().map(|(id, _)| *id));
    MaskCriterion::default().verdicts(input.bank, ids.filter(|id| (id.feature as usize) < input.bank.width))
}

/// Returns the published votes on the features of this model for the classes of this dataset.
fn voted(input: &SourceInput<'_>) -> Verdicts {
    if !input.bank.identity.model.starts_with(VOTED_MODEL) {
        return Verdicts::default();
    }
    verdicts_from_votes(&published_votes(), input.wnids.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_files_are_distinguished() {
        for info in VERDICT_SOURCES {
            assert_eq!(VerdictSource::parse(info.word), VerdictSource::Listed(info.word));
        }
        assert_eq!(VerdictSource::parse("own.csv"), VerdictSource::File("own.csv".into()));
    }
}

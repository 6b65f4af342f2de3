//! What people said a feature looks at.

use crate::{FeatureId, RankingError, Verdict, Verdicts};
use std::collections::BTreeMap;
use std::path::Path;

/// Answers of the workers who were shown the pictures that activate a feature most (Singla and Feizi, ICLR 2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// "The main object".
    pub main_object: u32,
    /// "A separate object".
    pub separate_object: u32,
    /// "The background".
    pub background: u32,
}

/// Where a spurious feature looks by its votes, SPEC 11.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Three or more said so.
    Background,
    /// Three or more said so.
    SeparateObject,
    /// Neither.
    Ambiguous,
}

/// So many of five workers decide.
const MAJORITY: u32 = 3;

impl Votes {
    /// Spurious if three or more of five did not see the main object, else core (SPEC 11.3).
    pub fn verdict(self) -> Verdict {
        if self.separate_object + self.background >= MAJORITY { Verdict::Spurious } else { Verdict::Core }
    }

    /// Of a spurious feature where it looks; `None` for a core one.
    pub fn kind(self) -> Option<Kind> {
        match self.verdict() {
            Verdict::Core => None,
            Verdict::Spurious if self.background >= MAJORITY => Some(Kind::Background),
            Verdict::Spurious if self.separate_object >= MAJORITY => Some(Kind::SeparateObject),
            Verdict::Spurious => Some(Kind::Ambiguous),
        }
    }
}

/// Votes by WordNet id of the class and feature of the robust ResNet-50 (`imagenet_l2_3_0`).
pub type Annotations = BTreeMap<(String, u32), Votes>;

/// The votes on the five most important features of each of the 15 classes of Hard ImageNet, as published with Salient
/// ImageNet: 75 features, five answers each, all of them spurious.
pub fn published() -> Annotations {
    const ROWS: &str = include_str!("votes.csv");
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0);
        let votes = Votes { main_object: number(3), separate_object: number(4), background: number(5) };
        ((fields[0].to_owned(), number(1)), votes)
    };
    ROWS.lines().skip(1).map(row).collect()
}

/// The verdicts of votes for the classes of a dataset, given the WordNet id (or the name) of each.
pub fn of_votes<'a>(annotations: &Annotations, classes: impl IntoIterator<Item = &'a str>) -> Verdicts {
    let mut verdicts = Vec::new();
    for (class, name) in classes.into_iter().enumerate() {
        let of_class = annotations.range((name.to_owned(), 0)..=(name.to_owned(), u32::MAX));
        verdicts.extend(
            of_class
                .map(|((_, feature), votes)| (FeatureId { class: class as u32, feature: *feature }, votes.verdict())),
        );
    }
    verdicts.into_iter().collect()
}

/// Reads annotations of one's own, a CSV with the columns `class` (an index of `classes`, or a name or WordNet id among
/// them), `feature` and `verdict` (`core` or `spurious`), in any order; other columns are passed over.
///
/// # Errors
/// [`RankingError::File`], with the line.
pub fn read_verdicts(path: &Path, classes: &[&str]) -> Result<Verdicts, RankingError> {
    let fail = |problem: String| RankingError::File { path: path.into(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    parse_verdicts(&text, classes).map_err(fail)
}

fn parse_verdicts(text: &str, classes: &[&str]) -> Result<Verdicts, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, head) = lines.next().ok_or("an empty file; expected the columns class, feature, verdict")?;
    let names: Vec<&str> = head.split(',').map(str::trim).collect();
    let place = |name: &str| {
        names
            .iter()
            .position(|column| *column == name)
            .ok_or(format!("no column \"{name}\" among {}", names.join(", ")))
    };
    let (class_at, feature_at, verdict_at) = (place("class")?, place("feature")?, place("verdict")?);
    let mut verdicts = BTreeMap::new();
    for (line, row) in lines {
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        let at = |what: String| format!("line {}: {what}", line + 1);
        let field = |place: usize| fields.get(place).copied().ok_or(at("too few fields".into()));
        let name = field(class_at)?;
        let by_name = classes.iter().position(|class| *class == name);
        let class = by_name
            .or_else(|| name.parse::<usize>().ok().filter(|&index| index < classes.len()))
            .ok_or_else(|| at(format!("no class \"{name}\"; there are {}", classes.join(", "))))?;
        let feature = field(feature_at)?;
        let feature = feature.parse().map_err(|_| at(format!("the feature is a number, not \"{feature}\"")))?;
        let verdict = match field(verdict_at)? {
            "core" => Verdict::Core,
            "spurious" => Verdict::Spurious,
            other => return Err(at(format!("the verdict is core or spurious, not \"{other}\""))),
        };
        let id = FeatureId { class: class as u32, feature };
        if verdicts.insert(id, verdict).is_some_and(|before| before != verdict) {
            return Err(at(format!("feature {feature} of class \"{name}\" had another verdict before")));
        }
    }
    Ok(verdicts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_published_features_are_spurious() {
        let votes = published();
        assert_eq!(votes.len(), 75);
        assert!(votes.values().all(|v| v.main_object + v.separate_object + v.background == 5));
        let verdicts = of_votes(&votes, ["n03218198", "n00000000", "n04228054"]);
        assert_eq!(verdicts.spurious(0), [0, 127, 161, 417, 1959]);
        assert!(verdicts.spurious(1).is_empty());
        assert_eq!(verdicts.len(), 10);
        let kinds: Vec<_> = [127, 161, 417, 1959].map(|f| votes[&("n03218198".to_owned(), f)].kind()).into();
        assert_eq!(
            kinds,
            [Some(Kind::SeparateObject), Some(Kind::SeparateObject), Some(Kind::Ambiguous), Some(Kind::Background)]
        );
    }

    #[test]
    fn verdicts_of_ones_own() {
        let classes = ["dogsled", "ski"];
        let text = "feature, verdict,class,note\n7,core,ski,x\n\n3,spurious,0,\n";
        let verdicts = parse_verdicts(text, &classes).unwrap();
        assert_eq!(verdicts.of(FeatureId { class: 1, feature: 7 }), Some(Verdict::Core));
        assert_eq!(verdicts.of(FeatureId { class: 0, feature: 3 }), Some(Verdict::Spurious));
        let check = |text: &str, expected: &str| {
            let error = parse_verdicts(text, &classes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("", "an empty file");
        check("class,feature\n", "no column \"verdict\"");
        check("class,feature,verdict\nski,x,core\n", "line 2: the feature is a number");
        check("class,feature,verdict\nbob,1,core\n", "line 2: no class \"bob\"; there are dogsled, ski");
        check("class,feature,verdict\nski,1,maybe\n", "core or spurious, not \"maybe\"");
        check(
            "class,feature,verdict\nski,1,core\n1,1,spurious\n",
            "line 3: feature 1 of class \"1\" had another verdict",
        );
        check("class,feature,verdict\nski,1\n", "line 2: too few fields");
    }
}

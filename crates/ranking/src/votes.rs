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
pub enum SpuriousKind {
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
    pub fn spurious_kind(self) -> Option<SpuriousKind> {
        match self.verdict() {
            Verdict::Core => None,
            Verdict::Spurious if self.background >= MAJORITY => Some(SpuriousKind::Background),
            Verdict::Spurious if self.separate_object >= MAJORITY => Some(SpuriousKind::SeparateObject),
            Verdict::Spurious => Some(SpuriousKind::Ambiguous),
        }
    }
}

/// Votes by WordNet id of the class and feature of the robust ResNet-50 (`imagenet_l2_3_0`).
pub type VoteTable = BTreeMap<(String, u32), Votes>;

/// The votes on the five most important features of each of the 15 classes of Hard ImageNet, as published with Salient
/// ImageNet: 75 features, five answers each, all of them spurious.
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

/// The verdicts of votes for the classes of a dataset, given the WordNet id (or the name) of each.
pub fn verdicts_from_votes<'a>(annotations: &VoteTable, classes: impl IntoIterator<Item = &'a str>) -> Verdicts {
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
/// them), `feature` (a number below `width`) and `verdict` (`core` or `spurious`), in any order; other columns are passed
/// over.
///
/// # Errors
/// [`RankingError::File`], with the line.
pub fn read_verdicts(path: &Path, classes: &[&str], width: usize) -> Result<Verdicts, RankingError> {
    read(path, |text| parse_verdicts(text, classes, width))
}

fn read<T>(path: &Path, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, RankingError> {
    let fail = |problem: String| RankingError::File { path: path.into(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    parse(&text).map_err(fail)
}

/// Returns the fields of the wanted columns in each line of a CSV, with the number of the line.
fn columns<const N: usize>(text: &str, wanted: [&str; N]) -> Result<Vec<(u64, [String; N])>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    if header.is_empty() {
        return Err(format!("the file is empty; expected the columns {}", wanted.join(", ")));
    }
    let mut places = [0; N];
    for (place, name) in places.iter_mut().zip(wanted) {
        let found = header.iter().position(|column| column == name);
        let all = || header.iter().collect::<Vec<_>>().join(", ");
        *place = found.ok_or_else(|| format!("no column \"{name}\" among {}", all()))?;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = line_of(&record, text.as_bytes());
        let fields = places.map(|place| record.get(place).map(str::to_owned));
        if fields.iter().any(Option::is_none) {
            return Err(format!("line {line}: too few fields"));
        }
        rows.push((line, fields.map(Option::unwrap_or_default)));
    }
    Ok(rows)
}

/// Returns the line on which a record starts. The reader itself reports the first of the blank lines before it.
fn line_of(record: &csv::StringRecord, text: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + blank.filter(|&&byte| byte == b'\n').count() as u64
}

fn feature_of(line: u64, text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("line {line}: the feature is a number, not \"{text}\""))
}

fn parse_verdicts(text: &str, classes: &[&str], width: usize) -> Result<Verdicts, String> {
    let mut verdicts = BTreeMap::new();
    for (line, [name, feature, verdict]) in columns(text, ["class", "feature", "verdict"])? {
        let at = |what: String| format!("line {line}: {what}");
        let by_name = classes.iter().position(|class| *class == name);
        let class = by_name
            .or_else(|| name.parse::<usize>().ok().filter(|&index| index < classes.len()))
            .ok_or_else(|| at(format!("no class \"{name}\"; there are {}", classes.join(", "))))?;
        let feature = feature_of(line, &feature)?;
        if feature as usize >= width {
            return Err(at(format!("the model has no feature {feature}, but {width} from 0")));
        }
        let verdict = match verdict.as_str() {
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
        let votes = published_votes();
        assert_eq!(votes.len(), 75);
        assert!(votes.values().all(|v| v.main_object + v.separate_object + v.background == 5));
        let verdicts = verdicts_from_votes(&votes, ["n03218198", "n00000000", "n04228054"]);
        assert_eq!(verdicts.spurious(0), [0, 127, 161, 417, 1959]);
        assert!(verdicts.spurious(1).is_empty());
        assert_eq!(verdicts.len(), 10);
        let kinds: Vec<_> = [127, 161, 417, 1959].map(|f| votes[&("n03218198".to_owned(), f)].spurious_kind()).into();
        assert_eq!(
            kinds,
            [
                Some(SpuriousKind::SeparateObject),
                Some(SpuriousKind::SeparateObject),
                Some(SpuriousKind::Ambiguous),
                Some(SpuriousKind::Background)
            ]
        );
    }

    #[test]
    fn verdicts_of_ones_own() {
        let classes = ["dogsled", "ski"];
        let text = "feature, verdict,class,note\n7,core,ski,x\n\n3,spurious,0,\n";
        let verdicts = parse_verdicts(text, &classes, 8).unwrap();
        assert_eq!(verdicts.get(FeatureId { class: 1, feature: 7 }), Some(Verdict::Core));
        assert_eq!(verdicts.get(FeatureId { class: 0, feature: 3 }), Some(Verdict::Spurious));
        let check = |text: &str, expected: &str| {
            let error = parse_verdicts(text, &classes, 8).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("", "the file is empty");
        check("class,feature\n", "no column \"verdict\"");
        check("class,feature,verdict\nski,x,core\n", "line 2: the feature is a number");
        check("class,feature,verdict\nbob,1,core\n", "line 2: no class \"bob\"; there are dogsled, ski");
        check("class,feature,verdict\nski,1,maybe\n", "core or spurious, not \"maybe\"");
        check(
            "class,feature,verdict\nski,1,core\n1,1,spurious\n",
            "line 3: feature 1 of class \"1\" had another verdict",
        );
        check("class,feature,verdict\nski,1\n", "line 2: too few fields");
        check("class,feature,verdict\n\nski,8,core\n", "line 3: the model has no feature 8, but 8 from 0");
    }
}

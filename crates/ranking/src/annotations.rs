//! Verdicts from CSV files.

use crate::{FeatureId, RankingError, Verdict, Verdicts};
use hard_imagenet_files::read;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads your own verdicts.
///
/// The file is a CSV table with the columns `class` (a name or WordNet id in `classes`, or an index into it), `feature`
/// (a number below `width`) and `verdict` (`core` or `spurious`), in any order. Other columns are ignored.
///
/// # Errors
/// Returns [`RankingError::Access`] for a file that cannot be read and [`RankingError::File`], which names the line,
/// for one with another form.
pub fn read_verdicts(path: &Path, classes: &[&str], width: usize) -> Result<Verdicts, RankingError> {
    let fail = |problem: String| RankingError::File { path: path.into(), problem };
    let text = String::from_utf8(read(path)?).map_err(|_| fail("the file is not UTF-8 text".into()))?;
    parse_verdicts(&text, classes, width).map_err(fail)
}

/// Some columns of one line.
struct CsvLine<const N: usize> {
    /// The number of the line.
    number: u64,
    fields: [String; N],
}

/// Returns the wanted columns of each line of a CSV table.
fn read_columns<const N: usize>(text: &str, wanted: [&str; N]) -> Result<Vec<CsvLine<N>>, String> {
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
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let number = line_number(&record, text.as_bytes());
        let fields = places.map(|place| record.get(place).map(str::to_owned));
        if fields.iter().any(Option::is_none) {
            return Err(format!("line {number}: too few fields"));
        }
        lines.push(CsvLine { number, fields: fields.map(Option::unwrap_or_default) });
    }
    Ok(lines)
}

/// Returns the number of the line on which a record starts. The reader itself reports the first of the blank lines before
/// the record.
fn line_number(record: &csv::StringRecord, text: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + blank.filter(|&&byte| byte == b'\n').count() as u64
}

fn parse_feature(line: u64, text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("line {line}: the feature must be a number, not \"{text}\""))
}

fn parse_verdicts(text: &str, classes: &[&str], width: usize) -> Result<Verdicts, String> {
    let mut verdicts = BTreeMap::new();
    for line in read_columns(text, ["class", "feature", "verdict"])? {
        let CsvLine { number, fields: [name, feature, verdict] } = line;
        let fail = |problem: String| format!("line {number}: {problem}");
        let by_name = classes.iter().position(|class| *class == name);
        let class = by_name
            .or_else(|| name.parse::<usize>().ok().filter(|&index| index < classes.len()))
            .ok_or_else(|| fail(format!("unknown class \"{name}\"; known are {}", classes.join(", "))))?;
        let feature = parse_feature(number, &feature)?;
        if feature as usize >= width {
            return Err(fail(format!("the model has no feature {feature}, only 0 to {}", width.saturating_sub(1))));
        }
        let parsed = Verdict::parse(&verdict);
        let verdict = parsed.ok_or_else(|| fail(format!("the verdict must be core or spurious, not \"{verdict}\"")))?;
        let id = FeatureId { class: class as u32, feature };
        if verdicts.insert(id, verdict).is_some_and(|before| before != verdict) {
            return Err(fail(format!("feature {feature} of class \"{name}\" had another verdict before")));
        }
    }
    Ok(verdicts.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_verdicts_are_read_with_errors_by_line() {
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
        check("class,feature,verdict\nski,x,core\n", "line 2: the feature must be a number");
        check("class,feature,verdict\nbob,1,core\n", "line 2: unknown class \"bob\"; known are dogsled, ski");
        check("class,feature,verdict\nski,1,maybe\n", "must be core or spurious, not \"maybe\"");
        check(
            "class,feature,verdict\nski,1,core\n1,1,spurious\n",
            "line 3: feature 1 of class \"1\" had another verdict",
        );
        check("class,feature,verdict\nski,1\n", "line 2: too few fields");
        check("class,feature,verdict\n\nski,8,core\n", "line 3: the model has no feature 8, only 0 to 7");
    }
}

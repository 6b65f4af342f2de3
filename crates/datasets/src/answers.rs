//! The answers of workers that were published with Salient ImageNet.

use crate::DatasetError;
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use std::collections::BTreeMap;
use std::path::Path;

/// What workers said a feature looks at, when they were shown the images that activate it most (Singla, Feizi 2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeatureAnswers {
    /// The number of answers "the main object".
    pub main_object: u32,
    /// The number of answers "a separate object".
    pub separate_object: u32,
    /// The number of answers "the background".
    pub background: u32,
}

impl FeatureAnswers {
    /// Returns whether at least three answers say that the feature does not look at the main object.
    pub fn is_spurious(self) -> bool {
        self.separate_object + self.background >= 3
    }
}

/// Answers by class (its WordNet id) and feature.
pub type AnswerTable = BTreeMap<(String, u32), FeatureAnswers>;

/// Reads a table of answers, such as `discover_spurious_features.csv`.
///
/// The file is a CSV with one answer per line. The columns `Input.wordnet_id`, `Input.feature_index` and `Answer.main`
/// (`main_object`, `separate_object` or `background`) are read.
///
/// # Errors
/// Returns [`DatasetError::Meta`] with the line if the file cannot be read or understood.
pub fn read_answers(path: impl AsRef<Path>) -> Result<AnswerTable, DatasetError> {
    let path = path.as_ref();
    let fail = |problem: String| DatasetError::Meta { path: path.into(), problem };
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    if is_lfs_pointer(&bytes) {
        return Err(fail(LFS_POINTER.into()));
    }
    parse(&bytes, |_| true).map_err(fail)
}

/// Parses a table of answers. Classes for which `is_class` is false are an error.
pub(crate) fn parse(bytes: &[u8], is_class: impl Fn(&str) -> bool) -> Result<AnswerTable, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| error.to_string())?;
    let column = |name: &str| {
        header.iter().position(|column| column == name).ok_or_else(|| format!("there is no column \"{name}\""))
    };
    let columns = [column("Input.wordnet_id")?, column("Input.feature_index")?, column("Answer.main")?];
    let mut answers = AnswerTable::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = line_of(&record, bytes);
        let [class, feature, answer] = columns.map(|at| record.get(at).unwrap_or_default());
        if !is_class(class) {
            return Err(format!("line {line}: {class:?} is not a WordNet id of ImageNet"));
        }
        let feature =
            feature.parse().map_err(|_| format!("line {line}: the feature must be a number, not {feature:?}"))?;
        let answers = answers.entry((class.to_owned(), feature)).or_default();
        match answer {
            "main_object" => answers.main_object += 1,
            "separate_object" => answers.separate_object += 1,
            "background" => answers.background += 1,
            other => {
                return Err(format!(
                    "line {line}: the answer must be main_object, separate_object or background, not {other:?}"
                ));
            }
        }
    }
    Ok(answers)
}

/// Returns the line on which a record starts. The reader itself reports the first of the blank lines before it.
fn line_of(record: &csv::StringRecord, text: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = usize::try_from(position.byte()).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + blank.filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_class_and_feature() {
        let head = "WorkerId,Input.wordnet_id,Input.class_index,Input.feature_index,Answer.main,Answer.reasons\n";
        let rows = [
            "1,n7,3,5,background,snow",
            "2,n7,3,5,separate_object,\"dogs, and\nsnow\"",
            "3,n7,3,5,main_object,",
            "4,n7,3,5,background,\"a \"\"white\"\" field, far\"",
            "5,n7,3,6,main_object,sled",
        ];
        let any = |_: &str| true;
        let answers = parse(format!("\u{feff}{head}{}\r\n", rows.join("\r\n")).as_bytes(), any).unwrap();
        let expected = FeatureAnswers { main_object: 1, separate_object: 1, background: 2 };
        assert_eq!((answers.len(), answers[&("n7".to_owned(), 5)]), (2, expected));
        assert!(expected.is_spurious() && !answers[&("n7".to_owned(), 6)].is_spurious());
        // A reason of two lines counts as two.
        let error = parse(format!("{head}{}\n6,n7,3,5,sky,\n", rows[..2].join("\n")).as_bytes(), any).unwrap_err();
        assert!(error.contains("line 5: the answer must be main_object") && error.contains("\"sky\""), "{error}");
        assert!(parse(b"a,b\n1,2\n", any).unwrap_err().contains("no column \"Input.wordnet_id\""));
        assert!(parse(b"", any).unwrap_err().contains("no column"));
        // Blank lines and rows without any field are skipped, but counted.
        let error = parse(format!("{head}\r\n,,,,,\n\n6,n7,3,5,sky,\n").as_bytes(), any).unwrap_err();
        assert!(error.contains("line 5: "), "{error}");
        let error = parse(format!("{head}{}", rows[0]).as_bytes(), |class| class == "n8").unwrap_err();
        assert!(error.contains("line 2: \"n7\" is not a WordNet id"), "{error}");
    }
}

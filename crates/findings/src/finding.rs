use crate::Severity;
use serde::{Deserialize, Serialize};

/// Something suspicious about a dataset, a model or a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id of its [`FindingKind`](crate::FindingKind).
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, without its number if there are examples.
    pub what: String,
    /// How many times it was found.
    pub count: usize,
    /// The number of files, samples or classes that were looked at, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// The first few occurrences: files, samples or classes.
    pub examples: Vec<String>,
    /// What it does to the scores; empty if it does nothing.
    pub effect: String,
    /// What to do about it; empty if there is nothing to do.
    pub remedy: String,
}

/// The number of examples that a finding names.
const EXAMPLES: usize = 3;

impl Finding {
    /// Replaces what was found, where a kind's own words are not exact enough.
    #[must_use]
    pub fn saying(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    /// Replaces what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Sets the number of files, samples or classes that were looked at.
    #[must_use]
    pub fn of(mut self, all: usize) -> Self {
        self.of = Some(all);
        self
    }

    /// Completes the finding with all its occurrences; returns `None` if there are none.
    #[must_use]
    pub fn about<T: ToString>(mut self, occurrences: &[T]) -> Option<Self> {
        self.count = occurrences.len();
        self.examples = occurrences.iter().take(EXAMPLES).map(ToString::to_string).collect();
        (self.count > 0).then_some(self)
    }

    /// Returns what was found with its number: "3 of 750 masks without an object". A single occurrence has no number.
    pub fn headline(&self) -> String {
        match self.of {
            _ if self.examples.is_empty() => self.what.clone(),
            Some(all) => format!("{} of {all} {}", self.count, self.what),
            None if self.count == 1 => self.what.clone(),
            None => format!("{} {}", self.count, self.what),
        }
    }

    /// Returns the lines for a terminal or a log: what, examples, effect and remedy.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.severity.word(), self.headline())];
        lines.extend(self.examples.iter().map(|example| format!("    {example}")));
        if self.count > self.examples.len() && !self.examples.is_empty() {
            lines.push(format!("    and {} more", self.count - self.examples.len()));
        }
        if !self.effect.is_empty() {
            lines.push(format!("  = {}", self.effect));
        }
        if !self.remedy.is_empty() {
            lines.push(format!("  → {}", self.remedy));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::content::EMPTY_MASK;

    #[test]
    fn lines_name_examples_and_count_the_rest() {
        let finding = EMPTY_MASK.about(&["a", "b", "c", "d", "e"]).unwrap().of(9);
        let lines = finding.lines();
        assert_eq!(lines[0], "warning: 5 of 9 masks without an object");
        assert_eq!(lines[1..5], ["    a", "    b", "    c", "    and 2 more"]);
        assert_eq!(lines.len(), 7);
        assert_eq!(EMPTY_MASK.about(&["a"]).unwrap().headline(), "masks without an object");
        assert_eq!(EMPTY_MASK.about::<&str>(&[]), None);
    }

    #[test]
    fn findings_are_read_back() {
        let finding = EMPTY_MASK.about(&["a"]).unwrap();
        let text = serde_json::to_string(&finding).unwrap();
        assert_eq!(serde_json::from_str::<crate::Finding>(&text).unwrap(), finding);
    }
}

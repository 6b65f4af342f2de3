use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The dataset cannot be used, or samples are lost.
    Error,
    /// The dataset can be used, but numbers will not be those of the complete dataset.
    Warning,
    /// Everything is as it should be, or as it was published.
    Note,
}

/// Something that a check of a dataset found, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A short name that does not change between versions: "no-picture".
    pub kind: &'static str,
    /// What was found, a sentence without its full stop.
    pub what: String,
    /// How many times it was found.
    pub count: usize,
    /// The first few occurrences: files, samples or classes.
    pub examples: Vec<String>,
    /// What to do about it; empty if there is nothing to do.
    pub remedy: String,
}

/// The number of examples that a finding names.
const EXAMPLES: usize = 3;

impl Finding {
    pub(crate) fn error(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Error, kind, what, remedy)
    }

    pub(crate) fn warning(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Warning, kind, what, remedy)
    }

    pub(crate) fn note(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Note, kind, what, remedy)
    }

    fn new(severity: Severity, kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (what, remedy) = (what.into(), remedy.into());
        Self { severity, kind, what, count: 1, examples: Vec::new(), remedy }
    }

    /// Completes the finding with all its occurrences; `None` if there are none.
    pub(crate) fn about<T: ToString>(mut self, occurrences: &[T]) -> Option<Self> {
        self.count = occurrences.len();
        self.examples = occurrences.iter().take(EXAMPLES).map(ToString::to_string).collect();
        (self.count > 0).then_some(self)
    }
}

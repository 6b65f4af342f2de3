use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The dataset cannot be used, or samples are lost.
    Error,
    /// It can be used; numbers will not be those of the whole dataset.
    Warning,
    /// As it should be, or as it is published.
    Note,
}

/// One thing that a checkup found, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its short name, which does not change: "no-picture".
    pub kind: &'static str,
    /// What was found, a sentence without its full stop.
    pub what: String,
    /// How many times.
    pub count: usize,
    /// The first few of them: files, samples, classes.
    pub examples: Vec<String>,
    /// The way out; empty where there is nothing to do.
    pub remedy: String,
}

/// Examples that a finding names.
const EXAMPLES: usize = 3;

impl Finding {
    pub(super) fn error(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Error, kind, what, remedy)
    }

    pub(super) fn warning(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Warning, kind, what, remedy)
    }

    pub(super) fn note(kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Note, kind, what, remedy)
    }

    fn new(severity: Severity, kind: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (what, remedy) = (what.into(), remedy.into());
        Self { severity, kind, what, count: 1, examples: Vec::new(), remedy }
    }

    /// The finding about all of `these`; none if there are none.
    pub(super) fn about<T: ToString>(mut self, these: &[T]) -> Option<Self> {
        self.count = these.len();
        self.examples = these.iter().take(EXAMPLES).map(ToString::to_string).collect();
        (self.count > 0).then_some(self)
    }
}

use crate::{Finding, Severity};

/// A kind of finding, with its texts for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingKind {
    /// A short name that does not change between versions: "empty-mask".
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, to be read after a number: "masks without an object".
    pub what: &'static str,
    /// What it does to the scores, a sentence without its full stop.
    pub effect: &'static str,
    /// What to do about it, a sentence without its full stop. It names no option of a program.
    pub remedy: &'static str,
}

impl FindingKind {
    /// Creates a finding that occurred once, without examples.
    pub fn found(&self) -> Finding {
        let Self { id, severity, what, effect, remedy } = *self;
        Finding {
            kind: id.to_owned(),
            severity,
            what: what.to_owned(),
            count: 1,
            of: None,
            examples: Vec::new(),
            effect: effect.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    /// Creates a finding with its occurrences: files, samples or classes. Returns `None` if there are none.
    pub fn about<T: ToString>(&self, occurrences: &[T]) -> Option<Finding> {
        self.found().about(occurrences)
    }
}

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing can be computed, samples are lost, or scores mean something else than they seem to.
    Error,
    /// Scores can be computed, but may be wrong or incomplete.
    Warning,
    /// Everything is as it should be, or as it was published.
    Note,
}

impl Severity {
    /// Returns the word for people and for JSON: "error", "warning" or "note".
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// Returns whether somebody should look at the finding before believing a score.
    pub fn is_suspicious(self) -> bool {
        self != Self::Note
    }
}

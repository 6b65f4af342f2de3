//! Every kind of finding, by what is looked at.
//!
//! A new kind is a line in one of these files.

use crate::{FindingKind, Severity};

/// Declares kinds of findings, and lists them.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $name:ident: $severity:ident $id:literal {
            what: $what:literal,
            effect: $effect:literal,
            remedy: $remedy:literal,
        }
    )*) => {
        $($(#[$doc])* pub static $name: FindingKind = FindingKind {
            id: $id,
            severity: Severity::$severity,
            what: $what,
            effect: $effect,
            remedy: $remedy,
        };)*
        /// All kinds of this file.
        pub(super) static ALL: &[&FindingKind] = &[$(&$name),*];
    };
}

pub mod content;
pub mod folders;
pub mod models;
pub mod results;

/// All kinds, by what is looked at: ("the folders of a dataset", kinds).
pub static KINDS: [(&str, &[&FindingKind]); 4] = [
    ("Folders and file names", folders::ALL),
    ("Images and masks", content::ALL),
    ("Model files", models::ALL),
    ("Runs and their results", results::ALL),
];

#[cfg(test)]
mod tests {
    use super::KINDS;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_texts_are_written_alike() {
        let all: Vec<_> = KINDS.iter().flat_map(|(_, kinds)| kinds.iter()).collect();
        let ids: BTreeSet<&str> = all.iter().map(|kind| kind.id).collect();
        assert_eq!(ids.len(), all.len());
        for kind in all {
            assert!(kind.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", kind.id);
            for text in [kind.what, kind.effect, kind.remedy] {
                assert!(!text.ends_with('.') && !text.contains("--") && !text.contains("  "), "{}: {text}", kind.id);
            }
            if kind.severity.is_suspicious() {
                assert!(!kind.what.is_empty() && !kind.effect.is_empty() && !kind.remedy.is_empty(), "{}", kind.id);
            }
        }
    }
}

//! What is suspicious about a dataset, a model or a run.
//!
//! A benchmark's worst fault is a wrong number that looks right. Whoever reads files or looks at results reports what
//! looks wrong as a [`Finding`]: what, where, how many times, what it does to the scores, and what to do. Datasets report
//! what they left out, models what their files leave open, and an evaluation what its first and its last results look like.
//!
//! - [`FindingKind`] is a kind of finding, with all of its texts. [`kinds`] holds every kind, and [`KINDS`] lists them.
//! - [`Finding`] is one that was made. It is plain data and can be stored as JSON.
//! - [`Severity`] says how bad it is. [`Severity::is_suspicious`] divides what has to be looked at from mere notes.
//!
//! ```
//! use hard_imagenet_findings::{Severity, kinds::content::EMPTY_MASK};
//!
//! let finding = EMPTY_MASK.about(&["val/a/0", "val/a/1"]).ok_or("there are two")?.of(750);
//! assert_eq!(finding.severity, Severity::Warning);
//! assert_eq!(finding.headline(), "2 of 750 masks without an object");
//! # Ok::<(), &'static str>(())
//! ```

mod finding;
mod kind;
pub mod kinds;
mod severity;

pub use finding::Finding;
pub use kind::FindingKind;
pub use kinds::KINDS;
pub use severity::Severity;

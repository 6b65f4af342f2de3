use std::path::Path;
use std::time::Duration;

/// What an evaluation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Pictures go through the model; the unit is one picture under one condition and trial.
    Evaluate,
    /// Records become scores; one unit.
    Score,
    /// Pictures are drawn; the unit is one case.
    Gallery,
}

/// What an evaluation tells its caller while it runs; the library itself never prints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// So far.
    Progress {
        /// What is being done.
        phase: Phase,
        /// Units done, those of earlier runs included.
        done: usize,
        /// Units of this phase (and of this shard).
        total: usize,
        /// Units of `done` that were found in the folder; a rate is `(done - resumed) / elapsed`.
        resumed: usize,
        /// Since the start of this run.
        elapsed: Duration,
    },
    /// An explainer that needs many passes has come so far with a batch.
    Explaining {
        /// Its word.
        explainer: &'a str,
        /// Passes of one picture that are done.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A part could not be read and is computed again.
    DamagedPart {
        /// The part's file.
        path: &'a Path,
        /// What is wrong with it.
        reason: &'a str,
    },
    /// A sample could not be evaluated; its record says why.
    BadSample {
        /// The sample's id.
        sample: &'a str,
        /// Why.
        error: &'a str,
    },
}

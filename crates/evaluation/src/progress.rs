use hard_imagenet_findings::Finding;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// Called after each step of an evaluation. Returning `Break` cancels the run.
pub(crate) type Observer<'a> = Box<dyn FnMut(&Event<'_>) -> ControlFlow<()> + 'a>;

/// What an evaluation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Files are compared with those that an earlier run has seen. The unit is one sample.
    Verify,
    /// The model answers images. The unit is one image: a sample under one condition and trial.
    Evaluate,
    /// Records become scores. There is one unit.
    Score,
    /// The gallery is drawn. The unit is one exhibit.
    Gallery,
}

/// What an evaluation reports to its caller while it runs. The library itself never prints.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// How far a phase has come.
    Progress {
        /// The phase.
        phase: Phase,
        /// Units completed, including those of earlier runs.
        done: usize,
        /// Units of this phase in this shard.
        total: usize,
        /// Units of `done` that were found in the folder; the rate is `(done - resumed) / elapsed`.
        resumed: usize,
        /// Time since the start of this run.
        elapsed: Duration,
    },
    /// How far an explainer that needs many passes has come with a batch.
    Explaining {
        /// The explainer's word.
        explainer: &'a str,
        /// Passes of one image completed.
        done: usize,
        /// Passes of the batch.
        of: usize,
    },
    /// Something suspicious about the dataset, the model or the run.
    Finding(&'a Finding),
    /// A part could not be read and is computed again.
    DamagedPart {
        /// The part's file.
        path: &'a Path,
        /// What is wrong with it.
        reason: &'a str,
    },
    /// A sample could not be evaluated; its record holds the error.
    BadSample {
        /// The sample's id.
        sample: &'a str,
        /// The reason.
        error: &'a str,
    },
}

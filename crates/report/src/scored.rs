use hard_imagenet_metrics::Scores;
use hard_imagenet_runs::{Run, RunDescription};

/// A run and the scores of its records.
pub(crate) struct ScoredRun<'a> {
    pub(crate) run: &'a Run,
    pub(crate) scores: Scores,
}

impl ScoredRun<'_> {
    pub(crate) fn description(&self) -> &RunDescription {
        self.run.description()
    }
}

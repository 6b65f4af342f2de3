//! What a complete run gets besides its records.

use crate::plan::Plan;
use crate::{Event, Phase, Result, gallery};
use hard_imagenet_metrics::{Options, score};
use hard_imagenet_runs::{Run, RunFolder};
use std::ops::ControlFlow;
use std::time::Instant;

/// Writes `scores.json` and the gallery.
pub(crate) fn finish(
    plan: &Plan<'_>,
    folder: &RunFolder,
    run: &Run,
    listener: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
) -> Result<()> {
    let start = Instant::now();
    let mut tell =
        |phase, done, total| listener(&Event::Progress { phase, done, total, resumed: 0, elapsed: start.elapsed() });
    if tell(Phase::Score, 0, 1).is_break() {
        return Ok(());
    }
    folder.write_json(RunFolder::SCORES, &score(run.records(), &Options::default()))?;
    if tell(Phase::Score, 1, 1).is_break() {
        return Ok(());
    }
    gallery::draw(plan, folder, run, &mut |done, total| tell(Phase::Gallery, done, total))
}

//! What a complete run gets besides its records: scores and a gallery.

use crate::progress::{Observer, Phase};
use crate::setup::Setup;
use crate::{Event, Result, gallery};
use hard_imagenet_findings::Finding;
use hard_imagenet_metrics::{Metric, Options, Scores, metrics, score_with};
use hard_imagenet_runs::{Conditions, Run, RunFolder};
use std::sync::Arc;
use std::time::Instant;

/// Returns whether scores, of all metrics, and a gallery exist.
pub(crate) fn is_finished(folder: &RunFolder, own: &[Arc<dyn Metric + '_>], findings: &[Finding]) -> Result<bool> {
    if !folder.has(RunFolder::SCORES) || !folder.has(RunFolder::GALLERY) {
        return Ok(false);
    }
    let Some(scores) = folder.read_json::<Scores>(RunFolder::SCORES)? else { return Ok(false) };
    let is_scored = |metric: &Arc<dyn Metric + '_>| {
        let stored = scores.metrics.iter().find(|scores| scores.id == metric.meta().id);
        let version = stored.and_then(|scores| scores.description.as_ref()).map(|about| about.version.as_str());
        version == Some(metric.version())
    };
    Ok(scores.counts.findings == suspicious(findings) && own.iter().all(is_scored))
}

/// Returns the number of findings that somebody should look at.
fn suspicious(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.severity.is_suspicious()).count()
}

/// Writes `scores.json` and the gallery.
pub(crate) fn finish(
    setup: &Setup<'_>,
    folder: &RunFolder,
    run: &Run,
    own: &[Arc<dyn Metric + '_>],
    findings: &[Finding],
    observer: &mut Observer<'_>,
) -> Result<()> {
    let start = Instant::now();
    let mut report =
        |phase, done, total| observer(&Event::Progress { phase, done, total, resumed: 0, elapsed: start.elapsed() });
    if report(Phase::Score, 0, 1).is_break() {
        return Ok(());
    }
    let metrics: Vec<&dyn Metric> =
        metrics().map(|metric| metric as &dyn Metric).chain(own.iter().map(|metric| &**metric)).collect();
    let mut scores = score_with(run.records(), &Options::default(), &metrics);
    scores.counts.findings = suspicious(findings);
    let conditions = Conditions::new([run.description()]);
    scores.sort_conditions(|a, b| conditions.compare(a, b));
    folder.write_json(RunFolder::SCORES, &scores)?;
    if report(Phase::Score, 1, 1).is_break() {
        return Ok(());
    }
    gallery::draw(setup, folder, run, &mut |done, total| report(Phase::Gallery, done, total))
}

//! What is suspicious about the runs of a page, each finding once.

use crate::page::Page;
use hard_imagenet_findings::Finding;

/// A finding, and the titles of the runs that it concerns.
pub(crate) struct Found<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) runs: Vec<String>,
}

/// Returns the findings of all runs, the worst first. Runs with the same finding share it.
pub(crate) fn found<'a>(page: &'a Page<'_>) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    for run in &page.runs {
        for finding in run.scored.run.findings() {
            let title = page.title(run);
            match found.iter_mut().find(|known| known.finding == finding) {
                Some(known) => known.runs.push(title),
                None => found.push(Found { finding, runs: vec![title] }),
            }
        }
    }
    found.sort_by_key(|found| found.finding.severity);
    found
}
